package filter

import (
	"errors"
	"strconv"
	"strings"
)

// Box is a part of the Earth between two meridians and two parallels, in
// degrees, its borders included. Where West is more than East it lies across
// the antimeridian.
type Box struct{ West, South, East, North float64 }

var errBox = errors.New("is west,south,east,north in degrees, south not above north")

// parseBox reads "west,south,east,north".
func parseBox(s string) (*Box, error) {
	parts := strings.Split(s, ",")
	if len(parts) != 4 {
		return nil, errBox
	}
	var v [4]float64
	for i, part := range parts {
		n, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		limit := 180.0
		if i%2 == 1 {
			limit = 90
		}
		if err != nil || !(n >= -limit && n <= limit) { // so written, NaN is refused
			return nil, errBox
		}
		v[i] = n + 0 // no negative zero in the canonical form
	}
	if v[1] > v[3] {
		return nil, errBox
	}
	return &Box{v[0], v[1], v[2], v[3]}, nil
}

// contains reports whether a position is in the box.
func (b *Box) contains(lat, lon float64) bool {
	if lat < b.South || lat > b.North {
		return false
	}
	if b.West <= b.East {
		return lon >= b.West && lon <= b.East
	}
	return lon >= b.West || lon <= b.East
}

// String is the box as it is asked for.
func (b *Box) String() string {
	var dst []byte
	for i, n := range []float64{b.West, b.South, b.East, b.North} {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendFloat(dst, n, 'f', -1, 64)
	}
	return string(dst)
}
