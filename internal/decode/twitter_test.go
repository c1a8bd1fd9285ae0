package decode_test

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/decode"
	"github.com/blipstream/blipstream/internal/feed"
)

const (
	plainTweet = `{"created_at":"Tue Nov 03 09:15:42 +0100 2026","id":9007199254740993,
"id_str":"9007199254740993","text":"Tea &amp; toast","in_reply_to_status_id_str":null,
"user":{"id_str":"42","screen_name":"harbour_cat","name":"Harbour Cat"},
"geo":null,"coordinates":null,"place":null,"lang":"en","timestamp_ms":"1793693742123"}`

	pointTweet = `{"id_str":"7","full_text":"here","user":{"id_str":"42","screen_name":"a"},
"geo":{"type":"Point","coordinates":[51.5,-0.12]},
"coordinates":{"type":"Point","coordinates":[-0.12,51.5]},
"place":{"place_type":"city","country_code":"GB","bounding_box":{"type":"Polygon",
"coordinates":[[[-0.5,51.3],[-0.5,51.7],[0.3,51.7],[0.3,51.3]]]}}}`

	oddTweet = `{"id":12345678901234567890,"text":"still \ud83d here","user":null,
"geo":"somewhere","coordinates":{"type":"Point","coordinates":["51","0"]},
"place":{"place_type":7,"country_code":["GB"],"bounding_box":{"coordinates":[[1,2],[3,4]]}},
"lang":5,"timestamp_ms":1793693742123,"retweeted_status":3,"extended_tweet":"x","blipstream_simulated":"yes"}`

	retweet = `{"id_str":"8","text":"RT @poet: a long text that was c…",
"user":{"screen_name":"fan"},"in_reply_to_status_id_str":"6",
"retweeted_status":{"id_str":"5","user":{"screen_name":"poet"},
"text":"a long text that was c… https://t.co/x","extended_tweet":{"full_text":"a long text that was cut off elsewhere"}}}`
)

// must decodes text, which has to be a sound item.
func must(t *testing.T, text string) feed.Record {
	t.Helper()
	rec, err := read(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return rec
}

func TestTweet(t *testing.T) {
	at := time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)
	rec, err := decode.Decode(feed.Item{Source: "demo", Format: feed.FormatTwitterV1, Received: at, Data: []byte(plainTweet)})
	if err != nil {
		t.Fatal(err)
	}
	want := feed.Record{
		ID: "9007199254740993", Source: "demo", Format: feed.FormatTwitterV1, Received: at,
		Time: time.UnixMilli(1793693742123).UTC(), Lang: "en", Type: feed.TypePost,
		Upstream: feed.Upstream{
			Author:       feed.Author{ID: "42", Username: "harbour_cat", Name: "Harbour Cat"},
			Texts:        []string{"Tea &amp; toast"},
			HTMLEntities: true,
		},
		URL: "https://x.com/harbour_cat/status/9007199254740993",
	}
	if !reflect.DeepEqual(rec, want) {
		t.Errorf("got  %+v\nwant %+v", rec, want)
	}
}

// A coordinate is [lon, lat], a geo is [lat, lon], a ring is of [lon, lat].
func TestPositions(t *testing.T) {
	up := must(t, pointTweet).Upstream
	points := []feed.Point{{Lat: 51.5, Lon: -0.12, Origin: "coordinates"}, {Lat: 51.5, Lon: -0.12, Origin: "geo"}}
	if !reflect.DeepEqual(up.Points, points) {
		t.Errorf("points %+v", up.Points)
	}
	boxes := []feed.Box{{
		Ring:   [][2]float64{{-0.5, 51.3}, {-0.5, 51.7}, {0.3, 51.7}, {0.3, 51.3}},
		Origin: "place", Type: "city", Country: "GB",
	}}
	if !reflect.DeepEqual(up.Boxes, boxes) {
		t.Errorf("boxes %+v", up.Boxes)
	}
}

