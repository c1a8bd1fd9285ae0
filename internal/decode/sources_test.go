package decode_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/decode"
	"github.com/blipstream/blipstream/internal/feed"
)

// Payloads in the shapes that their services document, written for these tests.
const (
	wikiEdit = `{"$schema":"/mediawiki/recentchange/1.0.0","meta":{"uri":"https://de.wikipedia.org/wiki/Gr%C3%BCner_Tee","request_id":"r","id":"0a1b2c3d-0000-4000-8000-000000000001","dt":"2026-03-04T05:06:07.089Z","domain":"de.wikipedia.org","stream":"mediawiki.recentchange","topic":"eqiad.mediawiki.recentchange","partition":0,"offset":5},"id":77,"type":"edit","namespace":0,"title":"Grüner Tee","title_url":"https://de.wikipedia.org/wiki/Gr%C3%BCner_Tee","comment":"/* Anbau */ Tippfehler","timestamp":1772600767,"user":"Teefreundin 7","bot":false,"notify_url":"https://de.wikipedia.org/w/index.php?diff=2&oldid=1","minor":true,"length":{"old":100,"new":101},"revision":{"old":1,"new":2},"server_url":"https://de.wikipedia.org","server_name":"de.wikipedia.org","wiki":"dewiki","parsedcomment":"x"}`
	wikiPage = `{"$schema":"/mediawiki/revision/create/2.0.0","meta":{"uri":"https://simple.wikipedia.org/wiki/Tea","id":"0a1b2c3d-0000-4000-8000-000000000002","dt":"2026-03-04T05:06:08Z","domain":"simple.wikipedia.org","stream":"mediawiki.page-create"},"database":"simplewiki","page_id":5,"page_title":"Tea","page_namespace":0,"performer":{"user_text":"Leaf","user_groups":["*"]},"comment":"new page"}`

	quakeFeature = `{"type":"Feature","properties":{"mag":4.2,"place":"12 km E of Somewhere","time":1772600767089,"updated":1772600800000,"tz":null,"url":"https://earthquake.usgs.gov/earthquakes/eventpage/xx1","status":"reviewed","tsunami":0,"net":"xx","code":"1","ids":",xx1,","type":"earthquake","title":"M 4.2 - 12 km E of Somewhere"},"geometry":{"type":"Point","coordinates":[179.5,-16.25,33.1]},"id":"xx1"}`
	quakeMessage = `{"action":"update","data":{"type":"Feature","geometry":{"type":"Point","coordinates":[26.1,0,-10.0]},"id":"20260304_0000007","properties":{"source_id":"1","source_catalog":"EMSC-RTS","lastupdate":"2026-03-04T05:10:00.1Z","time":"2026-03-04T05:06:07.9Z","flynn_region":"DODECANESE ISLANDS, GREECE","lat":0.0,"lon":26.1,"depth":10.0,"evtype":"ke","auth":"EMSC","mag":3.1,"magtype":"ml","unid":"20260304_0000007"}}}`

	tootPlain = `{"id":"113400000000000001","created_at":"2026-03-04T05:06:07.089Z","in_reply_to_id":null,"sensitive":false,"spoiler_text":"","visibility":"public","language":"fr","uri":"https://social.example/users/lea/statuses/113400000000000001","url":"https://social.example/@lea/113400000000000001","content":"<p>Du th\u00e9 &amp; des <a href=\"https://social.example/tags/livres\" class=\"mention hashtag\" rel=\"tag\">#<span>livres</span></a><br />demain</p>","edited_at":null,"reblog":null,"account":{"id":"42","username":"lea","acct":"lea@social.example","display_name":"L\u00e9a :tea:","bot":false},"media_attachments":[{"id":"1","type":"image"}],"mentions":[{"id":"9","username":"max","acct":"max@other.example"}],"tags":[{"name":"livres","url":"x"}],"emojis":[]}`
)

// readAs decodes text of a format, recognised by its shape too.
func readAs(t *testing.T, format feed.Format, text string) feed.Record {
	t.Helper()
	rec, err := decode.Decode(feed.Item{Source: "test", Format: format, Data: []byte(text)})
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if guessed, err := read(text); err != nil || guessed.Format != format {
		t.Errorf("recognised as %q (%v), want %s: %s", guessed.Format, err, format, text)
	}
	return rec
}

