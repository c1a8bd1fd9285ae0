package wikimedia

import (
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/sse"
)

func config(t *testing.T, raw string) source.Config {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return source.Config{Name: "wiki", URL: u, Log: slog.New(slog.DiscardHandler)}
}

// profile opens a source for a look at its parts.
func profile(t *testing.T, raw string) *sse.Profile {
	t.Helper()
	src, err := Open(config(t, raw))
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	p, ok := src.(*sse.Profile)
	if !ok {
		t.Fatalf("%s: a %T", raw, src)
	}
	return p
}

func TestEndpoint(t *testing.T) {
	for raw, want := range map[string]string{
		"wikimedia:":                                  "https://stream.wikimedia.org/v2/stream/recentchange",
		"wikimedia:page-create,recentchange":          "https://stream.wikimedia.org/v2/stream/page-create,recentchange",
		"wikimedia:?since=2026-01-01T00:00:00Z#w":     "https://stream.wikimedia.org/v2/stream/recentchange?since=2026-01-01T00%3A00%3A00Z",
		"wikimedia+http://127.0.0.1:9/v2/stream/test": "http://127.0.0.1:9/v2/stream/test",
	} {
		req, err := profile(t, raw).Request(t.Context(), `[{"topic":"a","timestamp":1}]`)
		if err != nil {
			t.Fatal(err)
		}
		if req.URL.String() != want || req.Header.Get("Last-Event-ID") != `[{"topic":"a","timestamp":1}]` {
			t.Errorf("%s: asks %s from %q", raw, req.URL, req.Header.Get("Last-Event-ID"))
		}
	}
	for _, raw := range []string{
		"wikimedia://host/path", "wikimedia:../x", "wikimedia+https:", "wikimedia:?track=x", "wikimedia:?stall=0s", "wikimedia:a b",
	} {
		if _, err := Open(config(t, raw)); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want an error of one line", raw, err)
		}
	}
}

func TestAgent(t *testing.T) {
	req, err := profile(t, "wikimedia:?contact=me@example.org%0d(x)").Request(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := req.Header.Get("User-Agent"), "blipstream (me@example.orgx; "+project+")"; got != want {
		t.Errorf("User-Agent %q, want %q", got, want)
	}
}

func TestItems(t *testing.T) {
	const cursor = `[{"topic":"eqiad.mediawiki.recentchange","partition":0,"timestamp":1756449917002}]`
	for data, want := range map[string]string{
		`{"meta":{"id":"u-1","domain":"en.wikipedia.org"},"wiki":"enwiki"}`: "u-1",
		`{"wiki":"dewiki","meta":{"domain":"de.wikipedia.org","id":"u-2"}}`: "u-2",
		`{"wiki":"frwiki","meta":{"id":"u-3"}}`:                             "",
		`{"meta":{"id":"u-4","domain":"canary"},"wiki":"enwiki"}`:           "",
		`{"meta":{"id":"no id"},"wiki":"enwiki"}`:                           "sha-",
		`{"meta":{"id":"u-5","domain":"en.wikipedia.org"},"wiki":"enwiki`:   "",
	} {
		it, ok := profile(t, "wikimedia:?wiki=enwiki,dewiki").Take(sse.Event{ID: cursor, Data: []byte(data)})
		if ok != (want != "") || !strings.HasPrefix(it.ID, want) {
			t.Errorf("%s: %v, %q", data, ok, it.ID)
		}
		if ok && (it.Cursor != cursor || it.Format != feed.FormatWikimedia || it.Source != "wiki" || string(it.Data) != data) {
			t.Errorf("%s: %+v", data, it)
		}
	}
}

// gaps is an Observer that counts gaps.
type gaps struct {
	source.Observer
	told []source.Gap
}

func (g *gaps) Gap(gap source.Gap) { g.told = append(g.told, gap) }

// TestUpstreamThatHasForgotten: who was away for longer than the upstream keeps
// events is told, once; who was not, or is given what comes next, is not.
func TestUpstreamThatHasForgotten(t *testing.T) {
	const day = 24 * time.Hour
	at := func(ago time.Duration) string {
		return fmt.Sprintf(`[{"topic":"a","partition":0,"timestamp":%d},{"topic":"b","partition":0,"offset":-1}]`, time.Now().Add(-ago).UnixMilli())
	}
	for name, c := range map[string]struct {
		from, first string
		want        int
	}{
		"forgotten": {at(9 * day), at(7 * day), 1}, "next": {at(9 * day), at(9*day - time.Minute), 0}, "a short stop": {at(day), at(day / 2), 0},
		"no cursor": {"", at(7 * day), 0}, "no ids": {at(9 * day), "", 0}, "another form": {"7", "8", 0},
	} {
		var g gaps
		cfg := config(t, "wikimedia:")
		cfg.Observer = &g
		src, err := Open(cfg)
		if err != nil {
			t.Fatal(err)
		}
		p, ok := src.(*sse.Profile)
		if !ok {
			t.Fatalf("a %T", src)
		}
		if _, err := p.Request(t.Context(), feed.Cursor(c.from)); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			p.Take(sse.Event{ID: c.first, Data: []byte(`{"meta":{"id":"u"}}`)})
		}
		if len(g.told) != c.want {
			t.Errorf("%s: gaps %v, want %d", name, g.told, c.want)
		}
	}
}
