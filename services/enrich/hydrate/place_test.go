package hydrate_test

import (
	"bufio"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/blipstream/blipstream/internal/decode"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/enrich/hydrate"
)

// Each way tells how it knows, the better one wins, and a way that is not
// configured tells nothing.
func TestLadder(t *testing.T) {
	whole := feed.Upstream{
		Points: []feed.Point{{Lat: 1, Lon: 2, Origin: "coordinates"}}, Boxes: []feed.Box{box(5, 50, 6, 51)},
		ProfileLocation: "Lagos, Nigeria", Texts: []string{"Snow in Oslo today"},
	}
	less := func(change func(*feed.Upstream)) feed.Upstream {
		up := whole
		change(&up)
		return up
	}
	noPoint := less(func(u *feed.Upstream) { u.Points = nil })
	city := less(func(u *feed.Upstream) { u.Points, u.Boxes = nil, nil })
	text := less(func(u *feed.Upstream) { u.Points, u.Boxes, u.ProfileLocation = nil, nil, "somewhere" })
	every := hydrate.AllPositions()
	for name, c := range map[string]struct {
		up        feed.Upstream
		positions []string
		precision feed.Precision
		origin    string
		city      string
	}{
		"point":             {whole, every, "point", "coordinates", ""},
		"place":             {noPoint, every, "place", "place", ""},
		"profile":           {city, every, "profile", "profile", "Lagos NG"},
		"mention":           {text, every, "mention", "text", "Oslo NO"},
		"in another order":  {whole, []string{"mention", "point"}, "mention", "text", "Oslo NO"},
		"only what is told": {city, []string{"point", "place"}, "", "", ""},
		"no mentions":       {text, []string{"profile"}, "", "", ""},
		"nothing":           {feed.Upstream{}, every, "", "", ""},
	} {
		chain, err := hydrate.New([]string{"body", "position"}, hydrate.Options{MaxRadiusKm: 500, Positions: c.positions}, &log{})
		if err != nil {
			t.Fatal(err)
		}
		rec := feed.Record{Upstream: c.up, Lang: "en"}
		chain.Hydrate(&rec)
		if (rec.Position == nil) != (c.precision == "") {
			t.Errorf("%s: %+v", name, rec.Position)
			continue
		}
		if p := rec.Position; p != nil && (p.Precision != c.precision || p.Origin != c.origin || (p.RadiusKm == 0) != (c.precision == "point")) {
			t.Errorf("%s: %+v", name, p)
		}
		if c.city != "" && rec.City+" "+rec.Country != c.city {
			t.Errorf("%s: in %s, %s", name, rec.City, rec.Country)
		}
		removal := feed.Record{Upstream: c.up, Change: feed.ChangeRemoveGeo}
		if chain.Hydrate(&removal); removal.Position != nil {
			t.Errorf("%s: a removal got a position", name)
		}
	}
}

// What the source tells of the country counts before the nearest town, and a
// city is named only where the position is close to one.
func TestCountry(t *testing.T) {
	chain := newChain(t, "position", "country")
	for name, c := range map[string]struct {
		up            feed.Upstream
		country, city string
	}{
		"told":            {feed.Upstream{Boxes: []feed.Box{{Country: ""}, {Country: "FRA"}, {Country: "fr"}}}, "FR", ""},
		"told, too large": {feed.Upstream{Boxes: []feed.Box{with(box(-125, 24, -66, 49), "US")}}, "US", ""},
		"not told":        {feed.Upstream{Points: []feed.Point{{Lat: 51.5, Lon: -0.12}}}, "GB", "London"},
		"told and near":   {feed.Upstream{Boxes: []feed.Box{with(box(-0.5, 51.3, 0.3, 51.7), "GB")}}, "GB", "London"},
		"told otherwise":  {feed.Upstream{Boxes: []feed.Box{with(box(7.58, 47.55, 7.59, 47.56), "DE")}}, "DE", ""},
		"a region":        {feed.Upstream{Boxes: []feed.Box{box(-2, 51, 0, 52)}}, "GB", ""},
		"the sea":         {feed.Upstream{Points: []feed.Point{{Lat: 0, Lon: 0}}}, "", ""},
		"nothing":         {feed.Upstream{}, "", ""},
	} {
		rec := feed.Record{Upstream: c.up}
		if chain.Hydrate(&rec); rec.Country != c.country || rec.City != c.city {
			t.Errorf("%s: %q, %q, want %q, %q", name, rec.Country, rec.City, c.country, c.city)
		}
	}
}

// with is b in a country.
func with(b feed.Box, country string) feed.Box {
	b.Country = country
	return b
}

// spreadOut is where posts of ids 0 to n-1 are put.
func spreadOut(t *testing.T, n int, up feed.Upstream) []*feed.Position {
	t.Helper()
	chain := newChain(t, "body", "position", "spread")
	all := make([]*feed.Position, n)
	for i := range all {
		for range 2 { // the same each time
			rec := feed.Record{ID: strconv.Itoa(i), Source: "demo", Lang: "en", Upstream: up}
			chain.Hydrate(&rec)
			if all[i] != nil && *all[i] != *rec.Position {
				t.Fatalf("%d is at %+v and at %+v", i, all[i], rec.Position)
			}
			all[i] = rec.Position
		}
	}
	return all
}

