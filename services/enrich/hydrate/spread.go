package hydrate

import (
	"math"

	"github.com/blipstream/blipstream/internal/feed"
)

// Spread moves positions that are not exact, so that a thousand posts from one
// city do not lie on one pixel of the map. Each goes to a place of its own that
// depends on its id alone, so that it is the same however often it is made: in
// the inner half of a place's box, or within half the radius of a city. Points
// are never moved. The radius grows by the way it went, since the truth may lie
// that much farther.
type Spread struct{}

// Name implements Hydrator.
func (Spread) Name() string { return "spread" }

// Hydrate implements Hydrator.
func (Spread) Hydrate(rec *feed.Record) {
	p := rec.Position
	if p == nil || p.RadiusKm == 0 {
		return
	}
	switch p.Precision {
	case feed.PrecisionPlace:
		if e, ok := boxOf(rec); ok {
			rec.Position = moved(p, inBox(e, rec))
		}
	case feed.PrecisionProfile, feed.PrecisionMention:
		rec.Position = moved(p, inCircle(p, rec))
	case feed.PrecisionPoint:
	}
}

// place is degrees north and east.
type place struct{ lat, lon float64 }

// moved is p at another place.
func moved(p *feed.Position, to place) *feed.Position {
	next := *p
	next.Lat, next.Lon = to.lat, wrap(to.lon)
	next.RadiusKm = metres(p.RadiusKm + distanceKm(p.Lat, p.Lon, to.lat, to.lon))
	return &next
}

// boxOf is the box whose centre rec's position is.
func boxOf(rec *feed.Record) (extent, bool) {
	for _, b := range rec.Upstream.Boxes {
		pos, ok := centre(b.Ring)
		if ok && pos.Lat == rec.Position.Lat && pos.Lon == rec.Position.Lon {
			return extentOf(b.Ring)
		}
	}
	return extent{}, false
}

// inBox is a place in the inner half of a box.
func inBox(e extent, rec *feed.Record) place {
	u, v := dice(rec)
	return place{e.south + e.height*(0.25+u/2), e.west + e.width*(0.25+v/2)}
}

// inCircle is a place within half the radius around a position.
func inCircle(p *feed.Position, rec *feed.Record) place {
	u, v := dice(rec)
	away := p.RadiusKm / 2 * math.Sqrt(u) / (earthKm * math.Pi / 180)
	north, east := math.Sincos(2 * math.Pi * v)
	lat := max(-90, min(90, p.Lat+away*north))
	narrow := max(0.01, math.Cos(lat*math.Pi/180)) // a degree of longitude is as much shorter
	return place{lat, p.Lon + away*east/narrow}
}

// dice throws two numbers from 0 to 1 that depend on the post alone.
func dice(rec *feed.Record) (u, v float64) {
	const (
		fnvOffset = 14695981039346656037
		fnvPrime  = 1099511628211
	)
	h := uint64(fnvOffset)
	for _, s := range [...]string{rec.Source, "\x00", rec.ID} {
		for i := range len(s) {
			h = (h ^ uint64(s[i])) * fnvPrime
		}
	}
	// FNV leaves neighbours alike in their high bits; this is how SplitMix64
	// ends, which does not.
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	h ^= h >> 31
	return float64(h>>32) / (1 << 32), float64(h&math.MaxUint32) / (1 << 32)
}
