package simulate_test

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/simulate"
)

// status is what this test reads of an item, by its own rules.
type status struct {
	CreatedAt string      `json:"created_at"`
	ID        json.Number `json:"id"`
	IDStr     string      `json:"id_str"`
	Text      string      `json:"text"`
	Truncated bool        `json:"truncated"`
	Extended  *struct {
		FullText string `json:"full_text"`
		Entities struct {
			Hashtags []tag `json:"hashtags"`
		} `json:"entities"`
	} `json:"extended_tweet"`
	Entities struct {
		Hashtags []tag `json:"hashtags"`
	} `json:"entities"`
	Repost *status `json:"retweeted_status"`
	Quote  *status `json:"quoted_status"`
	Reply  string  `json:"in_reply_to_status_id_str"`
	User   struct {
		IDStr      string `json:"id_str"`
		Name       string `json:"name"`
		ScreenName string `json:"screen_name"`
	} `json:"user"`
	Geo         *geometry `json:"geo"`
	Coordinates *geometry `json:"coordinates"`
	Place       *struct {
		Country string `json:"country_code"`
		Box     struct {
			Rings [][][2]float64 `json:"coordinates"`
		} `json:"bounding_box"`
	} `json:"place"`
	Lang      string `json:"lang"`
	Stamp     string `json:"timestamp_ms"`
	Simulated bool   `json:"blipstream_simulated"`
	Delete    *struct {
		Status struct {
			ID   string `json:"id_str"`
			User string `json:"user_id_str"`
		} `json:"status"`
	} `json:"delete"`
	Scrub *struct {
		User string `json:"user_id_str"`
		UpTo string `json:"up_to_status_id_str"`
	} `json:"scrub_geo"`
}

type tag struct {
	Text    string `json:"text"`
	Indices [2]int `json:"indices"`
}

type geometry struct {
	Type        string     `json:"type"`
	Coordinates [2]float64 `json:"coordinates"`
}

// plainText undoes v1.1's HTML entities once.
func plainText(s string) string {
	return strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">").Replace(s)
}

func bcp47(lang string) string {
	if now, old := map[string]string{"in": "id", "iw": "he"}[lang]; old {
		return now
	}
	return lang
}

func (s *status) body() string {
	if s.Repost != nil {
		return "RT @" + s.Repost.User.ScreenName + ": " + s.Repost.body()
	}
	if s.Extended != nil {
		return plainText(s.Extended.FullText)
	}
	return plainText(s.Text)
}

// position reads the position in the plainest way that is right.
func (s *status) position() (lat, lon float64, origin string) {
	switch {
	case s.Coordinates != nil:
		return s.Coordinates.Coordinates[1], s.Coordinates.Coordinates[0], "coordinates"
	case s.Geo != nil:
		return s.Geo.Coordinates[0], s.Geo.Coordinates[1], "geo"
	case s.Place == nil:
		return 0, 0, ""
	}
	// The mean of the corners as vectors on the circle of longitudes, which
	// knows nothing of an antimeridian.
	var x, y float64
	for _, c := range s.Place.Box.Rings[0] {
		lat += c[1] / 4
		x += math.Cos(c[0] * math.Pi / 180)
		y += math.Sin(c[0] * math.Pi / 180)
	}
	return lat, math.Atan2(y, x) * 180 / math.Pi, "place"
}

// TestWantAgreesWithItem reads each item's JSON and compares with the oracle,
// which never saw it.
func TestWantAgreesWithItem(t *testing.T) {
	w := newWorld(t, simulate.DefaultWorld(1))
	for n := range uint64(parsed) {
		var s status
		decode(t, w.Append(nil, n), &s)
		want := w.Want(n)
		switch {
		case s.Delete != nil:
			if want[0].Kind != feed.KindPostRemoved || want[0].ID != s.Delete.Status.ID || want[0].UserID != s.Delete.Status.User {
				t.Fatalf("item %d: %+v, item %+v", n, want, s.Delete)
			}
		case s.Scrub != nil:
			if want[0].Kind != feed.KindGeoRemoved || want[0].UpToID != s.Scrub.UpTo || want[0].ID != s.Scrub.User+"-"+s.Scrub.UpTo {
				t.Fatalf("item %d: %+v, item %+v", n, want, s.Scrub)
			}
		case s.IDStr == "":
			if len(want) != 0 {
				t.Fatalf("item %d is no post, and wants %+v", n, want)
			}
		default:
			checkTweet(t, n, &s, want)
			checkBlip(t, n, &s, want)
		}
	}
}

func checkTweet(t *testing.T, n uint64, s *status, want []simulate.Want) {
	t.Helper()
	e := want[0]
	stamp := strconv.FormatInt(e.Time.UnixMilli(), 10)
	if e.Kind != feed.KindSimpleTweet || e.ID != s.IDStr || e.Username != s.User.ScreenName ||
		e.Name != s.User.Name || e.UserID != s.User.IDStr || e.Lang != bcp47(s.Lang) || stamp != s.Stamp {
		t.Fatalf("item %d: want %+v, item %+v", n, e, s)
	}
	if e.Body != s.body() {
		t.Fatalf("item %d: want body %q, item says %q", n, e.Body, s.body())
	}
	kind := feed.TypePost
	if s.Repost != nil {
		kind = feed.TypeRepost
	} else if s.Reply != "" {
		kind = feed.TypeReply
	}
	if e.Type != kind {
		t.Fatalf("item %d: want type %s, item is a %s", n, e.Type, kind)
	}
}

