package gateway

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/gateway/ssetest"
)

// put stores events, given as kind and payload in turn.
func (w *world) put(kindsAndPayloads ...string) {
	w.t.Helper()
	var msgs []bus.Msg
	for i := 0; i < len(kindsAndPayloads); i += 2 {
		msgs = append(msgs, bus.Msg{
			Subject: feed.EventSubject(feed.Kind(kindsAndPayloads[i])), ID: fmt.Sprint("put", w.serial.Add(1)),
			Data: []byte(kindsAndPayloads[i+1]),
		})
	}
	bustest.Publish(w.t, w.conn, feed.StreamEvents, msgs...)
}

// sequences reads n events that are not the gateway's own, and returns their
// sequences.
func (w *world) sequences(s *ssetest.Stream, n int) (got []uint64) {
	w.t.Helper()
	for len(got) < n {
		if e := w.next(s); e.Name != "hello" && e.Name != "hb" {
			got = append(got, w.seq(e.ID))
		}
	}
	return got
}

// mixture is events 1 to 8, two of them removals.
func (w *world) mixture() {
	w.t.Helper()
	w.put(
		"simple_tweet", `{"id":"1","source":"a","lang":"en","country":"FJ","body":"rain in Suva"}`,
		"geo_blip", `{"id":"1","source":"a","lang":"en","country":"FJ","lat":-18.1,"lon":178.4}`,
		"simple_tweet", `{"id":"2","source":"b","lang":"pt-BR","country":"BR","body":"chuva"}`,
		"geo_blip", `{"id":"2","source":"b","lang":"pt-BR","country":"BR","lat":-23.5,"lon":-46.6}`,
		"post_removed", `{"id":"99","source":"c"}`,
		"geo_blip", `{"id":"3","source":"a","lang":"en","lat":-17,"lon":-179.9}`,
		"geo_removed", `{"id":"8-9","source":"c","userId":"8","upToId":"9"}`,
		"my_rule", `{"id":"4","source":"b","lang":"en"}`,
	)
	w.settle()
}

// TestFilters: the same filter gives the same events live, from memory and from
// the stream, as they are and compressed, and lets every removal through.
func TestFilters(t *testing.T) {
	queries := map[string]string{
		"source=a":                      "[1 2 5 6 7]",
		"source=b&lang=en":              "[5 7 8]",
		"lang=pt":                       "[3 4 5 7]",
		"country=fj,br":                 "[1 2 3 4 5 7]",
		"q=rain":                        "[1 2 5 7]",
		"bbox=170,-20,-170,-10":         "[2 5 6 7]",
		"bbox=-180,-90,-170,0":          "[5 6 7]",
		"source=a&kind=geo_blip":        "[2 6]",
		"kind=post_removed&source=none": "[5]",
	}
	w := newWorld(t, nil)
	check := func(how, query string, s *ssetest.Stream) {
		t.Helper()
		want := queries[query]
		if got := fmt.Sprint(w.sequences(s, len(strings.Fields(want)))); got != want {
			t.Errorf("%s, %s: got %s, want %s", query, how, got, want)
		}
	}
	open := map[[2]string]*ssetest.Stream{}
	for query := range queries {
		for _, encoding := range []string{"identity", ""} {
			s := w.openAs("/events?"+query, "", encoding)
			w.next(s)
			open[[2]string{query, encoding}] = s
		}
	}
	w.mixture()
	for query := range queries {
		check("live", query, open[[2]string{query, "identity"}])
		check("live, compressed", query, open[[2]string{query, ""}])
		check("from memory", query, w.openAs("/events?"+query, w.id(0), "identity"))
		check("from memory, compressed", query, w.openAs("/events?"+query, w.id(0), ""))
	}
	w.stop()
	w.cfg.Warm = 0
	w.start()
	for query := range queries {
		check("from the stream", query, w.openAs("/events?"+query, w.id(0), "identity"))
	}
}

