package sourcetest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/simulate"
	"github.com/blipstream/blipstream/internal/simulate/feeds"
	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/emsc"
	"github.com/blipstream/blipstream/services/ingest/source/mastodon"
	"github.com/blipstream/blipstream/services/ingest/source/peek"
	"github.com/blipstream/blipstream/services/ingest/source/sse"
	"github.com/blipstream/blipstream/services/ingest/source/usgs"
	"github.com/blipstream/blipstream/services/ingest/source/wikimedia"
	"github.com/blipstream/blipstream/services/ingest/sourcetest"
)

// profile is a source that has a simulated upstream.
type profile struct {
	protocol     feeds.Protocol
	open         source.Opener
	prefix, path string
	stall        string // how long silence is borne; empty for the default
	sparse       bool
	// polls says that there are no connections that last.
	polls bool
}

func profiles() []profile {
	return []profile{
		{protocol: feeds.Wikimedia, open: wikimedia.Open, prefix: "wikimedia+", path: "/v2/stream/recentchange"},
		{protocol: feeds.Events, open: sse.Open, prefix: "sse+", path: "/events?id=/id"},
		{protocol: feeds.Mastodon, open: mastodon.Open, prefix: "mastodon+", path: ""},
		{protocol: feeds.EMSC, open: emsc.Open, prefix: "emsc+", path: "/standing_order/websocket"},
		{
			protocol: feeds.USGS, open: usgs.Open, prefix: "usgs+", sparse: true, polls: true,
			path: "/earthquakes/feed/v1.0/summary/all_day.geojson?interval=10ms",
		},
	}
}

// same reports whether two messages are one: EMSC's event service tells the
// feature of a message without the message.
func same(got, want []byte) bool {
	return bytes.Equal(got, want) || bytes.Equal(got, peek.Field(want, "data"))
}

// sharedWorld is one world for all servers: to load its map takes long.
var sharedWorld = sync.OnceValues(func() (*simulate.World, error) { return simulate.NewWorld(simulate.DefaultWorld(3)) })

// serve starts a simulated upstream.
func serve(t *testing.T, o feeds.Options) (*feeds.Server, string) {
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
	return server, served(t, server)
}

// served serves an upstream until the test ends, and returns its address.
func served(t *testing.T, server interface {
	http.Handler
	Close()
},
) string {
	t.Helper()
	srv := httptest.NewServer(server)
	t.Cleanup(func() {
		server.Close()
		srv.Close()
	})
	return srv.URL
}

// source opens the source for an upstream.
func (p profile) source(t *testing.T, server, secret string, obs source.Observer) source.Source {
	t.Helper()
	if p.protocol == feeds.EMSC {
		server = "ws" + strings.TrimPrefix(server, "http")
	}
	path := p.path + "&stall=" + p.stall
	if p.stall == "" {
		path = p.path
	}
	if !strings.Contains(path, "?") {
		path = strings.Replace(path, "&", "?", 1)
	}
	u, err := url.Parse(p.prefix + server + path)
	if err != nil {
		t.Fatal(err)
	}
	src, err := p.open(source.Config{Name: "x", URL: u, Secret: secret, Log: slog.New(slog.DiscardHandler), Observer: obs})
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func TestConformance(t *testing.T) { // not beside others: it counts goroutines
	const items = 30
	for _, p := range profiles() {
		t.Run(string(p.protocol), func(t *testing.T) {
			sourcetest.Run(t, func(t *testing.T) sourcetest.Upstream {
				t.Helper()
				server, at := serve(t, feeds.Options{Seed: 3, Items: items, KeepAlive: 100 * time.Millisecond})
				up := sourcetest.Upstream{
					Name: "x", Resumes: true, Sparse: p.sparse, Same: same,
					Open: func(t *testing.T) source.Source { t.Helper(); return p.source(t, at, "", nil) },
				}
				for n := range uint64(items) {
					up.Want = append(up.Want, server.Raw(p.protocol, n))
				}
				return up
			})
		})
	}
}

// follower reads a source over as many connections as it takes, as the
// supervisor does but for the waits.
type follower struct {
	t     *testing.T
	src   source.Source
	at    feed.Cursor
	items []feed.Item
	ends  []*source.Error
	// gone waits until the upstream has no connection any more; nil does not.
	gone func()
}

var errAll = errors.New("all items came")

// until reads until done says so.
func (f *follower) until(done func() bool) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 20*time.Second)
	defer cancel()
	for len(f.ends) < 100 {
		err := f.src.Stream(ctx, f.at, func(it feed.Item) error {
			f.items = append(f.items, it)
			if it.Cursor != "" {
				f.at = it.Cursor
			}
			if done() {
				return errAll
			}
			return nil
		})
		told := (*source.Error)(nil)
		switch {
		case errors.Is(err, errAll):
			return
		case errors.As(err, &told) && told.Cause != source.CauseFatal:
			if f.ends = append(f.ends, told); f.gone != nil {
				f.gone()
			}
			if done() {
				return
			}
		default:
			f.t.Fatalf("Stream = %v after %d items", err, len(f.items))
		}
	}
	f.t.Fatalf("%d connections: %v", len(f.ends), f.ends[0])
}

