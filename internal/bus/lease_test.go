package bus_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
)

// holder runs a lease and says on its channels when it holds it and when not.
type holder struct {
	name   string
	tokens chan uint64
	lost   chan error
	stop   func()
}

// hold runs the lease "ingest.test" until stop; active counts the holders.
func hold(tb testing.TB, c *bus.Conn, name string, ttl time.Duration, active *atomic.Int32) *holder {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	h := &holder{name: name, tokens: make(chan uint64, 16), lost: make(chan error, 16)}
	ended := make(chan error, 1)
	go func() {
		ended <- c.Lease("ingest.test", name, ttl).Run(ctx, func(ctx context.Context, token uint64) error {
			if n := active.Add(1); n > 1 {
				tb.Errorf("%s: %d holders at once", name, n)
			}
			h.tokens <- token
			<-ctx.Done()
			active.Add(-1)
			h.lost <- context.Cause(ctx)
			return nil
		})
	}()
	h.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, nats.ErrConnectionClosed) {
			tb.Errorf("%s: %v", name, err)
		}
	})
	tb.Cleanup(h.stop)
	return h
}

func TestLeaseReleaseHandsOverAtOnce(t *testing.T) {
	const ttl = time.Hour // whoever waits for it has not waited for the ttl
	srv := bustest.Start(t)
	a, b := srv.Conn(t, "a"), srv.Conn(t, "b")
	var active atomic.Int32
	first := hold(t, a, "first", ttl, &active)
	token := <-first.tokens
	second := hold(t, b, "second", ttl, &active)
	if who, err := b.Lease("ingest.test", "x", ttl).Holder(t.Context()); err != nil || who != "first" {
		t.Errorf("holder %q, %v", who, err)
	}
	first.stop()
	if next := <-second.tokens; next <= token {
		t.Errorf("token %d after %d", next, token)
	}
	second.stop()
	if who, err := b.Lease("ingest.test", "x", ttl).Holder(t.Context()); err != nil || who != "" {
		t.Errorf("holder %q, %v after the last gave it back", who, err)
	}
}

func TestLeaseTakeoverAfterCrash(t *testing.T) {
	t.Parallel()
	const ttl = time.Second
	srv := bustest.Start(t)
	a, b := srv.Conn(t, "a"), srv.Conn(t, "b")
	var active atomic.Int32
	first := hold(t, a, "first", ttl, &active)
	token := <-first.tokens
	second := hold(t, b, "second", ttl, &active)
	// Closing the connection under the holder is what its death looks like.
	crashed := time.Now()
	bustest.Close(a)
	next := <-second.tokens
	took := time.Since(crashed)
	if next <= token {
		t.Errorf("token %d after %d", next, token)
	}
	// The bound is the promise with the slack of a machine that does much else.
	if took > 3*ttl {
		t.Errorf("takeover took %s of a ttl of %s", took, ttl)
	}
	t.Logf("takeover after %s with a ttl of %s", took, ttl)
	if err := <-first.lost; !errors.Is(err, bus.ErrLeaseLost) {
		t.Errorf("the first ended with %v", err)
	}
}

func TestLeaseLostWithoutServerAndTakenAgain(t *testing.T) {
	t.Parallel()
	const ttl = 600 * time.Millisecond
	srv := bustest.Start(t)
	c := srv.Conn(t, "a")
	var active atomic.Int32
	h := hold(t, c, "only", ttl, &active)
	token := <-h.tokens
	srv.Stop()
	if err := <-h.lost; !errors.Is(err, bus.ErrLeaseLost) {
		t.Fatalf("ended with %v", err)
	}
	srv.Start()
	if next := <-h.tokens; next <= token {
		t.Errorf("token %d after %d", next, token)
	}
}

func TestLeaseOutlivesAShortRestart(t *testing.T) {
	t.Parallel()
	const ttl = 30 * time.Second // renewed every 10 s, lost after 20 s
	srv := bustest.Start(t)
	c := srv.Conn(t, "a")
	var active atomic.Int32
	h := hold(t, c, "only", ttl, &active)
	<-h.tokens
	srv.Restart()
	bustest.WaitFor(t, "connection", func() bool { return c.Ready() == nil })
	h.stop()
	if err := <-h.lost; errors.Is(err, bus.ErrLeaseLost) {
		t.Error("a restart of the server cost the lease")
	}
}

func TestLeaseStolenEndsTheHolder(t *testing.T) {
	t.Parallel()
	const ttl = 600 * time.Millisecond
	srv := bustest.Start(t)
	c := srv.Conn(t, "a")
	var active atomic.Int32
	h := hold(t, c, "only", ttl, &active)
	<-h.tokens
	kv, err := admin(t, srv).KeyValue(t.Context(), "lease")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.PutString(t.Context(), "ingest.test", "thief"); err != nil {
		t.Fatal(err)
	}
	if err := <-h.lost; !errors.Is(err, bus.ErrLeaseLost) {
		t.Errorf("ended with %v", err)
	}
	<-h.tokens // the thief never renews, so the lease comes back
}

