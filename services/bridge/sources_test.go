package bridge_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/decode"
	"github.com/blipstream/blipstream/internal/feed"
	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
	"github.com/blipstream/blipstream/services/bridge"
	"github.com/blipstream/blipstream/services/bridge/legacy"
)

// foreign is an item of a source that is not Twitter, and what old programs
// make of it: the line that the subscriber prints, and the point that the
// enrich step finds, if there is one.
type foreign struct {
	format feed.Format
	data   string
	line   string
	point  *[2]float64
}

func foreignItems() []foreign {
	const user = `"includes":{"users":[{"id":"5","username":"ann","name":"Ann"}],` +
		`"places":[{"id":"p1","full_name":"X","geo":{"type":"Feature","bbox":[10,20,12,24]}}]}}`
	at := func(lat, lon float64) *[2]float64 { return &[2]float64{lat, lon} }
	return []foreign{
		{feed.FormatMastodon, `{"event":"update","payload":"{\"id\":\"9\",\"content\":\"<p>Tea &amp; <b>toast</b></p>\",` +
			`\"account\":{\"acct\":\"lea@social.example\",\"display_name\":\"L\u00e9a\"}}"}`, "@lea@social.example (Léa): Tea &amp; toast", nil},
		{feed.FormatMastodon, `{"event":"delete","payload":"9"}`, "", nil},
		{feed.FormatWikimedia, `{"meta":{"id":"w-1","dt":"2026-11-23T12:00:00Z","domain":"de.wikipedia.org"},"title":"Tee",` +
			`"comment":"mehr Tee","user":"Kanne","wiki":"dewiki"}`, "@Kanne (Kanne): Tee: mehr Tee", nil},
		{feed.FormatUSGS, `{"type":"Feature","id":"us1","properties":{"mag":4.5,"time":1700000000000,"title":"M 4.5 - Tea"},` +
			`"geometry":{"type":"Point","coordinates":[139.75,35.5,10]}}`, "@usgs (USGS): M 4.5 - Tea", at(35.5, 139.75)},
		{feed.FormatEMSC, `{"action":"create","data":{"geometry":{"type":"Point","coordinates":[26.5,-38.25,-10]},"id":"e1",` +
			`"properties":{"unid":"e1","time":"2026-11-23T12:00:00Z","mag":3.1,"flynn_region":"TEA SEA"}}}`, "@emsc (EMSC): M 3.1 - TEA SEA", at(-38.25, 26.5)},
		{
			feed.FormatXV2, `{"data":{"id":"77","text":"a &amp; b","author_id":"5","geo":{"coordinates":{"type":"Point","coordinates":[2.25,48.75]}}},` + user,
			"@ann (Ann): a &amp; b", at(48.75, 2.25),
		},
		{feed.FormatXV2, `{"data":{"id":"78","text":"boxed","author_id":"5","geo":{"place_id":"p1"}},` + user, "@ann (Ann): boxed", at(22, 11)},
		{feed.FormatBluesky, `{"did":"did:plc:abcdefgh1234","time_us":1700000000000000,"kind":"commit","commit":{"operation":"create",` +
			`"collection":"app.bsky.feed.post","rkey":"r1","record":{"text":"skies < clouds"}}}`, "@abcdefgh… (abcdefgh…): skies &lt; clouds", nil},
		{
			feed.FormatPost, `{"id":"p1","username":"bo","name":"<i>Bo</i>","body":"by hand","lat":-1.5,"lon":36.75}`,
			"@bo (&lt;i&gt;Bo&lt;/i&gt;): by hand", at(-1.5, 36.75),
		},
		{feed.FormatPost, `{"body":"nobody's","lat":1.5,"lon":2.5}`, "@elsewhere (elsewhere): nobody's", at(1.5, 2.5)},
		{"", `{"did":"did:plc:abcdefgh1234","time_us":1700000000000001,"kind":"commit","commit":{"operation":"create",` +
			`"collection":"app.bsky.feed.post","rkey":"r2","record":{"text":"no format told"}}}`, "@abcdefgh… (abcdefgh…): no format told", nil},
	}
}