// Odd fields cost what they would have told, never the tweet.
func TestOddFieldsKeepTheTweet(t *testing.T) {
	rec := must(t, oddTweet)
	if rec.ID != "12345678901234567890" || rec.Type != feed.TypePost || rec.Lang != "" || rec.Simulated {
		t.Errorf("record %+v", rec)
	}
	if want := []string{"still \uFFFD here"}; !reflect.DeepEqual(rec.Upstream.Texts, want) {
		t.Errorf("texts %q", rec.Upstream.Texts)
	}
	if !rec.Time.Equal(time.UnixMilli(1793693742123)) {
		t.Errorf("time %v", rec.Time)
	}
	if rec.Upstream.Author != (feed.Author{}) {
		t.Errorf("author %+v", rec.Upstream.Author)
	}
	for _, p := range rec.Upstream.Points {
		if !math.IsNaN(p.Lat) || !math.IsNaN(p.Lon) {
			t.Errorf("point %+v of strings", p)
		}
	}
}

func TestOddPositions(t *testing.T) {
	const frame = `{"id_str":"1","text":"x","user":{"screen_name":"a","name":5},%s}`
	for field, points := range map[string]int{
		`"user_odd":1`:           0,
		`"geo":{}`:               0,
		`"geo":{"type":"Point"}`: 0,
		`"geo":{"type":"Point","coordinates":null}`:              0,
		`"geo":{"type":null,"coordinates":[1,2]}`:                0,
		`"geo":{"type":"Polygon","coordinates":[[[1,2],[3,4]]]}`: 0,
		`"geo":{"type":"point","coordinates":[1,2]}`:             1,
		`"geo":[1,2]`:     0,
		`"geo":true`:      0,
		`"coordinates":5`: 0,
		`"coordinates":{"type":"Point","coordinates":[1,2,300.5]}`: 1,
		`"place":"Paris"`:                                 0,
		`"place":{"bounding_box":7}`:                      0,
		`"place":{"bounding_box":{"coordinates":"a"}}`:    0,
		`"place":{"bounding_box":{"coordinates":[[]]}}`:   0,
		`"place":{"bounding_box":{"coordinates":[null]}}`: 0,
	} {
		rec := must(t, strings.Replace(frame, "%s", field, 1))
		if len(rec.Upstream.Points) != points {
			t.Errorf("%s: points %+v, want %d", field, rec.Upstream.Points, points)
		}
		if rec.Upstream.Author.Username != "a" || len(rec.Upstream.Texts) != 1 {
			t.Errorf("%s: cost more than itself: %+v", field, rec)
		}
	}
	for _, pair := range []string{`[1]`, `[1,2,3,4]`, `["1","2"]`, `[1e999,2]`, `[null,2]`, `{}`, `"1,2"`, `[[1,2],[3,4]]`} {
		rec := must(t, `{"id_str":"1","coordinates":{"type":"Point","coordinates":`+pair+`}}`)
		for _, p := range rec.Upstream.Points {
			if !math.IsNaN(p.Lat) {
				t.Errorf("%s: point %+v, want none or NaN", pair, p)
			}
		}
	}
}

func TestTextsFullestFirst(t *testing.T) {
	rec := must(t, `{"id_str":"1","text":"short…","full_text":"full","extended_tweet":{"full_text":"extended"}}`)
	if want := []string{"extended", "full", "short…"}; !reflect.DeepEqual(rec.Upstream.Texts, want) {
		t.Errorf("texts %q, want %q", rec.Upstream.Texts, want)
	}
	rec = must(t, retweet)
	if want := "RT @poet: a long text that was cut off elsewhere"; rec.Upstream.Texts[0] != want {
		t.Errorf("retweet's text %q, want %q", rec.Upstream.Texts[0], want)
	}
	if rec.Type != feed.TypeRepost {
		t.Errorf("a retweet that is also a reply: type %q", rec.Type)
	}
	rec = must(t, `{"id_str":"1","text":"RT cut…","retweeted_status":{"id_str":"2","user":null}}`)
	if want := []string{"RT cut…"}; !reflect.DeepEqual(rec.Upstream.Texts, want) {
		t.Errorf("retweet of nothing: texts %q", rec.Upstream.Texts)
	}
	rec = must(t, `{"id_str":"1","text":"mine","quoted_status":{"id_str":"2","full_text":"theirs"}}`)
	if want := []string{"mine"}; !reflect.DeepEqual(rec.Upstream.Texts, want) {
		t.Errorf("quote: texts %q", rec.Upstream.Texts)
	}
}

