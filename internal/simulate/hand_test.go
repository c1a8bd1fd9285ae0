package simulate

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/simulate/atlas"
)

// deg is a place from south, north, west and east in degrees.
func deg(south, north, west, east float64) *place {
	return &place{
		country: &atlas.Country{Code: "FJ", Name: "Fiji"},
		south:   toMicro(south), north: toMicro(north), west: toMicro(west), east: toMicro(east),
	}
}

// TestCentreByHand: boxes whose middle anyone can find without a program.
func TestCentreByHand(t *testing.T) {
	for name, c := range map[string]struct {
		box      *place
		lat, lon float64
	}{
		"plain":                    {deg(10, 20, 30, 50), 15, 40},
		"around zero":              {deg(-1, 1, -2, 2), 0, 0},
		"across, middle east of":   {deg(-17, -16, 179, -179.5), -16.5, 179.75},
		"across, middle west of":   {deg(-17, -16, 179.5, -179), -16.5, -179.75},
		"across, middle on it":     {deg(0, 0, 179, -179), 0, 180},
		"wide across":              {deg(60, 70, 170, -170), 65, 180},
		"from the legacy's report": {deg(0, 2, 177.2, -178.2), 1, 179.5},
		"no extent":                {deg(5.5, 5.5, -5.25, -5.25), 5.5, -5.25},
	} {
		lat, lon := c.box.centre()
		if lat != c.lat || math.Abs(lon-c.lon) > 1e-12 {
			t.Errorf("%s: centre %v %v, want %v %v", name, lat, lon, c.lat, c.lon)
		}
	}
}

// TestRadiusByHand: on the equator and on a meridian a degree is 111.195 km of
// a sphere of the Earth's mean radius; half a degree to each corner.
func TestRadiusByHand(t *testing.T) {
	for name, c := range map[string]struct {
		box  *place
		want float64
	}{
		"along the equator":       {deg(0, 0, 10, 11), 55.5975},
		"along a meridian":        {deg(50, 51, 7, 7), 55.5975},
		"across the antimeridian": {deg(0, 0, 179.5, -179.5), 55.5975},
		"no extent":               {deg(1, 1, 1, 1), 0},
	} {
		if got := c.box.radiusKm(); math.Abs(got-c.want) > 0.001 {
			t.Errorf("%s: radius %.4f km, want %.4f", name, got, c.want)
		}
	}
}

// written is what a hand-made post looks like on the wire.
func written(t *testing.T, p *post) map[string]any {
	t.Helper()
	e := encoder{}
	e.status(p)
	var m map[string]any
	if err := json.Unmarshal(e.b, &m); err != nil {
		t.Fatalf("%v\n%s", err, e.b)
	}
	return m
}

func byHand(body string) *post {
	country := &atlas.Country{Code: "FJ", Name: "Fiji"}
	city := &atlas.City{Name: "Suva", Country: country}
	return &post{id: 77, at: time.UnixMilli(1_770_000_000_123), body: body, author: author{
		id: 5, username: "miro_tal1", name: `Ann "<b>" O'K & Co`, lang: "iw", city: city,
	}}
}

// TestPointByHand: latitude and longitude in their two orders.
func TestPointByHand(t *testing.T) {
	p := byHand("hello")
	p.point = &point{lat: toMicro(-17.5), lon: toMicro(178.25)}
	p.place = deg(-18, -16, 177, -179)
	m := written(t, p)
	if got, _ := json.Marshal(m["coordinates"]); string(got) != `{"coordinates":[178.25,-17.5],"type":"Point"}` {
		t.Errorf("coordinates are longitude first; got %s", got)
	}
	if got, _ := json.Marshal(m["geo"]); string(got) != `{"coordinates":[-17.5,178.25],"type":"Point"}` {
		t.Errorf("geo is latitude first; got %s", got)
	}
	blip := p.wants()[1]
	if blip.Lat != -17.5 || blip.Lon != 178.25 || blip.Precision != feed.PrecisionPoint || blip.Origin != "coordinates" || blip.RadiusKm != 0 {
		t.Errorf("blip %+v", blip)
	}
	p.oldPoint = true
	if m := written(t, p); m["coordinates"] != nil || m["geo"] == nil {
		t.Errorf("an old point is in geo alone; coordinates %v, geo %v", m["coordinates"], m["geo"])
	}
	if blip := p.wants()[1]; blip.Origin != "geo" {
		t.Errorf("origin %q, want geo", blip.Origin)
	}
}

