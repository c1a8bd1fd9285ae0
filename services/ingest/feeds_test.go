package ingest_test

import (
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/simulate"
	"github.com/blipstream/blipstream/internal/simulate/feeds"
	"github.com/blipstream/blipstream/services/ingest"
)

// feedURLs are sources of a simulated upstream that resume.
func feedURLs(at string) map[feeds.Protocol]string {
	return map[feeds.Protocol]string{
		feeds.Wikimedia: "wikimedia+" + at + "/v2/stream/recentchange#x",
		feeds.Events:    "sse+" + at + "/events?id=/id#x",
		feeds.Mastodon:  "mastodon+" + at + "#x",
		feeds.EMSC:      "emsc+ws" + strings.TrimPrefix(at, "http") + "/standing_order/websocket#x",
		feeds.USGS:      "usgs+" + at + "/earthquakes/feed/v1.0/summary/all_day.geojson?interval=20ms#x",
	}
}

// sharedWorld is one world for all servers: to load its map takes long.
var sharedWorld = sync.OnceValues(func() (*simulate.World, error) { return simulate.NewWorld(simulate.DefaultWorld(3)) })

// simulated starts a simulated upstream.
func simulated(t *testing.T, o feeds.Options) (*feeds.Server, string) {
	t.Helper()
	world, err := sharedWorld()
	if err != nil {
		t.Fatal(err)
	}
	o.World = world
	server, err := feeds.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(server)
	t.Cleanup(func() {
		server.Close()
		srv.Close()
	})
	return server, srv.URL
}

// holdsAll reports whether RAW holds each item of an upstream once.
func holdsAll(t *testing.T, conn *bus.Conn, server *feeds.Server, p feeds.Protocol, items uint64) bool {
	t.Helper()
	have := map[string]int{}
	for _, item := range raw(t, conn, "x") {
		have[item]++
	}
	for n := range items {
		want := string(server.Raw(p, n))
		feature, _, _ := strings.Cut(want, `,"blipstream_simulated"`) // as EMSC's event service tells it
		_, feature, _ = strings.Cut(feature, `"data":`)
		if have[want]+have[feature] != 1 {
			return false
		}
	}
	return true
}

// TestEveryFeedHasOneConnection: for each source a second process stands by
// without a connection of its own; when the first stops it goes on where that
// one was, through faults of the upstream, and every item is in RAW once.
func TestEveryFeedHasOneConnection(t *testing.T) {
	t.Parallel()
	for p := range feedURLs("") {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			const items = 400
			server, at := simulated(t, feeds.Options{
				Seed: 7, Items: items, Rate: 200, Live: true, Rewind: 3,
				Script: []simulate.Fault{{Kind: simulate.FaultEOF, After: 60}, {Kind: simulate.FaultCut, After: 20}},
			})
			nats := bustest.Start(t)
			conn := nats.Conn(t, "b")
			cfg := ingest.Config{Sources: []string{feedURLs(at)[p]}, LeaseTTL: 2 * time.Second}
			first := start(t, nats.Conn(t, "a"), cfg)
			bustest.WaitFor(t, "the first reads", func() bool { return first.value(t, "stored_total") > 100 })
			second := start(t, conn, cfg)
			bustest.WaitFor(t, "the second stands by", func() bool { return second.in(t, "x", "standby") })
			first.end(t)
			bustest.WaitFor(t, "everything is stored", func() bool {
				return holdsAll(t, conn, server, p, items)
			})
			if s := server.Stats(); s.MaxOpen != 1 {
				t.Errorf("the upstream saw %+v, want one connection at a time", s)
			}
		})
	}
}

// TestFeedsAreIndependent: of many sources in one process one has bad
// credentials, one an upstream that is away, one an upstream that is silent; the
// others deliver all the same, and each state is told.
func TestFeedsAreIndependent(t *testing.T) {
	t.Parallel()
	const items = 100
	server, at := simulated(t, feeds.Options{Items: items, Tokens: []string{"right"}})
	_, down := simulated(t, feeds.Options{Items: 1, Script: slices.Repeat([]simulate.Fault{{Kind: simulate.FaultStatus, Status: 503}}, 100)})
	nats := bustest.Start(t)
	conn := nats.Conn(t, "a")
	r := start(t, conn, ingest.Config{Sources: []string{
		"mastodon+" + at + "#bad", "sse+" + down + "/events#down", "sse+" + at + "/events?fault=silence#silent",
		"wikimedia+http://127.0.0.1:1/v2/stream/x#nobody", feedURLs(at)[feeds.Wikimedia],
	}, Secret: func(v string) string { return map[string]string{"BLIPSTREAM_SECRET_BAD": "wrong"}[v] }})
	bustest.WaitFor(t, "the good one delivers", func() bool {
		return holdsAll(t, conn, server, feeds.Wikimedia, items)
	})
	for source, state := range map[string]string{"bad": "failed", "down": "backoff", "silent": "live", "nobody": "backoff", "x": "live"} {
		bustest.WaitFor(t, source+" is "+state, func() bool { return r.in(t, source, state) })
	}
	if next := r.value(t, "retry_timestamp_seconds", "down"); next <= float64(time.Now().Unix()) {
		t.Errorf("the next try is told as %v", next)
	}
}