// TestFiltersAreShared: clients that ask for the same in other words share one
// view, and it goes some time after the last of them.
func TestFiltersAreShared(t *testing.T) {
	w := newWorld(t, nil)
	streams := []*ssetest.Stream{
		w.openAs("/events?source=b,a&lang=EN", "", "identity"), w.openAs("/events?lang=en&source=a&source=b", "", "identity"),
		w.openAs("/events?kind=geo_blip&lang=en&source=a,b", "", "identity"),
	}
	for _, s := range streams {
		w.next(s)
	}
	if n := len(w.gateway.hub.views); n != 1 {
		t.Fatalf("%d views", n)
	}
	for _, s := range streams {
		s.Close()
	}
	w.put("simple_tweet", `{"id":"1","source":"a","lang":"en"}`, "geo_blip", `{"id":"1","source":"a","lang":"en"}`)
	w.settle()
	h := w.gateway.hub
	bustest.WaitFor(t, "the clients are gone", func() bool {
		w.put("geo_blip", `{"id":"2","source":"a","lang":"en"}`)
		return w.gateway.limits.count() == 0
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.dropIdle(time.Hour); len(h.views) != 1 {
		t.Error("a view is dropped at once")
	}
	if h.dropIdle(time.Nanosecond); len(h.views) != 0 {
		t.Error("a view stays for ever")
	}
}

func TestFiltersAreBounded(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.MaxViews = 2 })
	one := w.openAs("/events?source=a", "", "identity")
	two := w.openAs("/events?source=b", "", "identity")
	w.next(one)
	w.next(two)
	got := httpGet(w.gateway, "/events?source=c")
	if got.Code != http.StatusServiceUnavailable || got.Header().Get("Retry-After") == "" || w.gateway.limits.count() != 2 {
		t.Errorf("a third filter: %d, %d clients", got.Code, w.gateway.limits.count())
	}
	w.next(w.openAs("/events?source=a", "", "identity"))
	w.next(w.openAs("/events", "", "identity"))
	w.gateway.hub.mu.Lock() // as if the clients of the first had left
	for _, v := range w.gateway.hub.views {
		if strings.Contains(v.key, "source=a") {
			v.refs = 0
		}
	}
	w.gateway.hub.mu.Unlock()
	w.next(w.openAs("/events?source=c", "", "identity"))
}

// TestCompressedFiltersCountTwice: a filter that is read compressed has room
// for two views or is refused, and its own other form does not give way to it.
func TestCompressedFiltersCountTwice(t *testing.T) {
	cfg := testConfig()
	cfg.MaxViews, cfg.MaxViewsPerAddr = 3, 3
	g := atRest(t, cfg)
	addr := netip.MustParseAddr("192.0.2.1")
	acquire := func(rate int, packed, want bool) *view {
		t.Helper()
		v, problem := g.hub.acquire(selection{rate: rate}, packed, addr)
		if (problem == nil) != want || len(g.hub.views) > cfg.MaxViews || g.hub.made[addr] != len(g.hub.views) {
			t.Fatalf("rate %d: %v, %d views", rate, problem, len(g.hub.views))
		}
		return v
	}
	one, two := acquire(1, false, true), acquire(2, false, true)
	acquire(3, true, false)
	acquire(1, true, true) // of what is there already
	acquire(2, true, false)
	g.hub.release(two)
	g.hub.release(one)
	acquire(2, true, false) // one is still read by its compressed form
	three := acquire(3, false, true)
	g.hub.release(three)
	acquire(1, true, true)
}

// TestOneAddressCannotTakeAllFilters: who opens one filter after the other is
// told to stop, and others, and all who ask for everything, are served.
func TestOneAddressCannotTakeAllFilters(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.MaxViews, c.MaxViewsPerAddr, c.TrustForwarded = 4, 2, true })
	open := func(addr, query string) {
		t.Helper()
		w.next(w.openWith("/events"+query, http.Header{"X-Forwarded-For": {addr}, "Accept-Encoding": {"identity"}}))
	}
	for _, addr := range []string{"192.0.2.1", "nonsense"} {
		open(addr, "?q=one-of-"+addr)
		open(addr, "?q=two-of-"+addr)
		if got := w.getFrom(addr, "/events?q=three"); got.Code != http.StatusTooManyRequests || got.Header().Get("Retry-After") == "" {
			t.Errorf("a third filter of %s: %d", addr, got.Code)
		}
	}
	if got := w.getFrom("192.0.2.3", "/events?q=three"); got.Code != http.StatusServiceUnavailable {
		t.Errorf("a filter more than there may be: %d", got.Code)
	}
	open("192.0.2.3", "?q=one-of-192.0.2.1")
	for _, path := range []string{"/events", "/live"} {
		for _, encoding := range []string{"identity", "gzip"} {
			s := w.openWith(path, http.Header{"X-Forwarded-For": {"192.0.2.1"}, "Accept-Encoding": {encoding}})
			s.Close()
		}
	}
}

