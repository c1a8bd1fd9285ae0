package decode

import (
	"bytes"
	"fmt"
	"math"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// pair is the two numbers of a position, in the order of the wire. What is no
// position is a pair of NaN: above all not of zeros, which are a place.
type pair [2]float64

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (p *pair) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	raw, err := dec.ReadValue()
	if err != nil {
		return fmt.Errorf("read position: %w", err)
	}
	*p = parsePair(raw)
	return nil
}

// parsePair reads a sound JSON value that should be an array of two numbers. A
// third, the altitude, is allowed by RFC 7946 and passed over.
func parsePair(raw []byte) pair {
	nowhere := pair{math.NaN(), math.NaN()}
	inner, ok := bytes.CutPrefix(raw, []byte{'['})
	if !ok {
		return nowhere
	}
	inner = bytes.TrimSuffix(inner, []byte{']'})
	var p pair
	n := 0
	for field := range bytes.SplitSeq(inner, []byte{','}) {
		// In sound JSON only a number reads as one: NaN and Inf would be quoted.
		f, err := strconv.ParseFloat(string(bytes.TrimSpace(field)), 64)
		if err != nil || n == 3 {
			return nowhere
		}
		if n < len(p) {
			p[n] = f
		}
		n++
	}
	if n < len(p) {
		return nowhere
	}
	return p
}

// ring is the corners of a polygon. What is no ring is an empty one.
type ring [][2]float64

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (r *ring) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() != '[' {
		return dec.SkipValue()
	}
	if _, err := dec.ReadToken(); err != nil {
		return fmt.Errorf("read ring: %w", err)
	}
	corners := make(ring, 0, 5) // a box: four corners, the first perhaps again
	for dec.PeekKind() != ']' {
		var p pair
		if err := p.UnmarshalJSONFrom(dec); err != nil {
			return err
		}
		corners = append(corners, p)
	}
	*r = corners
	_, err := dec.ReadToken()
	return err
}

// bbox is the west, south, east and north of a box. What is no box is an empty one.
type bbox []float64

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (b *bbox) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	raw, err := dec.ReadValue()
	if err != nil {
		return fmt.Errorf("read box: %w", err)
	}
	var sides []float64
	if json.Unmarshal(raw, &sides) == nil {
		*b = sides
	}
	return nil
}

// ring is the box's corners; nil if it does not have four sides.
func (b bbox) ring() [][2]float64 {
	if len(b) != 4 {
		return nil
	}
	west, south, east, north := b[0], b[1], b[2], b[3]
	return [][2]float64{{west, south}, {west, north}, {east, north}, {east, south}}
}