func TestWikimedia(t *testing.T) {
	rec := readAs(t, feed.FormatWikimedia, wikiEdit)
	want := feed.Record{
		ID: "0a1b2c3d-0000-4000-8000-000000000001", Source: "test", Format: feed.FormatWikimedia,
		Time: time.Date(2026, 3, 4, 5, 6, 7, 89e6, time.UTC), Lang: "de", Type: feed.TypeEdit,
		URL: "https://de.wikipedia.org/w/index.php?diff=2&oldid=1",
		Upstream: feed.Upstream{
			Author: feed.Author{Username: "Teefreundin 7", Name: "Teefreundin 7"},
			Texts:  []string{"Grüner Tee: /* Anbau */ Tippfehler"},
		},
	}
	if !reflect.DeepEqual(rec, want) {
		t.Errorf("got\n%+v, want\n%+v", rec, want)
	}
	page := readAs(t, feed.FormatWikimedia, wikiPage)
	if page.Upstream.Author.Name != "Leaf" || page.Upstream.Texts[0] != "Tea: new page" || page.Lang != "en" || page.URL != "https://simple.wikipedia.org/wiki/Tea" {
		t.Errorf("%+v", page)
	}
	hidden := readAs(t, feed.FormatWikimedia, `{"meta":{"id":"a","domain":"commons.wikimedia.org"},"wiki":"commonswiki","title":"File:X","timestamp":1772600767}`)
	if hidden.Upstream.Author.Username != "" || hidden.Lang != "" || hidden.Upstream.Texts[0] != "File:X" || hidden.Time.Unix() != 1772600767 {
		t.Errorf("%+v", hidden)
	}
	if canary := readAs(t, feed.FormatWikimedia, `{"meta":{"id":"a","domain":"canary"},"wiki":"x"}`); canary.Change != feed.ChangeNotice {
		t.Errorf("%+v", canary)
	}
}

func TestUSGS(t *testing.T) {
	rec := readAs(t, feed.FormatUSGS, quakeFeature)
	want := feed.Record{
		ID: "xx1", Source: "test", Format: feed.FormatUSGS, Time: time.UnixMilli(1772600767089).UTC(), Lang: "en",
		Type: feed.TypeQuake, URL: "https://earthquake.usgs.gov/earthquakes/eventpage/xx1", Magnitude: new(4.2),
		Upstream: feed.Upstream{
			Author: feed.Author{ID: "usgs", Username: "usgs", Name: "USGS"}, Texts: []string{"M 4.2 - 12 km E of Somewhere"},
			Points: []feed.Point{{Lat: -16.25, Lon: 179.5, Origin: "geometry"}},
		},
	}
	if !reflect.DeepEqual(rec, want) {
		t.Errorf("got\n%+v, want\n%+v", rec, want)
	}
	unknown := readAs(t, feed.FormatUSGS, `{"type":"Feature","id":"a","properties":{"mag":null,"place":null,"time":1},"geometry":null}`)
	if unknown.Magnitude != nil || unknown.Upstream.Texts != nil || unknown.Upstream.Points != nil {
		t.Errorf("%+v", unknown)
	}
	gone := readAs(t, feed.FormatUSGS, `{"type":"Feature","id":"xx1","properties":{"status":"deleted","updated":1772600900000},"geometry":null}`)
	if gone.Change != feed.ChangeRemovePost || gone.ID != "xx1" || gone.Time.UnixMilli() != 1772600900000 {
		t.Errorf("%+v", gone)
	}
}

// TestUSGSCorpus: real features give back what stands in them.
func TestUSGSCorpus(t *testing.T) {
	dir := os.Getenv("BLIPSTREAM_CORPUS")
	if dir == "" {
		t.Skip("BLIPSTREAM_CORPUS is not set")
	}
	text, err := os.ReadFile(filepath.Join(dir, "usgs/usgs_all_week_first200.geojson"))
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Features []json.RawMessage `json:"features"`
	}
	if err := json.Unmarshal(text, &all); err != nil || len(all.Features) != 200 {
		t.Fatalf("%d features, %v", len(all.Features), err)
	}
	for _, f := range all.Features {
		var want struct {
			ID    string
			Props struct {
				Mag        *float64
				Title, URL string
				Time       int64
			} `json:"properties"`
			Geometry struct{ Coordinates []float64 }
		}
		if err := json.Unmarshal(f, &want); err != nil {
			t.Fatal(err)
		}
		rec := readAs(t, feed.FormatUSGS, string(f))
		p := rec.Upstream.Points
		if rec.ID != want.ID || rec.Time.UnixMilli() != want.Props.Time || rec.URL != want.Props.URL || !reflect.DeepEqual(rec.Magnitude, want.Props.Mag) ||
			rec.Upstream.Texts[0] != want.Props.Title || len(p) != 1 || p[0].Lon != want.Geometry.Coordinates[0] || p[0].Lat != want.Geometry.Coordinates[1] {
			t.Errorf("%+v of %s", rec, f)
		}
	}
}