// recorded are the recorded payloads of sources that are not Twitter. What old
// programs make of them is taken from the tweets that legacy makes.
func recorded(t *testing.T) []foreign {
	t.Helper()
	var all []foreign
	add := func(format feed.Format, data string) {
		f := foreign{format: format, data: data}
		rec, err := decode.Decode(feed.Item{Source: "elsewhere", Format: format, Data: []byte(data)})
		if err == nil {
			if tweet, err := legacy.Tweet(rec); err == nil {
				f.line, _ = oldLine(string(tweet))
			}
		}
		all = append(all, f)
	}
	for _, line := range corpusOf(t, "bluesky", "*.jsonl") {
		add(feed.FormatBluesky, line)
	}
	for _, line := range corpusOf(t, "x-v2", "*.jsonl") {
		add(feed.FormatXV2, line)
	}
	quakes, err := os.ReadFile(filepath.Join(os.Getenv("BLIPSTREAM_CORPUS"), "usgs", "usgs_all_week_first200.geojson"))
	if err != nil {
		t.Fatal(err)
	}
	var collection struct{ Features []json.RawMessage }
	if err := json.Unmarshal(quakes, &collection); err != nil {
		t.Fatal(err)
	}
	for _, feature := range collection.Features {
		add(feed.FormatUSGS, string(feature))
	}
	return all
}

// TestOldProgramsReadOtherSources has the old subscriber print, and the old
// enrich step map, what comes from sources that they never heard of.
func TestOldProgramsReadOtherSources(t *testing.T) {
	srv, red := bustest.Start(t), startRedis(t)
	conn := srv.Conn(t, "bridge")
	r := run(t, conn, config(red, bridge.Out, bridge.In))
	subscriber, enricher, page := reader(t, red, "subscriber.py"), reader(t, red, "enricher.py"), reader(t, red, "page.py")
	var lines []string
	points := map[[2]float64]bool{}
	for i, f := range append(foreignItems(), recorded(t)...) {
		bustest.PublishRaw(t, conn, feed.Item{ID: strconv.Itoa(i), Source: "elsewhere", Format: f.format, Data: []byte(f.data)})
		if f.line != "" {
			lines = append(lines, f.line)
		}
		if f.point != nil {
			points[*f.point] = true
		}
	}
	bustest.WaitFor(t, "all is printed", func() bool {
		subscriber.alive()
		return len(subscriber.printed()) >= len(lines)
	})
	var printed []string
	for _, line := range subscriber.printed() {
		printed = append(printed, afterTime(line))
	}
	if !slices.Equal(printed, lines) {
		t.Errorf("printed\n%s\nwant\n%s", strings.Join(printed, "\n"), strings.Join(lines, "\n"))
	}
	if len(lines) < 100 || r.metric("rewritten_total") != float64(len(lines)) || r.metric("held_total", "control") == 0 {
		t.Errorf("%d lines, %v rewritten, %v held back as no post", len(lines), r.metric("rewritten_total"), r.metric("held_total", "control"))
	}
	bustest.WaitFor(t, "the points come back", func() bool {
		for _, m := range bustest.ReadAll(t, conn, feed.StreamEvents) {
			delete(points, pointOf(t, m))
		}
		return len(points) == 0
	})
	for _, p := range []*program{subscriber, enricher, page} {
		p.alive()
	}
}

// pointOf is where a blip is; nowhere for another event.
func pointOf(t *testing.T, m bus.Stored) [2]float64 {
	t.Helper()
	var blip feedv1.GeoBlip
	if feed.KindOf(m.Subject) != feed.KindGeoBlip {
		return [2]float64{}
	}
	if err := protojson.Unmarshal(m.Data, &blip); err != nil {
		t.Fatal(err)
	}
	return [2]float64{blip.GetLat(), blip.GetLon()}
}