// Names match by case: a TEXT beside the text changes nothing.
func TestNamesMatchByCase(t *testing.T) {
	rec := must(t, `{"id_str":"1","text":"right","TEXT":"wrong","Text":"wrong","ID_STR":"2"}`)
	if rec.ID != "1" || rec.Upstream.Texts[0] != "right" {
		t.Errorf("record %+v", rec)
	}
}

func TestControl(t *testing.T) {
	told := time.UnixMilli(1432228155593).UTC()
	for text, want := range map[string]feed.Record{
		`{"delete":{"status":{"id":9007199254740993,"id_str":"9007199254740993","user_id":3,"user_id_str":"3"},"timestamp_ms":"1432228155593"}}`: {
			Change: feed.ChangeRemovePost, ID: "9007199254740993", Author: feed.Author{ID: "3"}, Time: told,
		},
		`{"delete":{"status":{"id":9007199254740993,"user_id":3}}}`: {
			Change: feed.ChangeRemovePost, ID: "9007199254740993", Author: feed.Author{ID: "3"},
		},
		`{"scrub_geo":{"user_id":3,"up_to_status_id":9007199254740993}}`: {
			Change: feed.ChangeRemoveGeo, ID: "3-9007199254740993", UpToID: "9007199254740993", Author: feed.Author{ID: "3"},
		},
		`{"status_withheld":{"id":5,"user_id":3,"withheld_in_countries":["DE","XX"]}}`: {
			Change: feed.ChangeRemovePost, ID: "5", Author: feed.Author{ID: "3"},
		},
		`{"status_withheld":{"id":5,"user_id":3,"withheld_in_countries":["XY"]}}`: {
			Change: feed.ChangeRemovePost, ID: "5", Author: feed.Author{ID: "3"},
		},
		`{"status_withheld":{"id":5,"user_id":3,"withheld_in_countries":["DE"]}}`: {Change: feed.ChangeNotice, Notice: "status_withheld"},
		`{"user_withheld":{"id":5,"withheld_in_countries":["DE"]}}`:               {Change: feed.ChangeNotice, Notice: "user_withheld"},

		`{"limit":{"track":1234}}`:                              {Change: feed.ChangeNotice, Notice: "limit", Missed: 1234},
		`{"limit":{"track":"many"}}`:                            {Change: feed.ChangeNotice, Notice: "limit"},
		`{"limit":{"track":1e30}}`:                              {Change: feed.ChangeNotice, Notice: "limit"},
		`{"warning":{"code":"FALLING_BEHIND"}}`:                 {Change: feed.ChangeNotice, Notice: "warning"},
		`{"disconnect":{"code":4}}`:                             {Change: feed.ChangeNotice, Notice: "disconnect"},
		`{"id_str":"1","text":"x","warning":null,"event":null}`: {ID: "1", Type: feed.TypePost},
	} {
		rec := must(t, text)
		want.Upstream, want.Source, want.Format = rec.Upstream, "test", feed.FormatTwitterV1
		if !reflect.DeepEqual(rec, want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", text, rec, want)
		}
		if want.Author.ID != rec.Upstream.Author.ID {
			t.Errorf("%s: upstream author %+v", text, rec.Upstream.Author)
		}
	}
}

