package hydrate

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/gazetteer"
)

// AllPositions are the ways in which a position may be known, from the best.
func AllPositions() []string {
	return []string{
		string(feed.PrecisionPoint), string(feed.PrecisionPlace), string(feed.PrecisionProfile), string(feed.PrecisionMention),
	}
}

// Position sets where a post is on the map, by the first of its ways that tells
// one. Each says how it knows, and from what:
//
//   - point: the first exact point that is on Earth;
//   - place: the centre of the first place's box that is, with half of the
//     box's diagonal as the radius within which the truth lies;
//   - profile: the city where the author says to live;
//   - mention: the city that the text names. It is what the post is about and
//     never said to be where its author is.
//
// A place that is larger than MaxRadiusKm is no position, because its centre
// says nothing: that of the United States lies in Kansas, where hardly any of
// their posts are made.
type Position struct {
	// MaxRadiusKm is in kilometres; 0 stands for no bound.
	MaxRadiusKm float64
	// ways are tried in order; nil stands for points and places.
	ways   []feed.Precision
	cities *gazetteer.Gazetteer
}

// newPosition makes a Position. It loads the cities only for ways that need them.
func newPosition(s *stock) (Hydrator, error) {
	p := Position{MaxRadiusKm: s.options.MaxRadiusKm}
	names := s.options.Positions
	if names == nil {
		names = AllPositions()
	}
	for i, name := range names {
		if !slices.Contains(AllPositions(), name) {
			return nil, fmt.Errorf("there is no position %q, only %s", name, strings.Join(AllPositions(), ", "))
		}
		if slices.Contains(names[:i], name) {
			return nil, fmt.Errorf("position %q is there twice", name)
		}
		p.ways = append(p.ways, feed.Precision(name))
	}
	if slices.Contains(p.ways, feed.PrecisionProfile) || slices.Contains(p.ways, feed.PrecisionMention) {
		cities, err := s.gazetteer()
		if err != nil {
			return nil, err
		}
		p.cities = cities
	}
	return p, nil
}

// Name implements Hydrator.
func (Position) Name() string { return "position" }

// Hydrate implements Hydrator.
func (p Position) Hydrate(rec *feed.Record) {
	if rec.Change != feed.ChangePost {
		return
	}
	if p.ways == nil {
		_ = p.point(rec) || p.place(rec)
		return
	}
	for _, way := range p.ways {
		if p.by(way, rec) {
			return
		}
	}
}

// by sets the position in one way, if that tells one.
func (p Position) by(way feed.Precision, rec *feed.Record) bool {
	switch way {
	case feed.PrecisionPoint:
		return p.point(rec)
	case feed.PrecisionPlace:
		return p.place(rec)
	case feed.PrecisionProfile:
		hints := gazetteer.Hints{Lang: rec.Lang, Country: toldCountry(rec)}
		return inCity(rec, p.cities.Profile(rec.Upstream.ProfileLocation, hints), way, "profile")
	case feed.PrecisionMention:
		hints := gazetteer.Hints{Lang: rec.Lang, Country: toldCountry(rec)}
		return inCity(rec, p.cities.Mention(rec.Body, hints), way, "text")
	default:
		return false
	}
}

// point takes the first exact point that is on Earth.
func (p Position) point(rec *feed.Record) bool {
	for _, pt := range rec.Upstream.Points {
		if onEarth(pt.Lat, pt.Lon) {
			rec.Position = &feed.Position{
				Lat: pt.Lat, Lon: pt.Lon, Precision: feed.PrecisionPoint, Origin: pt.Origin,
			}
			return true
		}
	}
	return false
}

// place takes the first box that is on Earth and not too large.
func (p Position) place(rec *feed.Record) bool {
	for _, b := range rec.Upstream.Boxes {
		if pos, ok := centre(b.Ring); ok && (p.MaxRadiusKm == 0 || pos.RadiusKm <= p.MaxRadiusKm) {
			pos.Origin = b.Origin
			rec.Position = &pos
			return true
		}
	}
	return false
}

