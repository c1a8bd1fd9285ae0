package hydrate_test

import (
	"bufio"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/quick"

	"github.com/blipstream/blipstream/internal/decode"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/enrich/hydrate"
)

// box is the ring of the box with these edges, as Twitter writes it: from the
// south-west corner, not closed.
func box(west, south, east, north float64) feed.Box {
	return feed.Box{
		Ring:   [][2]float64{{west, south}, {west, north}, {east, north}, {east, south}},
		Origin: "place",
	}
}

// closed is b with its first corner again at the end.
func closed(b feed.Box) feed.Box {
	b.Ring = append(slices.Clip(b.Ring), b.Ring[0])
	return b
}

// place is where hydrators put a post of which only boxes are known.
func place(t *testing.T, boxes ...feed.Box) *feed.Position {
	t.Helper()
	return all(t, feed.Upstream{Boxes: boxes}).Position
}

const tiny = 1e-9

func TestCentreOfBox(t *testing.T) {
	for name, c := range map[string]struct {
		box      feed.Box
		lat, lon float64
	}{
		"ordinary":              {box(-0.5, 51.3, 0.3, 51.7), 51.5, -0.1},
		"closed":                {closed(box(-0.5, 51.3, 0.3, 51.7)), 51.5, -0.1},
		"equator and Greenwich": {box(-1, -1, 1, 1), 0, 0},
		"across 180":            {box(177.2, -19, -178.2, -16), -17.5, 179.5},
		"across 180, closed":    {closed(box(177.2, -19, -178.2, -16)), -17.5, 179.5},
		"across 180, to the W":  {box(179, -19, -177, -16), -17.5, -179},
		"up to 180":             {box(179, 10, 180, 11), 10.5, 179.5},
		"from -180":             {box(-180, 10, -179, 11), 10.5, -179.5},
		"one point":             {box(5, 50, 5, 50), 50, 5},
		"a line":                {box(5, 50, 6, 50), 50, 5.5},
		"at the pole":           {box(10, 89, 11, 90), 89.5, 10.5},
		"one corner":            {feed.Box{Ring: [][2]float64{{5, 50}}, Origin: "place"}, 50, 5},
		"corners in disorder":   {feed.Box{Ring: [][2]float64{{6, 51}, {5, 50}, {6, 50}, {5, 51}}, Origin: "place"}, 50.5, 5.5},
	} {
		p := place(t, c.box)
		if p == nil {
			t.Errorf("%s: no position", name)
			continue
		}
		if math.Abs(p.Lat-c.lat) > tiny || math.Abs(p.Lon-c.lon) > tiny {
			t.Errorf("%s: %v, %v, want %v, %v", name, p.Lat, p.Lon, c.lat, c.lon)
		}
		if p.Precision != feed.PrecisionPlace || p.Origin != "place" {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestRadius(t *testing.T) {
	// One degree of a meridian is 111.195 km on a sphere of the mean radius.
	for _, c := range []struct {
		box  feed.Box
		want float64
	}{
		{box(5, 50, 5, 51), 111.195 / 2},
		{box(0, 0, 2, 0), 111.195},
		{box(179, 0, -179, 0), 111.195},
		{box(5, 50, 5, 50), 0},
	} {
		if p := place(t, c.box); p == nil || math.Abs(p.RadiusKm-c.want) > 0.001 {
			t.Errorf("%+v: %+v, want radius %v", c.box.Ring, p, c.want)
		}
	}
}

func TestNoPosition(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for name, b := range map[string]feed.Box{
		"no ring":        {},
		"lat first":      box(51.3, -100, 51.7, 0.3),
		"lat too high":   box(5, 50, 6, 91),
		"lon too high":   box(5, 50, 181, 51),
		"NaN":            box(5, nan, 6, 51),
		"infinite":       box(5, 50, inf, 51),
		"a country":      box(-125, 24, -66, 49),
		"all the Earth":  box(-180, -90, 180, 90),
		"round the pole": box(-180, 80, 180, 81),
	} {
		if p := place(t, b); p != nil {
			t.Errorf("%s: %+v, want none", name, p)
		}
	}
	if p := all(t, feed.Upstream{}).Position; p != nil {
		t.Errorf("nothing told: %+v", p)
	}
}

func TestLargePlacesOnlyIfAskedFor(t *testing.T) {
	rec := feed.Record{Upstream: feed.Upstream{Boxes: []feed.Box{box(-125, 24, -66, 49)}}}
	hydrate.Position{}.Hydrate(&rec)
	if rec.Position == nil || rec.Position.RadiusKm < 2000 {
		t.Errorf("without a bound: %+v", rec.Position)
	}
}

func TestExactBeforePlace(t *testing.T) {
	here := feed.Point{Lat: 1, Lon: 2, Origin: "coordinates"}
	older := feed.Point{Lat: 3, Lon: 4, Origin: "geo"}
	wrong := feed.Point{Lat: 95, Lon: 190, Origin: "coordinates"}
	nan := feed.Point{Lat: math.NaN(), Lon: math.NaN(), Origin: "coordinates"}
	null := feed.Point{Origin: "coordinates"}
	city := box(5, 50, 5, 50)
	for name, c := range map[string]struct {
		points []feed.Point
		origin string
	}{
		"both":             {[]feed.Point{here, older}, "coordinates"},
		"first off Earth":  {[]feed.Point{wrong, older}, "geo"},
		"first unreadable": {[]feed.Point{nan, older}, "geo"},
		"all off Earth":    {[]feed.Point{wrong, nan}, "place"},
		"Null Island":      {[]feed.Point{null}, "coordinates"},
		"none":             {nil, "place"},
	} {
		p := all(t, feed.Upstream{Points: c.points, Boxes: []feed.Box{city}}).Position
		if p == nil || p.Origin != c.origin {
			t.Errorf("%s: %+v, want one of %s", name, p, c.origin)
		}
		if p != nil && (p.Precision == feed.PrecisionPoint) != (c.origin != "place") {
			t.Errorf("%s: precision %s of %s", name, p.Precision, p.Origin)
		}
	}
}

// Whatever box, the centre is on Earth and no corner is farther from it than
// the box is wide and high.
func TestCentreIsOnEarth(t *testing.T) {
	onEarth := func(a, b, c, d uint16) bool {
		deg := func(v uint16, span float64) float64 { return (float64(v)/math.MaxUint16*2 - 1) * span }
		west, south := deg(a, 179.9), deg(b, 90)
		rec := feed.Record{Upstream: feed.Upstream{Boxes: []feed.Box{box(west, south, deg(c, 179.9), deg(d, 90))}}}
		hydrate.Position{}.Hydrate(&rec)
		p := rec.Position
		return p != nil && math.Abs(p.Lat) <= 90 && math.Abs(p.Lon) <= 180 &&
			p.RadiusKm >= 0 && p.RadiusKm <= 10_008 // a quarter of a great circle
	}
	if err := quick.Check(onEarth, nil); err != nil {
		t.Error(err)
	}
}

// Every position of the corpus is where a calculation of another kind puts it:
// the mean of the corners as unit vectors' longitudes and plain latitudes, read
// from maps, not from this project's types.
func TestCorpusPositions(t *testing.T) {
	dir := os.Getenv("BLIPSTREAM_CORPUS")
	if dir == "" {
		t.Skip("BLIPSTREAM_CORPUS is not set")
	}
	files, err := filepath.Glob(filepath.Join(dir, "twitter-v1", "*.ndjson"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	places := 0
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if compare(t, lines.Bytes()) {
				places++
			}
		}
	}
	if places < 12 {
		t.Errorf("compared %d positions, the corpus has 12 and more", places)
	}
}

// compare checks the position of one line; it reports whether there is one.
func compare(t *testing.T, line []byte) bool {
	t.Helper()
	rec, err := decode.Decode(feed.Item{Data: line})
	if err != nil {
		t.Fatal(err)
	}
	lat, lon, known := expected(t, line)
	p := all(t, rec.Upstream).Position
	if known != (p != nil) {
		t.Errorf("%s: position %+v, want one: %v", rec.ID, p, known)
	}
	if !known || p == nil {
		return false
	}
	if math.Abs(p.Lat-lat) > tiny || math.Abs(p.Lon-lon) > tiny {
		t.Errorf("%s: %v, %v, want %v, %v", rec.ID, p.Lat, p.Lon, lat, lon)
	}
	return true
}

// expected calculates a line's position without any code of this project.
func expected(t *testing.T, line []byte) (lat, lon float64, known bool) {
	t.Helper()
	var tweet map[string]any
	if err := json.Unmarshal(line, &tweet); err != nil {
		t.Fatal(err)
	}
	if c, ok := tweet["coordinates"].(map[string]any); ok {
		pair, _ := c["coordinates"].([]any)
		return pair[1].(float64), pair[0].(float64), true //nolint:errcheck // the corpus is known
	}
	p, ok := tweet["place"].(map[string]any)
	if !ok {
		return 0, 0, false
	}
	b, _ := p["bounding_box"].(map[string]any)
	rings, _ := b["coordinates"].([]any)
	ring, _ := rings[0].([]any)
	var x, y float64
	for _, corner := range ring {
		pair, _ := corner.([]any)
		sin, cos := math.Sincos(pair[0].(float64) * math.Pi / 180) //nolint:errcheck // the corpus is known
		x, y = x+cos, y+sin
		lat += pair[1].(float64) / float64(len(ring)) //nolint:errcheck // the corpus is known
	}
	return lat, math.Atan2(y, x) * 180 / math.Pi, true
}
