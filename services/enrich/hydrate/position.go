package hydrate

import (
	"math"
	"slices"

	"github.com/blipstream/blipstream/internal/feed"
)

// Position sets where a post was made: the first exact point that is on Earth,
// else the centre of the first place's box that is. Half of the box's diagonal
// is kept as the radius within which the truth lies.
//
// A place that is larger than MaxRadiusKm is no position, because its centre
// says nothing: that of the United States lies in Kansas, where hardly any of
// their posts are made.
type Position struct {
	// MaxRadiusKm is in kilometres; 0 stands for no bound.
	MaxRadiusKm float64
}

// Name implements Hydrator.
func (Position) Name() string { return "position" }

// Hydrate implements Hydrator.
func (p Position) Hydrate(rec *feed.Record) {
	for _, pt := range rec.Upstream.Points {
		if onEarth(pt.Lat, pt.Lon) {
			rec.Position = &feed.Position{
				Lat: pt.Lat, Lon: pt.Lon, Precision: feed.PrecisionPoint, Origin: pt.Origin,
			}
			return
		}
	}
	for _, b := range rec.Upstream.Boxes {
		if pos, ok := centre(b.Ring); ok && (p.MaxRadiusKm == 0 || pos.RadiusKm <= p.MaxRadiusKm) {
			pos.Origin = b.Origin
			rec.Position = &pos
			return
		}
	}
}

// onEarth reports whether lat, lon are degrees of a place. NaN is not.
func onEarth(lat, lon float64) bool {
	return math.Abs(lat) <= 90 && math.Abs(lon) <= 180
}

// centre is the middle of the smallest box around the corners in ring, each
// [lon, lat], in any order, closed or not.
func centre(ring [][2]float64) (feed.Position, bool) {
	if len(ring) == 0 {
		return feed.Position{}, false
	}
	south, north := ring[0][1], ring[0][1]
	for _, c := range ring {
		if !onEarth(c[1], c[0]) {
			return feed.Position{}, false
		}
		south, north = min(south, c[1]), max(north, c[1])
	}
	west, width, ok := span(ring)
	if !ok {
		return feed.Position{}, false
	}
	return feed.Position{
		Lat:       south + (north-south)/2,
		Lon:       wrap(west + width/2),
		Precision: feed.PrecisionPlace,
		RadiusKm:  metres(distanceKm(south, west, north, west+width) / 2),
	}, true
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
	if lon > 180 {
		return lon - 360
	}
	return lon
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
