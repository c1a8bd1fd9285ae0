package enrich_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/internal/simulate"
	"github.com/blipstream/blipstream/services/enrich"
)

// source is where the items of the tests come from.
const source = "test"

// start runs a replica on a connection of its own until stop is called, at the
// latest when the test ends.
func start(t *testing.T, srv *bustest.Server, change ...func(*enrich.Service)) (stop func()) {
	t.Helper()
	return startWith(t, srv, enrich.DefaultConfig(), change...)
}

func startWith(t *testing.T, srv *bustest.Server, cfg enrich.Config, change ...func(*enrich.Service)) (stop func()) {
	t.Helper()
	return startEnv(t, srv, cfg, service.Nop(), change...)
}

func startEnv(t *testing.T, srv *bustest.Server, cfg enrich.Config, env service.Env, change ...func(*enrich.Service)) (stop func()) {
	t.Helper()
	layout := bustest.Layout()
	conn := srv.Dial(t, bus.Options{Name: "enrich", Layout: &layout})
	svc, err := enrich.New(cfg, conn, env)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range change {
		c(svc)
	}
	return run(t, svc)
}

// counter is the value of a counter with one label.
func counter(t *testing.T, reg *prometheus.Registry, name, label string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && m.GetLabel()[0].GetValue() == label {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

// run runs a replica until stop is called, at the latest when the test ends.
func run(t *testing.T, svc *enrich.Service) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- svc.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// tweet is a small sound tweet with a position.
func tweet(id int) feed.Item {
	return feed.Item{
		ID: strconv.Itoa(id), Source: source, Format: feed.FormatTwitterV1,
		Data: fmt.Appendf(nil, `{"id_str":"%d","text":"number %d","user":{"id_str":"9","screen_name":"ann"},`+
			`"coordinates":{"type":"Point","coordinates":[%d.5,0]}}`, id, id, id%100),
	}
}

// tweets are sound tweets from..to-1.
func tweets(from, to int) []feed.Item {
	items := make([]feed.Item, 0, to-from)
	for id := from; id < to; id++ {
		items = append(items, tweet(id))
	}
	return items
}

// settled waits until the durable has nothing left, neither waiting nor in work.
func settled(t *testing.T, conn *bus.Conn) {
	t.Helper()
	bustest.WaitFor(t, "every item to be settled", func() bool {
		return bustest.Settled(t.Context(), conn, feed.StreamRaw, bus.DurableEnrich)
	})
}

// event is any event, as its payload says it.
type event struct {
	ID, Source, Username, Name, Body, UserID, Lang, Type, Country, City, Precision, Origin, UpToID string
	Time                                                                                           time.Time
	Lat, Lon                                                                                       *float64
	Simulated                                                                                      bool
	RadiusKm                                                                                       float64
}

// events are all that EVENTS holds, by message id; one that is there twice
// fails the test.
func events(t *testing.T, conn *bus.Conn) map[string]event {
	t.Helper()
	all := map[string]event{}
	for _, m := range bustest.ReadAll(t, conn, feed.StreamEvents) {
		id := m.Header.Get("Nats-Msg-Id")
		if _, twice := all[id]; twice {
			t.Errorf("event %s is there twice", id)
		}
		if !strings.HasPrefix(id, string(feed.KindOf(m.Subject))+":"+source+":") {
			t.Errorf("event on %s has the id %q", m.Subject, id)
		}
		var e event
		if err := json.Unmarshal(m.Data, &e); err != nil {
			t.Errorf("event %s: %v", id, err)
		}
		all[id] = e
	}
	return all
}

// wantTweets fails the test unless both events of each tweet from..to-1 are
// among got.
func wantTweets(t *testing.T, got map[string]event, from, to int) {
	t.Helper()
	missing := 0
	for id := from; id < to; id++ {
		for _, k := range []feed.Kind{feed.KindSimpleTweet, feed.KindGeoBlip} {
			if _, ok := got[feed.EventID(k, source, strconv.Itoa(id))]; !ok {
				missing++
			}
		}
	}
	if missing > 0 {
		t.Errorf("%d events of tweets %d to %d are missing", missing, from, to-1)
	}
}

// letters are the dead letters by the sequence in RAW of what they keep, whole.
func letters(t *testing.T, conn *bus.Conn) map[string][]bus.Stored {
	t.Helper()
	all := map[string][]bus.Stored{}
	for _, m := range bustest.ReadAll(t, conn, feed.StreamDead) {
		seq := m.Header.Get(feed.HeaderStreamSeq)
		all[seq] = append(all[seq], m)
	}
	return all
}

// world is a simulated world of the given options.
func world(t *testing.T, o simulate.WorldOptions) *simulate.World {
	t.Helper()
	w, err := simulate.NewWorld(o)
	if err != nil {
		t.Fatal(err)
	}
	return w
}
