package legacy

// onEarth reports whether lat and lon, in degrees, are a place. It is false
// for NaN.
func onEarth(lat, lon float64) bool {
	return lat >= -90 && lat <= 90 && lon >= -180 && lon <= 180
}

// box is a bounding box in degrees; one across the antimeridian has its east
// beyond 180.
type box struct{ west, south, east, north float64 }

// bounds is the box around a ring of [lon, lat]. Corners more than half the
// globe apart are taken to lie on both sides of the antimeridian.
func bounds(ring [][2]float64) (box, bool) {
	if len(ring) == 0 {
		return box{}, false
	}
	first := ring[0]
	b := box{first[0], first[1], first[0], first[1]}
	for _, c := range ring {
		if !onEarth(c[1], c[0]) {
			return box{}, false
		}
		b.west, b.east = min(b.west, c[0]), max(b.east, c[0])
		b.south, b.north = min(b.south, c[1]), max(b.north, c[1])
	}
	if b.east-b.west > 180 {
		b.west, b.east = across(ring)
	}
	return b, true
}

// across is the west and east of a ring that crosses the antimeridian.
func across(ring [][2]float64) (west, east float64) {
	west, east = 180, 180
	for _, c := range ring {
		if c[0] >= 0 {
			west = min(west, c[0])
		} else {
			east = max(east, c[0]+360)
		}
	}
	return west, east
}

func (b box) centre() (lat, lon float64) {
	return (b.south + b.north) / 2, wrap((b.west + b.east) / 2)
}

// ring is the four corners as Twitter writes them: from the south-west, not
// closed.
func (b box) ring() [][2]float64 {
	west, east := wrap(b.west), wrap(b.east)
	return [][2]float64{{west, b.south}, {east, b.south}, {east, b.north}, {west, b.north}}
}

// wrap brings a longitude of at most 540 back to the usual range.
func wrap(lon float64) float64 {
	if lon > 180 {
		return lon - 360
	}
	return lon
}
