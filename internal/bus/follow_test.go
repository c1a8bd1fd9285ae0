package bus_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
)

// followed collects what Follow calls.
type followed struct {
	mu     sync.Mutex
	epochs []string
	calls  []string // "epoch" or the data
	seqs   []uint64
}

func (f *followed) changed(s bus.StreamState) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.epochs = append(f.epochs, s.Epoch)
	f.calls = append(f.calls, "epoch")
	return nil
}

func (f *followed) fn(s *bus.Stored) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, string(s.Data))
	f.seqs = append(f.seqs, s.Seq)
	return nil
}

func (f *followed) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.seqs)
}

func following(tb testing.TB, c *bus.Conn, from uint64, f *followed) (stop func()) {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Follow(ctx, feed.StreamRaw, from, f.changed, f.fn) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			tb.Errorf("follow: %v", err)
		}
	})
	tb.Cleanup(stop)
	return stop
}

func TestFollowAcrossRestart(t *testing.T) {
	t.Parallel()
	srv := bustest.Start(t)
	c := srv.Conn(t, "fol")
	publishRaws(t, c, 0, 100)
	var f followed
	stop := following(t, c, 11, &f)
	bustest.WaitFor(t, "the backlog", func() bool { return f.count() == 90 })
	srv.Restart()
	bustest.WaitFor(t, "connection", func() bool { return c.Ready() == nil })
	publishRaws(t, c, 100, 200)
	bustest.WaitFor(t, "the rest", func() bool { return f.count() == 190 })
	stop()
	for i, seq := range f.seqs {
		if seq != uint64(i+11) {
			t.Fatalf("message %d has sequence %d, want %d", i, seq, i+11)
		}
	}
	if len(f.epochs) != 1 || f.calls[0] != "epoch" {
		t.Errorf("%d epochs told, first call %q", len(f.epochs), f.calls[0])
	}
}

func TestFollowStreamMadeAnew(t *testing.T) {
	t.Parallel()
	srv := bustest.Start(t)
	c := srv.Conn(t, "fol")
	publishRaws(t, c, 0, 50)
	var f followed
	stop := following(t, c, 1, &f)
	bustest.WaitFor(t, "the first stream", func() bool { return f.count() == 50 })
	deleteStream(t, srv, feed.StreamRaw)
	publishRaws(t, c, 1000, 1010)
	bustest.WaitFor(t, "the second stream", func() bool { return f.count() == 60 })
	stop()
	if len(f.epochs) != 2 || f.epochs[0] == f.epochs[1] {
		t.Fatalf("epochs %v", f.epochs)
	}
	if f.calls[51] != "epoch" || f.seqs[50] != 1 {
		t.Errorf("after the first stream came %q, sequence %d", f.calls[51], f.seqs[50])
	}
}

func TestFollowWipedServer(t *testing.T) {
	t.Parallel()
	srv := bustest.Start(t)
	c := srv.Conn(t, "fol")
	publishRaws(t, c, 0, 50)
	var f followed
	following(t, c, 1, &f)
	bustest.WaitFor(t, "the first stream", func() bool { return f.count() == 50 })
	srv.Stop()
	srv.Wipe()
	srv.Start()
	publishRaws(t, c, 0, 50)
	bustest.WaitFor(t, "the second stream", func() bool { return f.count() == 100 })
}

func TestFollowFromBeyondTheEnd(t *testing.T) {
	srv := bustest.Start(t)
	c := srv.Conn(t, "fol")
	publishRaws(t, c, 0, 5)
	var next, beyond followed
	following(t, c, 6, &next)
	following(t, c, 7, &beyond)
	bustest.WaitFor(t, "all, from an earlier life of the stream", func() bool { return beyond.count() == 5 })
	publishRaws(t, c, 5, 6)
	bustest.WaitFor(t, "the new one only", func() bool { return next.count() == 1 && beyond.count() == 6 })
}

func TestFollowTrimmedStart(t *testing.T) {
	srv := bustest.Start(t)
	c := srv.Conn(t, "fol")
	publishRaws(t, c, 0, 20)
	trim(t, srv, 10)
	var f followed
	stop := following(t, c, 5, &f)
	bustest.WaitFor(t, "what is left", func() bool { return f.count() == 10 })
	stop()
	if f.seqs[0] != 11 {
		t.Errorf("starts at %d", f.seqs[0])
	}
}