func TestTimes(t *testing.T) {
	for fields, want := range map[string]string{
		`"created_at":"Tue Nov 03 09:15:42 +0100 2026"`:                           "2026-11-03T08:15:42Z",
		`"created_at":"Tue Nov 03 09:15:42 +0100 2026","timestamp_ms":"nonsense"`: "2026-11-03T08:15:42Z",
		`"created_at":"whenever","timestamp_ms":"1793693742123"`:                  "2026-11-03T08:15:42.123Z",
		`"timestamp_ms":"-1"`:                           "0001-01-01T00:00:00Z",
		`"timestamp_ms":"253402300800000"`:              "0001-01-01T00:00:00Z",
		`"timestamp_ms":"99999999999999999999"`:         "0001-01-01T00:00:00Z",
		`"created_at":"Tue Nov 03 09:15:42 +0100 0000"`: "0001-01-01T00:00:00Z",
	} {
		rec := must(t, `{"id_str":"1",`+fields+`}`)
		if got := rec.Time.Format(time.RFC3339Nano); got != want {
			t.Errorf("%s: %s, want %s", fields, got, want)
		}
	}
}

func TestLanguages(t *testing.T) {
	for told, want := range map[string]string{
		"en": "en", "und": "", "qme": "", "zxx": "", "in": "id", "iw": "he", "ji": "yi", "zh-cn": "zh-cn", "qu": "qu", "": "",
	} {
		if got := must(t, `{"id_str":"1","lang":"`+told+`"}`).Lang; got != want {
			t.Errorf("lang %q became %q, want %q", told, got, want)
		}
	}
}

func TestUnusableIDs(t *testing.T) {
	for _, id := range []string{"a b", "a\r\nNats-Msg-Id: x", "\x00", "é", strings.Repeat("1", 129)} {
		quoted, err := json.Marshal(id)
		if err != nil {
			t.Fatal(err)
		}
		rec := must(t, `{"id_str":`+string(quoted)+`,"text":"x"}`)
		if rec.ID != "" || len(rec.Upstream.Texts) != 1 {
			t.Errorf("id %q became %q", id, rec.ID)
		}
	}
}

// Of the eight samples that Twitter made of its compatibility modes, five have
// no text at all where the old line looked for it. All eight read in full.
func TestCorpusCompatibility(t *testing.T) {
	empty := 0
	for i, line := range corpus(t, "twitter-v1/tweet_updates_initial.ndjson") {
		rec := must(t, string(line))
		var raw struct {
			Text     string `json:"text"`
			FullText string `json:"full_text"`
			Extended struct {
				FullText string `json:"full_text"`
			} `json:"extended_tweet"`
		}
		if err := json.Unmarshal(line, &raw); err != nil {
			t.Fatal(err)
		}
		if raw.Text == "" {
			empty++
		}
		want := raw.FullText + raw.Extended.FullText
		if want == "" {
			want = raw.Text
		}
		if len(rec.Upstream.Texts) == 0 || rec.Upstream.Texts[0] != want {
			t.Errorf("line %d: texts %q, want first %q", i, rec.Upstream.Texts, want)
		}
	}
	if empty != 5 {
		t.Errorf("%d samples have no text, want 5", empty)
	}
}

func TestCorpusIsUnderstood(t *testing.T) {
	for _, name := range []string{"control", "premium_from", "tweet_parser_public_api", "tweet_updates_initial", "tweet_updates_original"} {
		for i, line := range corpus(t, "twitter-v1/"+name+".ndjson") {
			rec := must(t, string(line))
			if rec.Change == feed.ChangePost && (rec.ID == "" || rec.Upstream.Author.Username == "" || rec.Time.IsZero()) {
				t.Errorf("%s, line %d: %+v", name, i, rec)
			}
		}
	}
}

// A tweet that some APIs tag with the rules it matched is still one of v1.1.
func TestRecogniseByWhatNoOtherHas(t *testing.T) {
	if rec := must(t, `{"id_str":"1","text":"x","matching_rules":[{"tag":null}],"errors":[]}`); rec.ID != "1" {
		t.Errorf("record %+v", rec)
	}
}