func TestEMSC(t *testing.T) {
	rec := readAs(t, feed.FormatEMSC, quakeMessage)
	want := feed.Record{
		ID: "20260304_0000007", Source: "test", Format: feed.FormatEMSC, Time: time.Date(2026, 3, 4, 5, 6, 7, 9e8, time.UTC), Lang: "en",
		Type: feed.TypeQuake, URL: "https://www.seismicportal.eu/eventdetails.html?unid=20260304_0000007", Magnitude: new(3.1),
		Upstream: feed.Upstream{
			Author: feed.Author{ID: "emsc", Username: "emsc", Name: "EMSC"}, Texts: []string{"M 3.1 - DODECANESE ISLANDS, GREECE"},
			Points: []feed.Point{{Lat: 0, Lon: 26.1, Origin: "geometry"}, {Lat: 0, Lon: 26.1, Origin: "properties"}},
		},
	}
	if !reflect.DeepEqual(rec, want) {
		t.Errorf("got\n%+v, want\n%+v", rec, want)
	}
	feature := strings.TrimSuffix(strings.TrimPrefix(quakeMessage, `{"action":"update","data":`), "}")
	alone, err := decode.Decode(feed.Item{Source: "test", Format: feed.FormatEMSC, Data: []byte(feature)})
	if err != nil || !reflect.DeepEqual(alone, want) {
		t.Errorf("the feature alone: %+v, %v", alone, err)
	}
	gone := readAs(t, feed.FormatEMSC, `{"action":"delete","data":{"properties":{"unid":"u","lastupdate":"2026-03-04T05:10:00Z"}}}`)
	if gone.Change != feed.ChangeRemovePost || gone.ID != "u" || gone.Time.IsZero() {
		t.Errorf("%+v", gone)
	}
}

func TestMastodon(t *testing.T) {
	rec := readAs(t, feed.FormatMastodon, tootPlain)
	want := feed.Record{
		ID: "113400000000000001", Source: "test", Format: feed.FormatMastodon, Time: time.Date(2026, 3, 4, 5, 6, 7, 89e6, time.UTC),
		Lang: "fr", Type: feed.TypePost, URL: "https://social.example/@lea/113400000000000001",
		Upstream: feed.Upstream{
			Author: feed.Author{ID: "42", Username: "lea@social.example", Name: "Léa :tea:"}, HTML: true,
			Texts: []string{"<p>Du thé &amp; des <a href=\"https://social.example/tags/livres\" class=\"mention hashtag\" rel=\"tag\">#<span>livres</span></a><br />demain</p>"},
			Tags:  []string{"livres"}, Mentions: []string{"max@other.example"}, Media: true,
		},
	}
	if !reflect.DeepEqual(rec, want) {
		t.Errorf("got\n%+v, want\n%+v", rec, want)
	}
	payload, err := json.Marshal(tootPlain)
	if err != nil {
		t.Fatal(err)
	}
	for _, event := range []string{"update", "status.update"} {
		if wrapped := readAs(t, feed.FormatMastodon, `{"stream":["public"],"event":"`+event+`","payload":`+string(payload)+`}`); !reflect.DeepEqual(wrapped, want) {
			t.Errorf("%s: %+v", event, wrapped)
		}
	}
	for _, id := range []string{`"113400000000000001"`, `113400000000000001`} {
		gone := readAs(t, feed.FormatMastodon, `{"event":"delete","payload":`+id+`}`)
		if gone.Change != feed.ChangeRemovePost || gone.ID != "113400000000000001" {
			t.Errorf("%+v", gone)
		}
	}
}

// TestMastodonKinds: what changes what is shown, and whether anything is.
func TestMastodonKinds(t *testing.T) {
	for name, c := range map[string]struct {
		text, body string
		kind       feed.PostType
	}{
		"reply":   {`{"id":"1","uri":"u","account":{"acct":"a"},"content":"x","in_reply_to_id":"5"}`, "x", feed.TypeReply},
		"warning": {`{"id":"1","uri":"u","account":{"acct":"a"},"content":"secret","spoiler_text":"food & <drink>"}`, "food &amp; &lt;drink&gt;", feed.TypePost},
		"boost": {
			`{"id":"1","uri":"u","account":{"acct":"a"},"content":"","reblog":{"id":"2","account":{"acct":"b@c"},"content":"<p>x</p>","tags":[{"name":"t"}]}}`,
			"RT @b@c: <p>x</p>", feed.TypeRepost,
		},
		"empty": {`{"id":"1","uri":"u","account":{"acct":"a"},"content":"","media_attachments":[{}]}`, "", feed.TypePost},
	} {
		rec := readAs(t, feed.FormatMastodon, c.text)
		if got := strings.Join(rec.Upstream.Texts, "|"); got != c.body || rec.Type != c.kind || rec.Upstream.Author.Username != "a" {
			t.Errorf("%s: %q, %s, %+v", name, got, rec.Type, rec)
		}
		if name == "boost" && !reflect.DeepEqual(rec.Upstream.Tags, []string{"t"}) {
			t.Errorf("tags %v", rec.Upstream.Tags)
		}
	}
	for text, notice := range map[string]string{
		`{"id":"1","uri":"u","account":{"acct":"a"},"content":"x","visibility":"private"}`: "not_public",
		`{"id":"1","uri":"u","account":{"acct":"a"},"content":"x","visibility":"direct"}`:  "not_public",
		`{"event":"filters_changed","payload":"undefined"}`:                                "filters_changed",
		`{"event":"a b","payload":"{}"}`:                                                   "unknown",
		`{"event":"made-up-17","payload":"{}"}`:                                            "unknown",
	} {
		if rec := readAs(t, feed.FormatMastodon, text); rec.Change != feed.ChangeNotice || rec.Notice != notice {
			t.Errorf("%s: %+v", text, rec)
		}
	}
}

