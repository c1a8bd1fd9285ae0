package enrich_test

import (
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/conf"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/internal/simulate"
	"github.com/blipstream/blipstream/services/enrich"
)

// What comes of a world is exactly what its oracle, which shares no code with
// enrich, says must come of it.
func TestWorld(t *testing.T) {
	const items = 3000
	w := world(t, simulate.WorldOptions{Seed: 7, Geo: 0.75, Limits: true, Duplicates: 0.03, Disorder: 0.1})
	srv := bustest.Start(t)
	conn := srv.Conn(t, "test")
	raw := make([]feed.Item, items)
	want := map[string]simulate.Want{}
	for n := range uint64(items) {
		// An id per position: duplicates get through to enrich.
		raw[n] = feed.Item{ID: strconv.FormatUint(n, 10), Source: source, Format: feed.FormatTwitterV1, Data: w.Append(nil, n)}
		for _, e := range w.Want(n) {
			want[feed.EventID(e.Kind, source, e.ID)] = e
		}
	}
	bustest.PublishRaw(t, conn, raw...)
	start(t, srv)
	settled(t, conn)
	got := events(t, conn)
	for id, e := range want {
		g, ok := got[id]
		if !ok {
			t.Errorf("%s is missing", id)
			continue
		}
		compare(t, id, e, g)
		delete(got, id)
	}
	for id := range got {
		t.Errorf("%s came of nothing", id)
	}
	if dead := letters(t, conn); len(dead) > 0 {
		t.Errorf("%d sound items are dead letters", len(dead))
	}
}

// compare fails the test unless an event says what it must.
func compare(t *testing.T, id string, w simulate.Want, g event) {
	t.Helper()
	same := g.ID == w.ID && g.Source == source && g.Time.Equal(w.Time) && g.UserID == w.UserID &&
		g.Username == w.Username && g.Name == w.Name && g.Body == w.Body && g.Lang == w.Lang &&
		g.Type == string(w.Type) && g.Country == w.Country && g.Precision == string(w.Precision) &&
		g.Origin == w.Origin && g.UpToID == w.UpToID
	post := w.Kind == feed.KindSimpleTweet || w.Kind == feed.KindGeoBlip
	same = same && g.Simulated == post // removals do not say it
	if w.Kind == feed.KindGeoBlip {
		same = same && g.Lat != nil && g.Lon != nil && math.Abs(*g.Lat-w.Lat) < 1e-9 &&
			math.Abs(*g.Lon-w.Lon) < 1e-9 && math.Abs(g.RadiusKm-w.RadiusKm) < 0.001
	} else {
		same = same && g.Lat == nil && g.Lon == nil
	}
	if !same {
		t.Errorf("%s:\ngot  %+v\nwant %+v", id, g, w)
	}
}

// Messages without headers, as the nats CLI publishes them.
func TestPublishedByHand(t *testing.T) {
	srv := bustest.Start(t)
	conn := srv.Conn(t, "test")
	raw := func(id, text string) bus.Msg {
		return bus.Msg{Subject: feed.RawSubject(source), ID: id, Data: []byte(text)}
	}
	bustest.Publish(t, conn, feed.StreamRaw,
		raw("", `{"id_str":"1","text":"with an id","user":{"screen_name":"ann"}}`),
		raw("test:mine", `{"text":"with a message id","user":{"screen_name":"ann"}}`),
		raw("", `{"text":"with nothing","user":{"screen_name":"ann"}}`),
		raw("", `{"delete":{"status":{"id_str":"1","user_id_str":"2"}}}`))
	start(t, srv)
	settled(t, conn)
	byBody := map[string]event{}
	for id, e := range events(t, conn) {
		if !strings.HasSuffix(id, ":"+e.ID) || e.Source != source {
			t.Errorf("event %s: %+v", id, e)
		}
		byBody[e.Body] = e
	}
	if byBody["with an id"].ID != "1" || byBody["with a message id"].ID != "mine" ||
		!strings.HasPrefix(byBody["with nothing"].ID, "seq-3-") || byBody[""].ID != "1" || byBody[""].Time.IsZero() {
		t.Errorf("events %+v", byBody)
	}
}

func TestHeaders(t *testing.T) {
	srv := bustest.Start(t)
	conn := srv.Conn(t, "test")
	const trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	it := tweet(5)
	bustest.PublishRaw(t, conn, tweet(4))
	bustest.Publish(t, conn, feed.StreamRaw, bus.Msg{
		Subject: feed.RawSubject(source), ID: "test:second-5", Data: it.Data,
		Header: bus.Header{
			feed.HeaderTraceparent: {trace}, feed.HeaderIdentity: {"second-5"}, feed.HeaderFormat: {string(it.Format)},
		},
	})
	start(t, srv)
	settled(t, conn)
	seen := map[string]bool{}
	for _, m := range bustest.ReadAll(t, conn, feed.StreamEvents) {
		id := m.Header.Get("Nats-Msg-Id")
		seen[id] = true
		if strings.HasSuffix(id, ":4") {
			if m.Header.Get(feed.HeaderRawSeq) != "1" || m.Header.Get(feed.HeaderTraceparent) != "" {
				t.Errorf("%s: headers %v", id, m.Header)
			}
			continue
		}
		if m.Header.Get(feed.HeaderRawSeq) != "2" || m.Header.Get(feed.HeaderTraceparent) != trace {
			t.Errorf("%s: headers %v", id, m.Header)
		}
		if !strings.Contains(string(m.Data), `"id":"5"`) {
			t.Errorf("%s: the identity changed the payload: %s", id, m.Data)
		}
	}
	for _, id := range []string{"simple_tweet:test:4", "geo_blip:test:4", "simple_tweet:test:second-5", "geo_blip:test:second-5"} {
		if !seen[id] {
			t.Errorf("no event %s among %v", id, seen)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	conn := bustest.New(t).Dial(t, bus.Options{Name: "test"})
	for want, change := range map[string]func(*enrich.Config){
		`"mood"`:           func(c *enrich.Config) { c.Hydrators = []string{"mood"} },
		"max-place-radius": func(c *enrich.Config) { c.MaxPlaceRadius = -1 },
		"prefetch":         func(c *enrich.Config) { c.Prefetch = 0 },
	} {
		cfg := enrich.DefaultConfig()
		change(&cfg)
		if _, err := enrich.New(cfg, conn, service.Nop()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one about %s", err, want)
		}
	}
}

// Flags and DefaultConfig say the same.
func TestDefaults(t *testing.T) {
	var cfg enrich.Config
	if _, err := (conf.Program{Name: "enrich"}).Parse(&cfg, nil); err != nil {
		t.Fatal(err)
	}
	if want := enrich.DefaultConfig(); !reflect.DeepEqual(cfg, want) {
		t.Errorf("flags give %+v, DefaultConfig %+v", cfg, want)
	}
}

func TestReadyOnlyWhileRunning(t *testing.T) {
	srv := bustest.Start(t)
	env := service.Nop()
	svc, err := enrich.New(enrich.DefaultConfig(), srv.Conn(t, "test"), env)
	if err != nil {
		t.Fatal(err)
	}
	if len(env.Health.Failing()) != 1 {
		t.Errorf("ready before it runs: %v", env.Health.Failing())
	}
	stop := run(t, svc)
	bustest.WaitFor(t, "readiness", func() bool { return len(env.Health.Failing()) == 0 })
	stop()
	if len(env.Health.Failing()) != 1 {
		t.Error("ready after it has stopped")
	}
}