// seen checks the items that are the upstream's, and returns which came.
func seen(t *testing.T, of map[string]uint64, got []feed.Item) map[uint64]string {
	t.Helper()
	ids := map[uint64]string{}
	next := uint64(0)
	for _, it := range got {
		n, ok := of[string(it.Data)]
		if !ok {
			continue // what a fault slipped in
		}
		if id, again := ids[n]; again && id != it.ID {
			t.Fatalf("item %d is named %s, then %s", n, id, it.ID)
		} else if !again && n != next {
			t.Fatalf("item %d came before item %d", n, next)
		} else if !again {
			next++
		}
		ids[n] = it.ID
	}
	return ids
}

// TestRemovals: deletions and corrections are items of their own.
func TestRemovals(t *testing.T) {
	t.Parallel()
	const items = 32
	for _, p := range profiles() {
		if p.protocol != feeds.Mastodon && p.protocol != feeds.EMSC {
			continue
		}
		server, at := serve(t, feeds.Options{Items: items, Removals: true})
		f := &follower{t: t, src: p.source(t, at, "", nil)}
		f.until(func() bool { return len(f.items) == items })
		ids, identities := map[string]bool{}, 0
		for n, it := range f.items {
			if want := server.Raw(p.protocol, uint64(n)); !bytes.Equal(it.Data, want) {
				t.Errorf("%s: item %d is %s, want %s", p.protocol, n, it.Data, want)
			}
			ids[it.ID] = true
			if it.Identity != "" {
				identities++
			}
		}
		if len(ids) != items || identities == 0 {
			t.Errorf("%s: %d names of %d items, %d identities", p.protocol, len(ids), items, identities)
		}
	}
}

// TestCredentials: a Mastodon server's token is asked for, and sent.
func TestCredentials(t *testing.T) {
	t.Parallel()
	p := profiles()[2]
	_, at := serve(t, feeds.Options{Items: 3, Tokens: []string{"right"}})
	for secret, want := range map[string]bool{"right": true, "bearer:right": true, "wrong": false, "": false} {
		n := 0
		err := p.source(t, at, secret, nil).Stream(t.Context(), "", func(feed.Item) error {
			if n++; n == 3 {
				return errAll
			}
			return nil
		})
		told := (*source.Error)(nil)
		refused := errors.As(err, &told) && told.Cause == source.CauseFatal && strings.Contains(told.Error(), "401")
		if want != errors.Is(err, errAll) || want == refused {
			t.Errorf("secret %q: %v after %d items", secret, err, n)
		}
	}
}

// gaps is an Observer that counts gaps.
type gaps struct{ told []source.Gap }

func (*gaps) Connected()                   {}
func (*gaps) Missed(uint64)                {}
func (*gaps) Reject(source.Rejected) error { return nil }
func (g *gaps) Gap(gap source.Gap)         { g.told = append(g.told, gap) }

// TestBackfillIsBounded: what is more than is fetched is told as a gap.
func TestBackfillIsBounded(t *testing.T) {
	t.Parallel()
	for _, p := range profiles() {
		if p.protocol != feeds.Mastodon && p.protocol != feeds.EMSC {
			continue
		}
		_, at := serve(t, feeds.Options{Items: 200})
		var first feed.Item
		f := &follower{t: t, src: p.source(t, at, "", nil)}
		f.until(func() bool { return len(f.items) == 1 })
		first = f.items[0]
		var g gaps
		p.path += "&backfill=50"
		again := &follower{t: t, src: p.source(t, at, "", &g), at: first.Cursor}
		again.until(func() bool { return len(again.items) == 100 })
		if len(g.told) != 1 {
			t.Errorf("%s: gaps %v", p.protocol, g.told)
		}
	}
}

// TestManyItems: no item is lost at full speed.
func TestManyItems(t *testing.T) {
	t.Parallel()
	const items = 2000
	for _, p := range profiles() {
		if p.polls {
			continue
		}
		_, at := serve(t, feeds.Options{Items: items, Seed: 9})
		f := &follower{t: t, src: p.source(t, at, "", nil)}
		f.until(func() bool { return len(f.items) == items })
		names := map[string]bool{}
		for _, it := range f.items {
			names[it.ID] = true
		}
		if len(names) != items {
			t.Errorf("%s: %s", p.protocol, fmt.Sprintf("%d names of %d items", len(names), items))
		}
	}
}