// inCity puts rec into a city, if there is one.
func inCity(rec *feed.Record, city *gazetteer.City, way feed.Precision, origin string) bool {
	if city == nil {
		return false
	}
	rec.Position = &feed.Position{
		Lat: city.Lat, Lon: city.Lon, Precision: way, RadiusKm: metres(city.RadiusKm()), Origin: origin,
	}
	rec.City, rec.Country = city.Name, city.Country
	return true
}

// onEarth reports whether lat, lon are degrees of a place. NaN is not.
func onEarth(lat, lon float64) bool {
	return math.Abs(lat) <= 90 && math.Abs(lon) <= 180
}

// centre is the middle of the smallest box around the corners in ring, each
// [lon, lat], in any order, closed or not.
func centre(ring [][2]float64) (feed.Position, bool) {
	e, ok := extentOf(ring)
	if !ok {
		return feed.Position{}, false
	}
	return feed.Position{
		Lat:       e.south + e.height/2,
		Lon:       wrap(e.west + e.width/2),
		Precision: feed.PrecisionPlace,
		RadiusKm:  metres(distanceKm(e.south, e.west, e.south+e.height, e.west+e.width) / 2),
	}, true
}

// extent is a box, in degrees. It may reach over the antimeridian.
type extent struct{ south, west, height, width float64 }

// extentOf is the smallest box around corners; false if one is not on Earth.
func extentOf(ring [][2]float64) (e extent, ok bool) {
	if len(ring) == 0 {
		return e, false
	}
	south, north := ring[0][1], ring[0][1]
	for _, c := range ring {
		if !onEarth(c[1], c[0]) {
			return e, false
		}
		south, north = min(south, c[1]), max(north, c[1])
	}
	e.south, e.height = south, north-south
	e.west, e.width, ok = span(ring)
	return e, ok
}

// span is the western end and the width, in degrees, of the narrowest stretch
// of longitudes that holds all corners. It may cross the antimeridian: a ring
// does not say which way around the Earth it goes, and no place that is small
// enough to be a position goes the long way. A ring with corners at both -180
// and 180 may go all the way around or nowhere; it is refused.
func span(ring [][2]float64) (west, width float64, ok bool) {
	lons := make([]float64, 0, 8) // a box has four corners, five if closed
	for _, c := range ring {
		lons = append(lons, c[0])
	}
	slices.Sort(lons)
	first, last := lons[0], lons[len(lons)-1]
	if first == -180 && last == 180 {
		return 0, 0, false
	}
	// The narrowest stretch is what the widest gap between neighbours leaves.
	// The gap behind the last one crosses the antimeridian.
	west, gap := first, 360-(last-first)
	for i := 1; i < len(lons); i++ {
		if g := lons[i] - lons[i-1]; g > gap {
			west, gap = lons[i], g
		}
	}
	return west, 360 - gap, true
}

// wrap brings a longitude that may have crossed the antimeridian back.
func wrap(lon float64) float64 {
	switch {
	case lon > 180:
		return lon - 360
	case lon < -180:
		return lon + 360
	default:
		return lon
	}
}

// earthKm is the mean radius of the Earth as the IUGG defines it.
const earthKm = 6371.0088

// distanceKm is the length of the great circle between two places, by the
// haversine formula, which keeps its digits where they are close.
func distanceKm(lat1, lon1, lat2, lon2 float64) float64 {
	const rad = math.Pi / 180
	dLat, dLon := (lat2-lat1)*rad, (lon2-lon1)*rad
	h := hav(dLat) + math.Cos(lat1*rad)*math.Cos(lat2*rad)*hav(dLon)
	return 2 * earthKm * math.Asin(math.Sqrt(min(h, 1)))
}

// hav is the haversine of an angle in radians.
func hav(a float64) float64 {
	s := math.Sin(a / 2)
	return s * s
}

// metres rounds kilometres to whole metres; a radius has no more digits than that.
func metres(km float64) float64 { return math.Round(km*1000) / 1000 }
