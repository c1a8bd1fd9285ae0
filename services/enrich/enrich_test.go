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
// enrich, says must come of it; and besides, of posts that tell no position,
// blips of cities: the one that the author's profile names, or else the text.
func TestWorld(t *testing.T) {
	w := world(t, simulate.WorldOptions{Seed: 7, Geo: 0.75, Limits: true, Duplicates: 0.03, Disorder: 0.1})
	for _, c := range []struct {
		way, origin string
		city        func(position uint64) (name, country string)
	}{
		{"profile", "profile", w.Home},
		{"mention", "text", w.Named},
	} {
		t.Run(c.way, func(t *testing.T) {
			cfg := enrich.DefaultConfig()
			cfg.Positions = []string{"point", "place", c.way}
			got := worldOf(t, w, cfg)
			known := cities{way: c.way, origin: c.origin}
			for n := range uint64(worldItems) {
				name, country := c.city(n)
				known.take(t, w.Want(n), got, name, country)
			}
			for id := range got {
				t.Errorf("%s came of nothing", id)
			}
			t.Logf("%d cities are right, %d wrong, %d not found", known.right, known.wrong, known.missed)
			if known.right < 150 || known.wrong*33 > known.right || known.missed > known.right {
				t.Errorf("%d cities are right, %d wrong, %d not found", known.right, known.wrong, known.missed)
			}
		})
	}
}

// worldItems is how many items of a world are read.
const worldItems = 3000

// worldOf runs the first items of a world through a replica. It checks what
// must come of them and returns what came besides.
func worldOf(t *testing.T, w *simulate.World, cfg enrich.Config) map[string]event {
	t.Helper()
	srv := bustest.Start(t)
	conn := srv.Conn(t, "test")
	raw := make([]feed.Item, worldItems)
	want := map[string]simulate.Want{}
	for n := range uint64(worldItems) {
		// An id per position: duplicates get through to enrich.
		raw[n] = feed.Item{ID: strconv.FormatUint(n, 10), Source: source, Format: feed.FormatTwitterV1, Data: w.Append(nil, n)}
		for _, e := range w.Want(n) {
			want[feed.EventID(e.Kind, source, e.ID)] = e
		}
	}
	bustest.PublishRaw(t, conn, raw...)
	startWith(t, srv, cfg)
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
	if dead := letters(t, conn); len(dead) > 0 {
		t.Errorf("%d sound items are dead letters", len(dead))
	}
	return got
}

// cities counts the blips of cities.
type cities struct {
	way, origin          string
	right, wrong, missed int
}

// take takes the blip of an item that tells no position itself out of got, if
// there is one. The city should be that of the given name and country.
func (c *cities) take(t *testing.T, want []simulate.Want, got map[string]event, name, country string) {
	t.Helper()
	if len(want) != 1 || want[0].Kind != feed.KindSimpleTweet {
		return
	}
	id := feed.EventID(feed.KindGeoBlip, source, want[0].ID)
	g, ok := got[id]
	if !ok {
		if name != "" {
			c.missed++
		}
		return
	}
	delete(got, id)
	if g.Precision != c.way || g.Origin != c.origin || g.UserID != want[0].UserID || !g.Time.Equal(want[0].Time) || !g.Simulated || g.RadiusKm == 0 {
		t.Errorf("%s: %+v", id, g)
	}
	if g.City == name && g.Country == country {
		c.right++
		return
	}
	c.wrong++
	t.Logf("took %s, %s, for %s, %s, of %q", g.City, g.Country, name, country, want[0].Body)
}

// compare fails the test unless an event says what it must.
func compare(t *testing.T, id string, w simulate.Want, g event) {
	t.Helper()
	same := g.ID == w.ID && g.Source == source && g.Time.Equal(w.Time) && g.UserID == w.UserID &&
		g.Username == w.Username && g.Name == w.Name && g.Body == w.Body && g.Lang == w.Lang &&
		g.Type == string(w.Type) && g.Precision == string(w.Precision) && g.Origin == w.Origin && g.UpToID == w.UpToID &&
		(g.Country == w.Country || w.Country == "") // of a point alone it is that of the nearest town
	post := w.Kind == feed.KindSimpleTweet || w.Kind == feed.KindGeoBlip
	same = same && g.Simulated == post // removals do not say it
	if w.Kind == feed.KindGeoBlip {
		same = same && g.Lat != nil && g.Lon != nil && within(w, g)
	} else {
		same = same && g.Lat == nil && g.Lon == nil
	}
	if !same {
		t.Errorf("%s:\ngot  %+v\nwant %+v", id, g, w)
	}
}

// within reports whether a blip is where it must be: a point exactly, a place
// within half its radius, which then is larger by the way from the centre.
func within(w simulate.Want, g event) bool {
	const rad = math.Pi / 180
	east := math.Remainder(*g.Lon-w.Lon, 360) * math.Cos((*g.Lat+w.Lat)/2*rad)
	away := math.Hypot(*g.Lat-w.Lat, east) * 6371.0088 * rad
	if w.Precision == feed.PrecisionPoint {
		return away < 1e-4 && g.RadiusKm == 0
	}
	return away <= w.RadiusKm*0.501 && math.Abs(g.RadiusKm-w.RadiusKm-away) < 0.01*w.RadiusKm+0.002
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