// TestPlaceByHand: the ring of a box that crosses the antimeridian.
func TestPlaceByHand(t *testing.T) {
	p := byHand("hello")
	p.place = deg(-17, -16, 179, -179.5)
	m := written(t, p)
	box, ok := m["place"].(map[string]any)
	if !ok {
		t.Fatal("no place")
	}
	got, _ := json.Marshal(box["bounding_box"])
	if string(got) != `{"coordinates":[[[179,-17],[179,-16],[-179.5,-16],[-179.5,-17]]],"type":"Polygon"}` {
		t.Errorf("bounding box %s", got)
	}
	blip := p.wants()[1]
	if blip.Lat != -16.5 || blip.Lon != 179.75 || blip.Precision != feed.PrecisionPlace || blip.Origin != "place" || blip.Country != "FJ" {
		t.Errorf("blip %+v", blip)
	}
}

// TestTextByHand: entities once on the wire, none in what a person reads.
func TestTextByHand(t *testing.T) {
	p := byHand("a < b & c > d, typed &amp; 😊\n\"ü\"\\")
	for _, ascii := range []bool{false, true} {
		p.ascii = ascii
		m := written(t, p)
		if want := "a &lt; b &amp; c &gt; d, typed &amp;amp; 😊\n\"ü\"\\"; m["text"] != want {
			t.Errorf("text %q, want %q", m["text"], want)
		}
	}
	tweet := p.wants()[0]
	if tweet.Body != p.body || tweet.Name != `Ann "<b>" O'K & Co` || tweet.Lang != "he" || len(p.wants()) != 1 {
		t.Errorf("tweet %+v", tweet)
	}
}

// TestRepostByHand: the words of the original in full, its place not at all.
func TestRepostByHand(t *testing.T) {
	original := byHand("one & two. ")
	for len(original.body) < 300 {
		original.body += "one & two. "
	}
	original.place = deg(0, 1, 0, 1)
	p := byHand(original.body)
	p.repost = original
	wants := p.wants()
	if len(wants) != 1 || wants[0].Type != feed.TypeRepost || wants[0].Body != "RT @miro_tal1: "+original.body {
		t.Errorf("wants %+v", wants)
	}
	m := written(t, p)
	text, _ := m["text"].(string)
	if n := len([]rune(text)); n > compatLength || n < compatLength-5 || m["truncated"] != false {
		t.Errorf("text of %d characters, truncated %v", n, m["truncated"])
	}
	inner, _ := m["retweeted_status"].(map[string]any)
	if inner["truncated"] != true || inner["extended_tweet"] == nil || inner["place"] == nil {
		t.Errorf("original: truncated %v, extended_tweet %v, place %v", inner["truncated"], inner["extended_tweet"] != nil, inner["place"] != nil)
	}
}

// TestAwake: by the sun, four in the morning is quiet and four in the
// afternoon is not, everywhere.
func TestAwake(t *testing.T) {
	midnight := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	for _, lon := range []float64{-180, -75, 0, 37.5, 139, 180} {
		local := func(hour float64) time.Time {
			return midnight.Add(time.Duration((hour - lon/15) * float64(time.Hour)))
		}
		if night, day := awake(lon, local(4)), awake(lon, local(16)); night > 0.21 || day < 0.99 {
			t.Errorf("at %v°: %.2f at night, %.2f by day", lon, night, day)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add("a < b & c > d, typed &amp; 😊\n\"ü\"\\\x01")
	f.Fuzz(func(t *testing.T, s string) {
		valid := string([]rune(s))
		for _, ascii := range []bool{false, true} {
			var back string
			raw := textWriter{ascii}.append([]byte{'"'}, valid)
			if err := json.Unmarshal(append(raw, '"'), &back); err != nil {
				t.Fatalf("%q becomes %q: %v", valid, raw, err)
			}
			if got := len([]rune(back)); got != wireLength(valid) {
				t.Errorf("%q has %d characters on the wire, counted %d", valid, got, wireLength(valid))
			}
		}
	})
}