func TestFollowEndsWithTheCallersError(t *testing.T) {
	srv := bustest.Start(t)
	c := srv.Conn(t, "fol")
	publishRaws(t, c, 0, 3)
	boom := errors.New("boom")
	ok := func(bus.StreamState) error { return nil }
	if err := c.Follow(t.Context(), feed.StreamRaw, 1, ok, func(*bus.Stored) error { return boom }); !errors.Is(err, boom) {
		t.Errorf("fn fails: %v", err)
	}
	bad := func(bus.StreamState) error { return boom }
	if err := c.Follow(t.Context(), feed.StreamRaw, 1, bad, func(*bus.Stored) error { return nil }); !errors.Is(err, boom) {
		t.Errorf("changed fails: %v", err)
	}
}

func TestRange(t *testing.T) {
	srv := bustest.Start(t)
	c := srv.Conn(t, "read")
	var msgs []bus.Msg
	for i := range 2500 {
		msgs = append(msgs, bus.Msg{Subject: fmt.Sprintf("raw.s%d", i%3), Data: fmt.Appendf(nil, "%d", i)})
	}
	bustest.Publish(t, c, feed.StreamRaw, msgs...)
	seqs := func(from uint64, limit int, subjects ...string) []uint64 {
		t.Helper()
		got, err := c.Range(t.Context(), feed.StreamRaw, from, limit, subjects...)
		if err != nil {
			t.Fatal(err)
		}
		var s []uint64
		for _, m := range got {
			if want := msgs[m.Seq-1]; string(m.Data) != string(want.Data) || m.Subject != want.Subject || m.Time.IsZero() {
				t.Fatalf("sequence %d is %+v", m.Seq, m)
			}
			s = append(s, m.Seq)
		}
		return s
	}
	for _, tc := range []struct {
		what        string
		got         []uint64
		n           int
		first, last uint64
	}{
		{"all, over several requests", seqs(1, 9999), 2500, 1, 2500},
		{"from 0", seqs(0, 2), 2, 1, 2},
		{"a piece", seqs(100, 1500), 1500, 100, 1599},
		{"one", seqs(7, 1), 1, 7, 7},
		{"beyond the end", seqs(2501, 10), 0, 0, 0},
		{"one subject", seqs(1, 9999, "raw.s0"), 834, 1, 2500},
		{"two subjects", seqs(2, 10, "raw.s1", "raw.s0"), 10, 2, 16},
		{"none", seqs(1, 0), 0, 0, 0},
	} {
		if len(tc.got) != tc.n || tc.n > 0 && (tc.got[0] != tc.first || tc.got[tc.n-1] != tc.last) {
			t.Errorf("%s: %d messages, %v", tc.what, len(tc.got), tc.got[:min(20, len(tc.got))])
		}
	}
	trim(t, srv, 1500)
	if got := seqs(1, 5); len(got) != 5 || got[0] != 1001 {
		t.Errorf("trimmed: %v", got)
	}
	if _, err := c.Range(t.Context(), "NONE", 1, 5); !errors.Is(err, bus.ErrNoStream) {
		t.Errorf("no such stream: %v", err)
	}
	if _, err := c.Range(t.Context(), "A.B", 1, 5); err == nil {
		t.Error("a stream name with a dot is taken")
	}
}

func TestSeqAt(t *testing.T) {
	srv := bustest.Start(t)
	c := srv.Conn(t, "read")
	at := func(when time.Time) uint64 {
		t.Helper()
		seq, err := c.SeqAt(t.Context(), feed.StreamRaw, when)
		if err != nil {
			t.Fatal(err)
		}
		return seq
	}
	if got := at(time.Unix(0, 0)); got != 1 {
		t.Errorf("empty stream: %d", got)
	}
	publishRaws(t, c, 0, 10)
	all := bustest.ReadAll(t, c, feed.StreamRaw)
	if got := at(all[0].Time.Add(-time.Hour)); got != 1 {
		t.Errorf("before the first: %d", got)
	}
	for _, m := range all {
		if got := at(m.Time); got > m.Seq || got == 0 || !all[got-1].Time.Equal(m.Time) {
			t.Errorf("at the time of %d: %d", m.Seq, got)
		}
	}
	if got := at(all[9].Time.Add(time.Nanosecond)); got != 11 {
		t.Errorf("after the last: %d", got)
	}
	trim(t, srv, 0)
	if got := at(time.Unix(0, 0)); got != 11 {
		t.Errorf("emptied stream: %d", got)
	}
}
