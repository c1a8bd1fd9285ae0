package ingest_test

import (
	"context"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/simulate"
	"github.com/blipstream/blipstream/services/ingest"
)

// upstream serves n items at a rate, each until it was written to somebody.
func upstream(t *testing.T, o simulate.Options) (*simulate.Twitter, string) {
	t.Helper()
	tw, err := simulate.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(tw)
	t.Cleanup(func() {
		tw.Close()
		srv.Close()
	})
	return tw, "twitter+" + srv.URL + "/1.1/statuses/sample.json"
}

// wire is a wire to a server, and the cutting of it.
func wire(t *testing.T, to string) (url string, cut func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	context.AfterFunc(ctx, func() { _ = l.Close() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", strings.TrimPrefix(to, "nats://"))
			if err != nil {
				_ = near.Close()
				continue
			}
			context.AfterFunc(ctx, func() {
				_ = near.Close()
				_ = far.Close()
			})
			go func() { _, _ = io.Copy(near, far) }()
			go func() { _, _ = io.Copy(far, near) }()
		}
	}()
	return "nats://" + l.Addr().String(), cancel
}

// dial connects to a server whose streams are there.
func dial(t *testing.T, url string) *bus.Conn {
	t.Helper()
	conn, err := bus.Connect(bus.Options{URL: url, Name: "ingest"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bustest.Close(conn) })
	return conn
}

// complete fails the test unless RAW holds each of the upstream's items once.
func complete(t *testing.T, conn *bus.Conn, tw *simulate.Twitter, n uint64) {
	t.Helper()
	have := map[string]int{}
	for _, item := range raw(t, conn, "twitter") {
		have[item]++
	}
	for i := range n {
		item := strings.TrimSpace(string(tw.World().Append(nil, i)))
		if have[item] != 1 {
			t.Fatalf("item %d is in RAW %d times: %.100s", i, have[item], item)
		}
	}
}

// TestStandbyTakesOver: two processes, one connection; when the one that reads
// stops, or loses NATS, the other goes on, and RAW has everything.
func TestStandbyTakesOver(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(t *testing.T, leader *running, cut func()){
		"clean stop":   func(t *testing.T, leader *running, _ func()) { t.Helper(); leader.end(t) },
		"cut off NATS": func(_ *testing.T, _ *running, cut func()) { cut() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const items = 1500
			tw, source := upstream(t, simulate.Options{Items: items, Rate: 1000, Resume: true, Rewind: items})
			server := bustest.Start(t)
			cfg := ingest.Config{Sources: []string{source}, LeaseTTL: 2 * time.Second}
			connB := server.Conn(t, "b")
			url, cut := wire(t, server.URL())
			a := start(t, dial(t, url), cfg)
			bustest.WaitFor(t, "a reads", func() bool { return a.value(t, "stored_total") > 300 })
			b := start(t, connB, cfg)
			bustest.WaitFor(t, "b stands by", func() bool { return b.in(t, "twitter", "standby") })
			if failing := b.env.Health.Failing(); len(failing) > 0 {
				t.Errorf("a standby is not ready: %v", failing)
			}
			stop(t, a, cut)
			bustest.WaitFor(t, "b reads", func() bool { return b.in(t, "twitter", "live") })
			bustest.WaitFor(t, "everything is stored", func() bool {
				state, err := connB.Stream(context.Background(), "RAW")
				return err == nil && state.Messages >= items
			})
			complete(t, connB, tw, items)
			if s := tw.Stats(); s.MaxOpen != 1 || s.Kicked != 0 {
				t.Errorf("the upstream saw %+v, want one connection at a time", s)
			}
		})
	}
}

// TestUpstreamFaults: whatever the upstream does, the rest of it arrives.
func TestUpstreamFaults(t *testing.T) {
	t.Parallel()
	const items = 300
	tw, source := upstream(t, simulate.Options{Items: items, Resume: true, Rewind: items, Script: []simulate.Fault{
		{Kind: simulate.FaultEOF, After: 100}, {Kind: simulate.FaultCut, After: 100},
	}})
	server := bustest.Start(t)
	conn := server.Conn(t, "a")
	r := start(t, conn, ingest.Config{Sources: []string{source}})
	bustest.WaitFor(t, "everything is stored", func() bool {
		state, err := conn.Stream(context.Background(), "RAW")
		return err == nil && state.Messages >= items
	})
	complete(t, conn, tw, items)
	if r.value(t, "reconnects_total", "closed") != 1 || r.value(t, "reconnects_total", "network") != 1 {
		t.Errorf("reconnects: %v closed, %v network", r.value(t, "reconnects_total", "closed"), r.value(t, "reconnects_total", "network"))
	}
}

// TestFatalIsAlone: bad credentials are tried once, make the process not
// ready, and leave the other sources alone; the right ones work.
func TestFatalIsAlone(t *testing.T) {
	t.Parallel()
	tw, source := upstream(t, simulate.Options{Items: 10, Secrets: []string{"bearer:right"}})
	server := bustest.Start(t)
	conn := server.Conn(t, "a")
	path := write(t, lines(100, 100))
	r := start(t, conn, ingest.Config{
		Sources: []string{source + "#bad", "file:" + path, source + "#good"},
		Secret: func(v string) string {
			return map[string]string{"BLIPSTREAM_SECRET_BAD": "bearer:wrong", "BLIPSTREAM_SECRET_GOOD": "bearer:right"}[v]
		},
	})
	bustest.WaitFor(t, "the states are reached", func() bool {
		return r.in(t, "bad", "failed") && r.in(t, "file", "done") && r.value(t, "stored_total", "good") == 10
	})
	failing := r.env.Health.Failing()
	if len(failing) != 1 || !strings.Contains(failing["ingest.bad"], "401") {
		t.Errorf("not ready: %v, want the bad source alone, with the reason", failing)
	}
	if s := tw.Stats(); s.Refused != 1 {
		t.Errorf("the upstream was asked %d times with bad credentials, want once", s.Refused)
	}
}
