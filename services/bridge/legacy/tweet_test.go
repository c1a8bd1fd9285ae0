package legacy_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/decode"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/bridge/legacy"
)

// seen is what the old readers take from a tweet.
type seen struct {
	IDStr string `json:"id_str"`
	Text  string `json:"text"`
	User  struct {
		ScreenName string `json:"screen_name"`
		Name       string `json:"name"`
	} `json:"user"`
	Geo, Coordinates *struct {
		Type        string
		Coordinates [2]float64
	}
	Place *struct {
		Box struct{ Coordinates [][][2]float64 } `json:"bounding_box"`
	}
}

func tweetOf(t *testing.T, rec feed.Record) seen {
	t.Helper()
	out, err := legacy.Tweet(rec)
	if err != nil {
		t.Fatal(err)
	}
	if same, err := legacy.Safe(out); err != nil || string(same) != string(out) {
		t.Fatalf("not safe as it is: %v: %s", err, out)
	}
	if err := oldEnrich(out); err != nil {
		t.Fatalf("kills: %s", out)
	}
	var s seen
	if err := json.Unmarshal(out, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func quake() feed.Record {
	return feed.Record{
		ID: "us7000abcd", Source: "usgs", Format: feed.FormatUSGS, Time: arrival(),
		Upstream: feed.Upstream{
			Texts:  []string{" ", "M 4.5 <near> Tōkyō & Chiba"},
			Points: []feed.Point{{Lat: math.NaN(), Lon: 1}, {Lat: 35.5, Lon: 139.75}},
		},
	}
}

func TestTweetOfAnotherSource(t *testing.T) {
	s := tweetOf(t, quake())
	if s.IDStr != "us7000abcd" || s.Text != "M 4.5 &lt;near&gt; Tōkyō &amp; Chiba" {
		t.Errorf("tweet = %+v", s)
	}
	if s.User.ScreenName != "usgs" || s.User.Name != "usgs" {
		t.Errorf("user = %+v, want the source where nobody is the author", s.User)
	}
	if s.Geo == nil || s.Geo.Coordinates != [2]float64{35.5, 139.75} {
		t.Errorf("geo = %+v, want latitude first", s.Geo)
	}
	if s.Coordinates == nil || s.Coordinates.Coordinates != [2]float64{139.75, 35.5} {
		t.Errorf("coordinates = %+v, want longitude first", s.Coordinates)
	}
}

func TestTweetOfABox(t *testing.T) {
	rec := quake()
	rec.Upstream.Points = nil
	rec.Upstream.Boxes = []feed.Box{{}, {Ring: [][2]float64{{177, -20}, {-178, -20}, {-178, -16}, {177, -16}, {177, -20}}}}
	rec.Upstream.Author = feed.Author{Username: "@fiji"}
	s := tweetOf(t, rec)
	if s.Geo == nil || s.Geo.Coordinates != [2]float64{-18, 179.5} || s.Coordinates != nil {
		t.Errorf("geo %+v, coordinates %+v; want the centre across the antimeridian, and no promise of a point", s.Geo, s.Coordinates)
	}
	want := [4][2]float64{{177, -20}, {-178, -20}, {-178, -16}, {177, -16}}
	if s.Place == nil || len(s.Place.Box.Coordinates) != 1 || [4][2]float64(s.Place.Box.Coordinates[0]) != want {
		t.Errorf("place = %+v", s.Place)
	}
	if s.User.ScreenName != "fiji" || s.User.Name != "fiji" {
		t.Errorf("user = %+v", s.User)
	}
}

// What sources write is nobody's markup on the old pages, which insert it as
// HTML, and Mastodon's own is no text.
func TestTweetHoldsNoMarkup(t *testing.T) {
	status := `{"event":"update","payload":"{\"id\":\"9\",\"content\":\"<p>Tea &amp; toast</p><p>&lt;3 <a href=\\\"https://a.example\\\">a.example</a></p>\",` +
		`\"account\":{\"acct\":\"lea@social.example\",\"display_name\":\"<b>Léa</b>\"}}"}`
	rec, err := decode.Decode(feed.Item{Source: "mastodon", Format: feed.FormatMastodon, Data: []byte(status)})
	if err != nil {
		t.Fatal(err)
	}
	s := tweetOf(t, rec)
	if s.Text != "Tea &amp; toast\n\n&lt;3 a.example" || s.User.Name != "&lt;b&gt;Léa&lt;/b&gt;" || s.User.ScreenName != "lea@social.example" {
		t.Errorf("tweet = %+v", s)
	}
	rec.Upstream.Author = feed.Author{Username: "<script>"}
	if s := tweetOf(t, rec); s.User.ScreenName != "&lt;script&gt;" || s.User.Name != s.User.ScreenName {
		t.Errorf("user = %+v", s.User)
	}
}

func TestTweetHoldsBackWhatSaysNothing(t *testing.T) {
	rec := quake()
	rec.Upstream.Texts, rec.Upstream.Points = nil, []feed.Point{{Lat: 95, Lon: 190}}
	if _, err := legacy.Tweet(rec); outcome(err) != "unsafe empty" {
		t.Errorf("a post without text and position: %v", err)
	}
	rec = quake()
	rec.Change = feed.ChangeRemovePost
	if _, err := legacy.Tweet(rec); outcome(err) != "unsafe control" {
		t.Errorf("a removal: %v", err)
	}
}

// TestTweetReadsBack proves that what the old readers get says the same to
// this project's own reader.
func TestTweetReadsBack(t *testing.T) {
	for _, format := range []feed.Format{feed.FormatTwitterV1, ""} {
		out, err := legacy.Tweet(quake())
		if err != nil {
			t.Fatal(err)
		}
		rec, err := decode.Decode(feed.Item{Source: "legacy", Format: format, Data: out, Received: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		if rec.ID != "us7000abcd" || !rec.Time.Equal(arrival()) || len(rec.Upstream.Points) == 0 || rec.Upstream.Points[0].Lat != 35.5 {
			t.Errorf("read back as %+v", rec)
		}
	}
}

func TestCorpusTweetsSurviveRewriting(t *testing.T) {
	n := 0
	for _, line := range corpus(t, "twitter-v1") {
		rec, err := decode.Decode(feed.Item{Source: "legacy", Format: feed.FormatTwitterV1, Data: line})
		if err != nil || rec.Change != feed.ChangePost {
			continue
		}
		if s := tweetOf(t, rec); s.IDStr != rec.ID || s.Text == "" || s.User.ScreenName != rec.Upstream.Author.Username {
			t.Errorf("tweet = %+v", s)
		}
		n++
	}
	if n == 0 {
		t.Fatal("no tweet in the corpus")
	}
}
