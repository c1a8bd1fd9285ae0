package e2e

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/simulate"
)

// TestStandbyTakesOver runs ingest twice on an upstream that allows a single
// connection. The one that reads is killed, and the next one asked to stop:
// another reads on each time, and RAW misses nothing.
func TestStandbyTakesOver(t *testing.T) {
	t.Parallel()
	const (
		n    = 6000
		rate = 800
		ttl  = 4 * time.Second
		// slack is what a take-over may need besides on a busy machine: above
		// all a request that is not answered, which is given up after 5 s.
		slack = 6 * time.Second
	)
	w := world(t, 0)
	twitter, err := simulate.NewServer(simulate.Options{World: w, Items: n, Rate: rate, Resume: true, Rewind: rate})
	if err != nil {
		t.Fatal(err)
	}
	upstream := httptest.NewServer(twitter)
	t.Cleanup(func() { twitter.Close(); upstream.Close() })
	nats := start(t, "blipstream", "nats", "--port", "0", "--data", t.TempDir())
	conn := connect(t, nats.field("nats"))
	reader := func() *process {
		return start(t, "ingest", "--nats", nats.field("nats"), "--lease-ttl", ttl.String(),
			"--source", "twitter+"+upstream.URL+"/1.1/statuses/sample.json#"+source)
	}
	// next ends the reader, waits for the upstream's next connection, and for
	// that to be of use.
	next := func(what string, end func()) time.Duration {
		from, connections, began := count(t, conn, feed.StreamRaw), twitter.Stats().Connections, time.Now()
		end()
		until(t, ttl+slack, what, func() bool { return twitter.Stats().Connections > connections })
		took := time.Since(began)
		until(t, patience, what, func() bool { return count(t, conn, feed.StreamRaw) > from })
		return took
	}

	leader := reader()
	until(t, patience, "nobody reads", func() bool { return count(t, conn, feed.StreamRaw) > rate })
	standby := reader()
	until(t, patience, "the second does not stand by", func() bool { return strings.Contains(standby.stderr(), "standby") })
	took := next("the standby does not read on", leader.kill)
	t.Logf("killed: the standby read on after %v, with a lease of %v", took.Round(time.Millisecond), ttl)
	if s := twitter.Stats(); s.MaxOpen != 1 || s.Connections < 2 {
		t.Errorf("the upstream saw %d connections, %d at once, want two or more, one after the other", s.Connections, s.MaxOpen)
	}
	leader, standby = standby, reader()
	until(t, patience, "the third does not stand by", func() bool { return strings.Contains(standby.stderr(), "standby") })
	took = next("nobody reads on after a clean stop", func() { leader.stop(stopGrace) })
	t.Logf("asked to stop: the standby read on after %v", took.Round(time.Millisecond))
	if took > ttl/2 {
		t.Errorf("a lease that was given back was taken over after %v, want at once", took)
	}

	missing := payloads(w, n)
	until(t, patience, "the upstream was not read to its end", func() bool {
		return count(t, conn, feed.StreamRaw) >= len(missing)
	})
	// On a busy machine a lease can be lost and won again, which is one connection more.
	if s := twitter.Stats(); s.MaxOpen != 1 || s.Connections < 3 {
		t.Errorf("the upstream saw %d connections, %d at once, want three or more, one after the other", s.Connections, s.MaxOpen)
	}
	seen := map[string]bool{}
	for _, s := range read(t, conn, feed.StreamRaw) {
		delete(missing, string(s.Data))
		if id := s.Header.Get(headerMsgID); seen[id] {
			t.Errorf("%s is in RAW twice", id)
		} else {
			seen[id] = true
		}
	}
	if len(missing) > 0 {
		t.Errorf("%d of %d items are not in RAW", len(missing), n)
	}
}

// payloads is what the first n items of w look like.
func payloads(w *simulate.World, n int) map[string]bool {
	all := map[string]bool{}
	for i := range uint64(n) {
		all[string(w.Append(nil, i))] = true
	}
	return all
}
