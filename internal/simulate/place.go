package simulate

import (
	"math"

	"github.com/blipstream/blipstream/internal/simulate/atlas"
	"github.com/blipstream/blipstream/internal/simulate/dice"
)

// micro is an angle in millionths of a degree. A whole number is written into
// JSON and computed with alike, with nothing lost on either way.
type micro int64

const (
	degree     micro = 1_000_000
	fullCircle       = 360 * degree
	halfCircle       = 180 * degree
)

func toMicro(deg float64) micro { return micro(math.Round(deg * float64(degree))) }

func (m micro) degrees() float64 { return float64(m) / float64(degree) }

// point is an exact position.
type point struct{ lat, lon micro }

// place is a named box. It crosses the antimeridian if east is less than west.
type place struct {
	id         uint64
	kind       string // v1.1's place_type
	name       string
	country    *atlas.Country
	south      micro
	north      micro
	west, east micro
}

// Shares among the posts that tell a position.
const (
	sharePoint    = 0.30 // coordinates, geo and a place
	shareOldPoint = 0.03 // geo alone, as very old programs posted
	shareZero     = 0.25 // of points within half a degree of the equator or Greenwich: on it
)

// Shares among places.
const (
	shareSpot     = 0.02 // a box without extent
	shareDistrict = 0.25
)

// dateline is the longitude, either way, beyond which places are regions that
// reach over the antimeridian, as the boxes of Taveuni and Chukotka do.
const dateline = 176.0

// locate decides what a post tells about where it was posted.
func (w *World) locate(p *post, d *dice.Dice) {
	if !d.Chance(w.o.Geo) {
		return
	}
	switch r := d.Float(); {
	case r < sharePoint:
		p.point = near(p.author.city, d)
		p.place = w.placeIn(p.author.city, d)
	case r < sharePoint+shareOldPoint:
		p.point, p.oldPoint = near(p.author.city, d), true
	default:
		p.place = w.placeIn(p.author.city, d)
	}
}

// spread is how far a city reaches from its centre, in degrees of latitude:
// 2 km, and 6 km more for each thousand in the square root of its population.
func spread(c *atlas.City) float64 {
	return (2 + 6*math.Sqrt(float64(c.Population))/1000) / kmPerDegree
}

// kmPerDegree is the length of a degree of latitude.
const kmPerDegree = 111.2

// narrow is how many degrees of longitude are as long as a degree of latitude.
func narrow(lat float64) float64 { return 1 / max(0.1, math.Cos(lat*math.Pi/180)) }

// near throws a point in a city.
func near(c *atlas.City, d *dice.Dice) *point {
	s := spread(c) / 2
	pt := &point{
		lat: toMicro(max(-89, min(89, c.Lat+s*d.Normal()))),
		lon: wrap(toMicro(c.Lon + s*narrow(c.Lat)*d.Normal())),
	}
	if math.Abs(c.Lat) < 0.5 && d.Chance(shareZero) {
		pt.lat = 0
	}
	if math.Abs(c.Lon) < 0.5 && d.Chance(shareZero) {
		pt.lon = 0
	}
	return pt
}

// placeIn throws a place a person in c would tell: mostly the city itself.
func (w *World) placeIn(c *atlas.City, d *dice.Dice) *place {
	id := d.Uint64()
	switch r := d.Float(); {
	case math.Abs(c.Lon) > dateline:
		return region(c, id)
	case r < shareSpot:
		pt := near(c, d)
		return &place{id, "poi", c.Name, c.Country, pt.lat, pt.lat, pt.lon, pt.lon}
	case r < shareSpot+shareDistrict:
		pt := near(c, d)
		return boxAround(id, "neighborhood", c, pt.lat.degrees(), pt.lon.degrees(), spread(c)/5, 0)
	}
	return boxAround(uint64(c.Index), "city", c, c.Lat, c.Lon, spread(c), 0)
}

// region reaches from a town near the antimeridian to some way beyond it.
func region(c *atlas.City, id uint64) *place {
	return boxAround(id, "admin", c, c.Lat, c.Lon, 0.4, 180-math.Abs(c.Lon)+0.3)
}

// boxAround makes a place of half degrees of latitude to each side, and as
// much in longitude, but atLeast.
func boxAround(id uint64, kind string, c *atlas.City, lat, lon, half, atLeast float64) *place {
	wide := max(atLeast, half*narrow(lat))
	return &place{
		id: id, kind: kind, name: c.Name, country: c.Country,
		south: toMicro(max(-90, lat-half)), north: toMicro(min(90, lat+half)),
		west: wrap(toMicro(lon - wide)), east: wrap(toMicro(lon + wide)),
	}
}

// wrap brings a longitude into ±180°.
func wrap(lon micro) micro {
	switch {
	case lon > halfCircle:
		return lon - fullCircle
	case lon < -halfCircle:
		return lon + fullCircle
	}
	return lon
}