// getFrom asks for what is to be refused, from an address.
func (w *world) getFrom(addr, path string) *httptest.ResponseRecorder {
	rec, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("X-Forwarded-For", addr)
	w.gateway.server.Handler.ServeHTTP(rec, r)
	return rec
}

func TestBadParametersAreRefused(t *testing.T) {
	w := newWorld(t, nil)
	for _, path := range []string{"/events", "/live", "/api/snapshot"} {
		for query, name := range map[string]string{"bbox=1": "bbox", "rate=x": "rate", "lang=!": "lang", "nope=1": "nope", "speed=3": "speed"} {
			got := httpGet(w.gateway, path+"?"+query)
			if got.Code != http.StatusBadRequest || !strings.Contains(got.Body.String(), `"parameter":"`+name+`"`) {
				t.Errorf("%s?%s: %d %s", path, query, got.Code, got.Body)
			}
		}
	}
}

// TestHeartbeatFollowsAFilter: the id of a heartbeat is how far the stream has
// come, though the filter let nothing through.
func TestHeartbeatFollowsAFilter(t *testing.T) {
	for _, encoding := range []string{"identity", ""} {
		w := newWorld(t, func(c *Config) { c.Heartbeat = 50 * time.Millisecond })
		s := w.openAs("/events?source=none", "", encoding)
		w.next(s)
		w.publish(10, 10)
		for w.seq(w.next(s).ID) != 20 {
		}
	}
}

// TestRate: no more than the rate passes, posts stay with their positions, and
// what is left out is told exactly.
func TestRate(t *testing.T) {
	w := newWorld(t, nil)
	s := w.openAs("/events?rate=20", "", "identity")
	w.next(s)
	w.publish(300, 10)
	w.put("post_removed", `{"id":"x","source":"test"}`)
	passed, removed, left := 0, 0, uint64(0)
	for left == 0 || removed == 0 {
		switch e := w.next(s); e.Name {
		case "thinned":
			var told struct {
				Count uint64 `json:",string"`
			}
			decode(t, e.Data, &told)
			left += told.Count
		case "post_removed":
			removed++
		case "hb":
		default:
			passed++
		}
	}
	if uint64(passed)+left != 600 || passed > 40 || passed == 0 {
		t.Errorf("%d passed, %d left out, of 600", passed, left)
	}
	again := w.openAs("/events?rate=20", w.id(0), "")
	passed, left = 0, 0
	for left == 0 {
		switch e := w.next(again); e.Name {
		case "thinned":
			var told struct {
				Count uint64 `json:",string"`
			}
			decode(t, e.Data, &told)
			left = told.Count
		case "simple_tweet", "geo_blip":
			passed++
		}
	}
	if uint64(passed)+left != 600 || passed > 20*historySeconds {
		t.Errorf("of the history %d passed, %d left out", passed, left)
	}
}

func TestThinningIsFair(t *testing.T) {
	const posts, sources = 20000, 4
	r := newRemovals(1)
	th := newThinner(100, r.seed)
	passed := map[string]int{}
	pairs := 0
	for i := range posts { // 2,000 posts a second and as many positions
		if i%200 == 0 {
			th.tick()
		}
		kept := 0
		for _, kind := range []string{"simple_tweet", "geo_blip"} {
			source := strconv.Itoa(i % sources)
			e := event(uint64(2*i), kind, fmt.Sprintf(`{"id":"%d","source":"%s"}`, i, source))
			if th.pass(e) {
				passed[source]++
				kept++
			}
		}
		if kept == 2 {
			pairs++
		}
	}
	total := 0
	for source, n := range passed {
		total += n
		if n < 100 || n > 450 {
			t.Errorf("source %s got %d: %v", source, n, passed)
		}
	}
	if total < 700 || total > 1100 || pairs < total*2/5 {
		t.Errorf("%d passed in ten seconds, %d pairs", total, pairs)
	}
}

// TestTextThatIsNoUTF8: an event of any publisher's making does not cost all
// readers the statistics.
func TestTextThatIsNoUTF8(t *testing.T) {
	w := newWorld(t, nil)
	w.forge(t, bytes.ReplaceAll([]byte(`{"id":"1?","source":"a?","lang":"e?","country":"F?","username":"u?","body":"#t? ?"}`), []byte("?"), []byte{0xff}))
	w.settle()
	for _, path := range []string{"/api/stats", "/api/snapshot"} {
		if got := httpGet(w.gateway, path); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), "\"e\ufffd\":") {
			t.Errorf("%s: %d %s", path, got.Code, got.Body)
		}
	}
}