func TestPost(t *testing.T) {
	rec := readAs(t, feed.FormatPost, `{"id":"p1","time":"2026-03-04T06:06:07+01:00","userId":7,"username":"ann","name":"Ann","body":"Hello","lang":"en","type":"reply","url":"https://x.example/1","location":"Oslo","lat":0,"lon":-0.5,"magnitude":null,"tags":["t"],"mentions":["bob"],"links":["https://y.example"],"media":true}`)
	want := feed.Record{
		ID: "p1", Source: "test", Format: feed.FormatPost, Time: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), Lang: "en",
		Type: feed.TypeReply, URL: "https://x.example/1",
		Upstream: feed.Upstream{
			Author: feed.Author{ID: "7", Username: "ann", Name: "Ann"}, Texts: []string{"Hello"}, ProfileLocation: "Oslo",
			Points: []feed.Point{{Lat: 0, Lon: -0.5, Origin: "lat,lon"}},
			Tags:   []string{"t"}, Mentions: []string{"bob"}, Links: []string{"https://y.example"}, Media: true,
		},
	}
	if !reflect.DeepEqual(rec, want) {
		t.Errorf("got\n%+v, want\n%+v", rec, want)
	}
	bare := readAs(t, feed.FormatPost, `{"body":"x","type":"song","lat":5}`)
	if bare.ID != "" || bare.Type != feed.TypePost || bare.Upstream.Points != nil || !bare.Time.IsZero() {
		t.Errorf("%+v", bare)
	}
	gone := readAs(t, feed.FormatPost, `{"id":5,"removed":true}`)
	if gone.Change != feed.ChangeRemovePost || gone.ID != "5" {
		t.Errorf("%+v", gone)
	}
}

func TestPostTimes(t *testing.T) {
	want := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for text, known := range map[string]bool{
		`"2026-03-04T05:06:07Z"`: true, `"2026-03-04T05:06:07"`: true, `1772600767`: true, `1772600767000`: true, `1772600767.0`: true,
		`""`: false, `"soon"`: false, `0`: false, `-5`: false, `1e300`: false, `null`: false, `true`: false, `{}`: false,
	} {
		rec := readAs(t, feed.FormatPost, `{"body":"x","time":`+text+`}`)
		if known && !rec.Time.Equal(want) || !known && !rec.Time.IsZero() {
			t.Errorf("%s: %v", text, rec.Time)
		}
	}
}

// FuzzSources goes past the recognition of formats.
func FuzzSources(f *testing.F) {
	formats := []feed.Format{feed.FormatWikimedia, feed.FormatUSGS, feed.FormatEMSC, feed.FormatMastodon, feed.FormatPost}
	for i, s := range []string{
		wikiEdit, quakeFeature, quakeMessage, tootPlain, `{"id":1,"body":"x","lat":1,"lon":2,"time":5}`,
		wikiPage, `{"id":"a","properties":{"status":"deleted"}}`, `{"action":"delete","data":{"id":"x"}}`, `{"event":"delete","payload":"1"}`, `{"removed":true,"id":"1"}`,
	} {
		f.Add(i, []byte(s))
	}
	f.Fuzz(func(t *testing.T, which int, data []byte) {
		rec, err := decode.Decode(feed.Item{Source: "fuzz", Format: formats[uint(which)%uint(len(formats))], Data: data})
		if err != nil {
			return
		}
		checkSound(t, data)
		checkRecord(t, &rec)
		if m := rec.Magnitude; m != nil && (math.IsNaN(*m) || math.IsInf(*m, 0)) {
			t.Errorf("magnitude %v", *m)
		}
	})
}