func checkBlip(t *testing.T, n uint64, s *status, want []simulate.Want) {
	t.Helper()
	lat, lon, origin := s.position()
	if origin == "" {
		if len(want) != 1 {
			t.Fatalf("item %d tells no position, and wants %+v", n, want)
		}
		return
	}
	e := want[1]
	const close = 1e-9
	if e.Kind != feed.KindGeoBlip || e.Origin != origin || math.Abs(e.Lat-lat) > close ||
		math.Abs(math.Remainder(e.Lon-lon, 360)) > close || math.Abs(e.Lon) > 180 {
		t.Fatalf("item %d: want %+v, item says %v %v by %s", n, e, lat, lon, origin)
	}
	if s.Place != nil && e.Country != s.Place.Country {
		t.Fatalf("item %d: want country %s, item says %s", n, e.Country, s.Place.Country)
	}
	if origin != "place" && (lat != e.Lat || lon != e.Lon) {
		t.Fatalf("item %d: point %v %v is not exactly %v %v", n, e.Lat, e.Lon, lat, lon)
	}
}

// TestWorldHasEverything: each case that a decoder may get wrong does occur.
func TestWorldHasEverything(t *testing.T) {
	w := newWorld(t, simulate.DefaultWorld(1))
	seen := map[string]int{}
	count := func(name string, yes bool) {
		if yes {
			seen[name]++
		}
	}
	names := []string{
		"repost", "repost of a long post", "repost of a post with place", "reply", "quote", "long",
		"entities", "typed entity", "newline", "hashtag", "point", "old point", "place alone", "no position",
		"across the antimeridian", "box without extent", "on the equator", "escaped", "right to left",
	}
	for n := range uint64(items) {
		if n >= parsed && !remarkable(w.Want(n)) {
			continue
		}
		raw := w.Append(nil, n)
		var s status
		decode(t, raw, &s)
		if s.IDStr == "" {
			continue
		}
		count("repost", s.Repost != nil)
		count("repost of a long post", s.Repost != nil && s.Repost.Extended != nil)
		count("repost of a post with place", s.Repost != nil && s.Repost.Place != nil)
		count("reply", s.Reply != "")
		count("quote", s.Quote != nil)
		count("long", s.Truncated && s.Extended != nil)
		count("entities", strings.Contains(s.Text, "&lt;3"))
		count("typed entity", strings.Contains(s.body(), "&amp;"))
		count("newline", strings.Contains(s.body(), "\n"))
		count("hashtag", len(s.Entities.Hashtags) > 0)
		count("point", s.Coordinates != nil)
		count("old point", s.Geo != nil && s.Coordinates == nil)
		count("place alone", s.Geo == nil && s.Place != nil)
		count("no position", s.Geo == nil && s.Place == nil)
		if s.Place != nil {
			ring := s.Place.Box.Rings[0]
			count("across the antimeridian", ring[2][0] < ring[0][0])
			count("box without extent", ring[2] == ring[0])
		}
		count("on the equator", s.Coordinates != nil && s.Coordinates.Coordinates[1] == 0)
		count("escaped", strings.Contains(string(raw), `\ud83`))
		count("right to left", s.Lang == "ar" || s.Lang == "fa" || s.Lang == "iw" || s.Lang == "ur")
	}
	for _, name := range names {
		if seen[name] == 0 {
			t.Errorf("no item of %d is: %s", items, name)
		}
	}
}

// remarkable picks what is rare: the equator and the antimeridian.
func remarkable(want []simulate.Want) bool {
	return len(want) == 2 && (want[1].Lat == 0 || math.Abs(want[1].Lon) > 178)
}

// TestHashtagIndices: indices count code points of the text as it is sent.
func TestHashtagIndices(t *testing.T) {
	w := newWorld(t, simulate.DefaultWorld(1))
	for n := range uint64(parsed / 2) {
		var s status
		decode(t, w.Append(nil, n), &s)
		checkTags(t, n, s.Text, s.Entities.Hashtags)
		if s.Extended != nil {
			checkTags(t, n, s.Extended.FullText, s.Extended.Entities.Hashtags)
		}
	}
}

func checkTags(t *testing.T, n uint64, text string, tags []tag) {
	t.Helper()
	runes := []rune(text)
	for _, h := range tags {
		if got := string(runes[h.Indices[0]:h.Indices[1]]); got != "#"+h.Text {
			t.Fatalf("item %d: hashtag %q, but its indices say %q in %q", n, h.Text, got, text)
		}
	}
}

func TestTimeOfWant(t *testing.T) {
	w := newWorld(t, simulate.DefaultWorld(1))
	at := time.Date(2026, 11, 23, 12, 0, 0, 123_456_789, time.UTC)
	if got := w.WantAt(0, at)[0].Time; !got.Equal(at.Truncate(time.Millisecond)) {
		t.Errorf("time = %v, want %v to the millisecond", got, at)
	}
}
