package e2e

import (
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/simulate"
)

// TestKilledReadersOfBluesky runs ingest twice on one Jetstream and kills the
// one that reads three times: the upstream never sees two connections at once,
// and RAW misses nothing, because the next one goes on at the cursor.
func TestKilledReadersOfBluesky(t *testing.T) {
	t.Parallel()
	const (
		kills = 3
		ttl   = 2 * time.Second
	)
	n, rate := 4000, 500.0 // 8 s; with the switch of the long tests a minute
	if os.Getenv("BLIPSTREAM_E2E_ITEMS") != "" {
		n = 30_000
	}
	nats := start(t, "blipstream", "nats", "--port", "0", "--data", t.TempDir())
	conn := connect(t, nats.field("nats"))
	w := world(t, 0)
	sky, err := simulate.NewBluesky(simulate.Options{World: w, Items: uint64(n), Rate: rate})
	if err != nil {
		t.Fatal(err)
	}
	upstream := httptest.NewServer(sky)
	t.Cleanup(func() { sky.Close(); upstream.Close() })
	reader := func() *process {
		return start(t, "ingest", "--nats", nats.field("nats"), "--lease-ttl", ttl.String(),
			"--source", "bluesky+ws"+strings.TrimPrefix(upstream.URL, "http")+"/#"+source)
	}
	leader := reader()
	until(t, patience, "nobody reads", func() bool { return count(t, conn, feed.StreamRaw) > int(rate) })
	saved := ""
	for range kills {
		// Who is killed has read for a while, and saved its place.
		until(t, patience, "no place is saved", func() bool {
			at := savedPlace(t, conn)
			return at != "" && at != saved
		})
		standby := reader()
		until(t, patience, "the second does not stand by", func() bool { return strings.Contains(standby.stderr(), "standby") })
		from, connections := count(t, conn, feed.StreamRaw), sky.Stats().Connections
		leader.kill()
		until(t, patience, "nobody takes over", func() bool { return sky.Stats().Connections > connections })
		saved = savedPlace(t, conn)
		until(t, patience, "who takes over reads nothing", func() bool { return count(t, conn, feed.StreamRaw) > from })
		leader = standby
	}
	missing := skyPayloads(t, conn, w, uint64(n))
	until(t, patience+time.Duration(float64(n)/rate)*time.Second, "the upstream was not read to its end", func() bool {
		return count(t, conn, feed.StreamRaw) >= len(missing)
	})
	if s := sky.Stats(); s.MaxOpen != 1 || s.Connections <= kills {
		t.Errorf("the upstream saw %d connections, %d at once, want one after the other", s.Connections, s.MaxOpen)
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
		t.Errorf("%d of %d items are not in RAW, for example %s", len(missing), n, one(missing))
	}
	asked := sky.Stats().Cursors
	if first, last := place(t, asked[1]), place(t, asked[len(asked)-1]); first == 0 || last <= first {
		t.Errorf("asked for %q, want places further and further on", asked)
	}
	t.Logf("asked for %q", asked)
}

// savedPlace is the cursor that whoever takes over would begin with.
func savedPlace(t *testing.T, conn *bus.Conn) string {
	t.Helper()
	v, err := conn.GetValue(t.Context(), "cursor", "ingest."+source)
	if err != nil {
		t.Fatal(err)
	}
	return string(v.Data)
}

// place is a cursor that is a sequence.
func place(t *testing.T, cursor string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(cursor, 10, 64)
	if err != nil {
		t.Errorf("cursor %q: %v", cursor, err)
	}
	return n
}

// skyPayloads is what the items before n look like, from the first on that is in
// RAW: a stream that is live begins where it is connected to. What is repeated
// is there once.
func skyPayloads(t *testing.T, conn *bus.Conn, w *simulate.World, n uint64) map[string]bool {
	t.Helper()
	first, all := string(read(t, conn, feed.StreamRaw)[0].Data), map[string]bool{}
	for i := range n {
		payload := string(w.AppendBluesky(nil, i, false))
		if w.Fate(i) != simulate.FateRepeat && (len(all) > 0 || payload == first) {
			all[payload] = true
		}
	}
	return all
}

// one is any of a set.
func one(set map[string]bool) string {
	for s := range set {
		return s
	}
	return ""
}