// A thousand posts of one place lie on a thousand spots within it, around its
// middle, and none claims to be closer to the truth than it is.
func TestSpread(t *testing.T) {
	const n = 1000
	across := box(179.5, -17, -179.5, -16)
	for name, c := range map[string]struct {
		up       feed.Upstream
		lat, lon float64 // the middle
		high     float64 // the farthest from it, in degrees
	}{
		"box":                         {feed.Upstream{Boxes: []feed.Box{box(-0.5, 51.3, 0.3, 51.7)}}, 51.5, -0.1, 0.1},
		"box across the antimeridian": {feed.Upstream{Boxes: []feed.Box{across}}, -16.5, 180, 0.25},
		"profile":                     {feed.Upstream{ProfileLocation: "Oslo"}, 59.91, 10.75, 0.05},
		"mention":                     {feed.Upstream{Texts: []string{"Snow in Oslo"}}, 59.91, 10.75, 0.05},
	} {
		seen := map[[2]float64]bool{}
		var lat, lon float64
		for _, p := range spreadOut(t, n, c.up) {
			seen[[2]float64{p.Lat, p.Lon}] = true
			east := math.Remainder(p.Lon-c.lon, 360)
			lat, lon = lat+(p.Lat-c.lat)/n, lon+east/n
			if math.Abs(p.Lat-c.lat) > c.high || math.Abs(east) > 0.26 || math.Abs(p.Lon) > 180 || p.RadiusKm == 0 {
				t.Errorf("%s: %+v", name, p)
			}
		}
		if len(seen) != n || math.Abs(lat) > 0.02 || math.Abs(lon) > 0.02 {
			t.Errorf("%s: %d spots around %v, %v", name, len(seen), lat, lon)
		}
	}
	for _, p := range spreadOut(t, 3, feed.Upstream{Points: []feed.Point{{Lat: 1, Lon: 2}}}) {
		if p.Lat != 1 || p.Lon != 2 {
			t.Errorf("a point was moved to %+v", p)
		}
	}
	for _, p := range spreadOut(t, 3, feed.Upstream{Boxes: []feed.Box{box(5, 50, 5, 50)}}) {
		if p.Lat != 50 || p.Lon != 5 || p.RadiusKm != 0 {
			t.Errorf("a box without extent was left for %+v", p)
		}
	}
}

// Every tweet of the corpus with a point is at it and every one with a box
// within it, as the hydrators are by default.
func TestCorpusWithinItsBox(t *testing.T) {
	dir := os.Getenv("BLIPSTREAM_CORPUS")
	if dir == "" {
		t.Skip("BLIPSTREAM_CORPUS is not set")
	}
	files, err := filepath.Glob(filepath.Join(dir, "twitter-v1", "*.ndjson"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	chain := newChain(t, hydrate.Defaults()...)
	var told, cities int
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			rec, err := decode.Decode(feed.Item{Source: "corpus", Data: lines.Bytes()})
			if err != nil {
				t.Fatal(err)
			}
			chain.Hydrate(&rec)
			switch lat, lon, known := expected(t, lines.Bytes()); {
			case known:
				told++
				inside(t, &rec, lat, lon)
			case rec.Position != nil:
				cities++
				t.Logf("%s: %s of %q, %s, %s", rec.ID, rec.Position.Precision, rec.Upstream.ProfileLocation, rec.City, rec.Country)
			}
		}
	}
	t.Logf("%d tweets tell a position; %d more are in a city", told, cities)
	if told < 12 {
		t.Errorf("compared %d positions, the corpus has 12 and more", told)
	}
}

// inside checks that rec is at its point, or in its box around lat, lon.
func inside(t *testing.T, rec *feed.Record, lat, lon float64) {
	t.Helper()
	p := rec.Position
	if p == nil {
		t.Errorf("%s has no position", rec.ID)
		return
	}
	if p.Precision == feed.PrecisionPoint {
		if math.Abs(p.Lat-lat) > tiny || math.Abs(p.Lon-lon) > tiny {
			t.Errorf("%s: %+v, want %v, %v", rec.ID, p, lat, lon)
		}
		return
	}
	south, north, east := 90.0, -90.0, 0.0
	for _, c := range rec.Upstream.Boxes[0].Ring {
		south, north = min(south, c[1]), max(north, c[1])
		east = max(east, math.Abs(math.Remainder(c[0]-lon, 360)))
	}
	if p.Precision != feed.PrecisionPlace || p.Lat < south || p.Lat > north || math.Abs(math.Remainder(p.Lon-lon, 360)) > east {
		t.Errorf("%s: %+v is outside of its box", rec.ID, p)
	}
}
