package derive_test

import (
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/enrich/derive"
)

// kinds are the events that are made of rec.
func kinds(rec *feed.Record) map[feed.Kind]string {
	made := map[feed.Kind]string{}
	for _, d := range derive.All() {
		if e, ok := d.Derive(rec); ok {
			if e.Kind != d.Kind() || e.ID != rec.ID {
				panic("an event that is not its deriver's")
			}
			made[e.Kind] = string(e.Payload)
		}
	}
	return made
}

// post is a record with everything.
func post() *feed.Record {
	magnitude := 4.5
	return &feed.Record{
		ID: "9007199254740993", Source: "demo", Time: time.Date(2026, 11, 3, 9, 15, 42, 123e6, time.UTC),
		Lang: "en", Type: feed.TypePost, Country: "GB", Body: "Tea & toast",
		Author:   feed.Author{ID: "42", Username: "harbour_cat", Name: "Harbour Cat"},
		Position: &feed.Position{Lat: 0, Lon: -0.1278, Precision: feed.PrecisionPoint, Origin: "coordinates"},
		URL:      "https://example.org/harbour_cat/1", City: "London", Media: true,
		Tags: []string{"tea", "toast"}, Mentions: []string{"baker"}, Links: []string{"https://example.org/a?b&c"},
		Sentiment: new(float64), Magnitude: &magnitude,
	}
}

func TestEvents(t *testing.T) {
	made := kinds(post())
	want := map[feed.Kind]string{
		feed.KindSimpleTweet: `{"id":"9007199254740993","source":"demo","time":"2026-11-03T09:15:42.123Z","username":"harbour_cat","name":"Harbour Cat","body":"Tea & toast","userId":"42","lang":"en","type":"post","country":"GB","tags":["tea","toast"],"mentions":["baker"],"links":["https://example.org/a?b&c"],"media":true,"url":"https://example.org/harbour_cat/1","sentiment":0,"city":"London"}`,
		feed.KindGeoBlip:     `{"id":"9007199254740993","source":"demo","time":"2026-11-03T09:15:42.123Z","lat":0,"lon":-0.1278,"precision":"point","origin":"coordinates","userId":"42","lang":"en","type":"post","country":"GB","city":"London","url":"https://example.org/harbour_cat/1","magnitude":4.5}`,
	}
	if len(made) != len(want) {
		t.Errorf("made %v", made)
	}
	for kind, payload := range want {
		if made[kind] != payload {
			t.Errorf("%s:\ngot  %s\nwant %s", kind, made[kind], payload)
		}
	}
}

// An event is published only if the record has the data it needs.
func TestOnlyWithItsData(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*feed.Record)
		want   []feed.Kind
	}{
		"all":                     {func(*feed.Record) {}, []feed.Kind{feed.KindSimpleTweet, feed.KindGeoBlip}},
		"no position":             {func(r *feed.Record) { r.Position = nil }, []feed.Kind{feed.KindSimpleTweet}},
		"no author":               {func(r *feed.Record) { r.Author = feed.Author{} }, []feed.Kind{feed.KindGeoBlip}},
		"a name without a handle": {func(r *feed.Record) { r.Author.Username = "" }, []feed.Kind{feed.KindGeoBlip}},
		"no body":                 {func(r *feed.Record) { r.Body = "" }, []feed.Kind{feed.KindGeoBlip}},
		"a notice":                {func(r *feed.Record) { r.Change = feed.ChangeNotice }, nil},
		"a removal":               {func(r *feed.Record) { r.Change = feed.ChangeRemovePost }, []feed.Kind{feed.KindPostRemoved}},
		"a removal of nothing":    {func(r *feed.Record) { r.Change, r.ID = feed.ChangeRemovePost, "" }, nil},
		"a scrub without its end": {func(r *feed.Record) { r.Change = feed.ChangeRemoveGeo }, nil},
		"a scrub":                 {func(r *feed.Record) { r.Change, r.UpToID = feed.ChangeRemoveGeo, "5" }, []feed.Kind{feed.KindGeoRemoved}},
		"a scrub that no hydrator saw": {func(r *feed.Record) {
			r.Change, r.UpToID = feed.ChangeRemoveGeo, "5"
			r.Upstream.Author, r.Author = r.Author, feed.Author{}
		}, []feed.Kind{feed.KindGeoRemoved}},
	} {
		rec := post()
		c.change(rec)
		made := kinds(rec)
		if len(made) != len(c.want) {
			t.Errorf("%s: made %v, want %v", name, made, c.want)
		}
		for _, k := range c.want {
			if made[k] == "" {
				t.Errorf("%s: no %s", name, k)
			}
		}
	}
}

// A removal without a time of its own was told when it was received.
func TestTimeOfRemovals(t *testing.T) {
	received := time.Date(2026, 11, 3, 9, 0, 0, 5, time.FixedZone("", 3600))
	rec := &feed.Record{Change: feed.ChangeRemovePost, ID: "1", Source: "demo", Received: received}
	if got, want := kinds(rec)[feed.KindPostRemoved], `{"id":"1","source":"demo","time":"2026-11-03T08:00:00.000000005Z"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	rec.Time = received.Add(-time.Hour)
	if got, want := kinds(rec)[feed.KindPostRemoved], `{"id":"1","source":"demo","time":"2026-11-03T07:00:00.000000005Z"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