// A renewal whose answer was lost must not cost the lease.
func TestLeaseOwnLostAnswer(t *testing.T) {
	t.Parallel()
	const ttl = 900 * time.Millisecond
	srv := bustest.Start(t)
	c := srv.Conn(t, "a")
	var active atomic.Int32
	h := hold(t, c, "only", ttl, &active)
	<-h.tokens
	js := admin(t, srv)
	s, err := js.Stream(t.Context(), "KV_lease")
	if err != nil {
		t.Fatal(err)
	}
	const subject = "$KV.lease.ingest.test"
	entry, err := s.GetLastMsgForSubject(t.Context(), subject)
	if err != nil {
		t.Fatal(err)
	}
	unheard := &nats.Msg{Subject: subject, Data: entry.Data, Header: nats.Header{"Blip-Term": entry.Header["Blip-Term"]}}
	ack, err := js.PublishMsg(t.Context(), unheard)
	if err != nil {
		t.Fatal(err)
	}
	bustest.WaitFor(t, "two renewals", func() bool {
		e, err := s.GetLastMsgForSubject(t.Context(), subject)
		return err == nil && e.Sequence >= ack.Sequence+2
	})
	if len(h.lost) != 0 {
		t.Error("the holder gave up over its own write")
	}
}

// Many candidates that come and go: never two at once, and the lease moves on.
func TestLeaseNeverHeldTwice(t *testing.T) {
	t.Parallel()
	const ttl, candidates, rounds = 2 * time.Second, 4, 12
	srv := bustest.Start(t)
	conns := make([]*bus.Conn, candidates)
	for i := range conns {
		conns[i] = srv.Conn(t, fmt.Sprintf("c%d", i))
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var active atomic.Int32
	var last atomic.Uint64
	terms := make(chan int, 1)
	var wg sync.WaitGroup
	for i, c := range conns {
		wg.Go(func() {
			for ctx.Err() == nil {
				_ = c.Lease("ingest.test", c.String(), ttl).Run(ctx, func(ctx context.Context, token uint64) error {
					if n := active.Add(1); n > 1 {
						t.Errorf("%d holders at once", n)
					}
					defer active.Add(-1)
					if was := last.Swap(token); was >= token {
						t.Errorf("token %d after %d", token, was)
					}
					select {
					case terms <- i:
					case <-ctx.Done():
					}
					return nil
				})
			}
		})
	}
	for n := range rounds {
		<-terms
		if n == rounds/2 {
			srv.Restart()
		}
	}
	cancel()
	wg.Wait()
}

func TestLeaseRefusals(t *testing.T) {
	srv := bustest.Start(t)
	c := srv.Conn(t, "a")
	run := func(key string, ttl time.Duration) error {
		return c.Lease(key, "h", ttl).Run(t.Context(), func(context.Context, uint64) error { return nil })
	}
	if err := run("two words", time.Second); err == nil {
		t.Error("a key with a space is taken")
	}
	if err := run("a.*", time.Second); err == nil {
		t.Error("a key with a wildcard is taken")
	}
	if err := run("a", time.Millisecond); err == nil {
		t.Error("a ttl of 1ms is taken")
	}
	boom := errors.New("boom")
	err := c.Lease("a", "h", time.Second).Run(t.Context(), func(context.Context, uint64) error { return boom })
	if !errors.Is(err, boom) {
		t.Errorf("fn's error came out as %v", err)
	}
}

func TestCursorFencing(t *testing.T) {
	srv := bustest.Start(t)
	c := srv.Conn(t, "a")
	claim := func(token uint64) (*bus.Cursor, feed.Cursor) {
		t.Helper()
		cur, at, err := c.ClaimCursor(t.Context(), "ingest.demo", token)
		if err != nil {
			t.Fatal(err)
		}
		return cur, at
	}
	first, at := claim(1)
	if at != "" {
		t.Errorf("a new cursor is at %q", at)
	}
	for _, at := range []feed.Cursor{"10", "20"} {
		if err := first.Save(t.Context(), at); err != nil {
			t.Fatal(err)
		}
	}
	second, at := claim(2)
	if at != "20" {
		t.Errorf("the next holder starts at %q", at)
	}
	if err := first.Save(t.Context(), "30"); !errors.Is(err, bus.ErrFenced) {
		t.Errorf("the earlier holder saved: %v", err)
	}
	if err := second.Save(t.Context(), "25"); err != nil {
		t.Errorf("the later holder could not save: %v", err)
	}
	if _, _, err := c.ClaimCursor(t.Context(), "ingest.demo", 1); !errors.Is(err, bus.ErrFenced) {
		t.Errorf("an earlier holder claimed it back: %v", err)
	}
	if _, at := claim(3); at != "25" {
		t.Errorf("kept %q", at)
	}
	if _, _, err := c.ClaimCursor(t.Context(), "ingest.*", 1); err == nil {
		t.Error("a key with a wildcard is taken")
	}
}

// A Save whose answer was lost must not fence its own writer.
func TestCursorOwnLostAnswer(t *testing.T) {
	srv := bustest.Start(t)
	c := srv.Conn(t, "a")
	cur, _, err := c.ClaimCursor(t.Context(), "ingest.demo", 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := bus.SaveUnheard(t.Context(), cur, "5"); err != nil {
		t.Fatal(err)
	}
	if err := cur.Save(t.Context(), "6"); err != nil {
		t.Fatalf("save after a lost answer: %v", err)
	}
	kv, err := admin(t, srv).KeyValue(t.Context(), "cursor")
	if err != nil {
		t.Fatal(err)
	}
	if err := kv.Delete(t.Context(), "ingest.demo"); err != nil {
		t.Fatal(err)
	}
	if err := cur.Save(t.Context(), "7"); err != nil {
		t.Errorf("save after an operator deleted the key: %v", err)
	}
}
