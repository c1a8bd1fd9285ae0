package live

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/gateway/filter"
)

const (
	// cellsPerDegree makes cells half a degree wide: two pixels of a world map
	// 1,400 pixels wide.
	cellsPerDegree = 2
	// maxCells is the most a frame holds; beyond it cells become wider.
	maxCells = 200
	// maxTold is the most positions of a frame that are told by the posts they
	// are of: as many as cells. That is 2,000 a second; of what is beyond, a
	// page that must take one down no longer knows which it was.
	maxTold = maxCells
	// meanDigits is how exact a mean is told, in digits behind the point: ten
	// metres.
	meanDigits = 4
)

// cellKey is a cell of the grid, a sort of post and how its positions were
// known. A frame tells apart by both what it shows.
type cellKey struct {
	y, x            int16
	sort, precision byte
}

// cell is the positions in it.
type cell struct {
	lat, lon, radius float64 // sums of degrees; the largest radius
	magnitude        float64 // the largest; only if quake
	quake            bool
	count            uint32
	posts            []told
}

// told is a post that a position is of.
type told struct{ source, id, userID []byte }

// sorts are the types of posts, in the order of their numbers.
func sorts() [6]string {
	return [...]string{
		"", string(feed.TypePost), string(feed.TypeReply), string(feed.TypeRepost), string(feed.TypeEdit), string(feed.TypeQuake),
	}
}

// precisions are how a position may be known, in the order of their numbers.
func precisions() [5]string {
	return [...]string{
		"", string(feed.PrecisionPoint), string(feed.PrecisionPlace), string(feed.PrecisionProfile), string(feed.PrecisionMention),
	}
}

// numberOf is where in names a name is; 0 if it is not there.
func numberOf(name []byte, names []string) byte {
	for i, s := range names {
		if s == string(name) {
			return byte(i)
		}
	}
	return 0
}

// grid merges positions.
type grid struct {
	cells map[cellKey]cell
	told  int
}

func newGrid() grid { return grid{cells: map[cellKey]cell{}} }

// add takes a position.
func (g *grid) add(f *filter.Facts) {
	names, known := sorts(), precisions()
	key := cellKey{
		y:         int16(math.Floor((f.Lat + 90) * cellsPerDegree)),
		x:         int16(math.Floor((f.Lon + 180) * cellsPerDegree)),
		sort:      numberOf(f.Type, names[:]),
		precision: numberOf(f.Precision, known[:]),
	}
	c := cell{lat: f.Lat, lon: f.Lon, radius: f.RadiusKm, magnitude: f.Magnitude, quake: f.Quake, count: 1}
	if g.told < maxTold && len(f.ID) > 0 {
		g.told++
		c.posts = []told{{f.Source, f.ID, f.UserID}}
	}
	g.merge(key, c)
}

func (g *grid) merge(key cellKey, c cell) {
	sum := g.cells[key]
	sum.lat, sum.lon, sum.count = sum.lat+c.lat, sum.lon+c.lon, sum.count+c.count
	sum.radius = max(sum.radius, c.radius)
	if c.quake && (!sum.quake || c.magnitude > sum.magnitude) {
		sum.quake, sum.magnitude = true, c.magnitude
	}
	sum.posts = append(sum.posts, c.posts...)
	g.cells[key] = sum
}

// coarsen doubles the width of cells until there are no more than a frame holds.
func (g *grid) coarsen() {
	for len(g.cells) > maxCells {
		wide := grid{cells: make(map[cellKey]cell, len(g.cells)/2)}
		for key, c := range g.cells {
			wide.merge(cellKey{key.y >> 1, key.x >> 1, key.sort, key.precision}, c)
		}
		g.cells = wide.cells
	}
}

// append appends the cells as a JSON array.
func (g *grid) append(dst []byte) []byte {
	g.coarsen()
	keys := make([]cellKey, 0, len(g.cells))
	for key := range g.cells {
		keys = append(keys, key)
	}
	// Neighbours in a row: that compresses best.
	slices.SortFunc(keys, func(a, b cellKey) int {
		return cmp.Or(cmp.Compare(a.y, b.y), cmp.Compare(a.x, b.x), cmp.Compare(a.sort, b.sort), cmp.Compare(a.precision, b.precision))
	})
	dst = append(dst, '[')
	for i, key := range keys {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendCell(dst, key, g.cells[key])
	}
	return append(dst, ']')
}

// appendCell appends one cell.
func appendCell(dst []byte, key cellKey, c cell) []byte {
	digits, n := -1, float64(c.count) // a position alone is told as it came
	if c.count > 1 {
		digits = meanDigits
	}
	dst = strconv.AppendFloat(append(dst, `{"lat":`...), c.lat/n, 'f', digits, 64)
	dst = strconv.AppendFloat(append(dst, `,"lon":`...), c.lon/n, 'f', digits, 64)
	dst = strconv.AppendUint(append(dst, `,"count":`...), uint64(c.count), 10)
	if key.sort > 0 {
		dst = append(append(append(dst, `,"type":"`...), sorts()[key.sort]...), '"')
	}
	if c.radius > 0 {
		dst = strconv.AppendFloat(append(dst, `,"radiusKm":`...), c.radius, 'f', -1, 64)
	}
	if key.precision > 0 {
		dst = append(append(append(dst, `,"precision":"`...), precisions()[key.precision]...), '"')
	}
	if c.quake {
		dst = strconv.AppendFloat(append(dst, `,"magnitude":`...), c.magnitude, 'f', -1, 64)
	}
	return append(appendTold(dst, c.posts), '}')
}

// appendTold appends the posts of a cell.
func appendTold(dst []byte, posts []told) []byte {
	for i, p := range posts {
		if i == 0 {
			dst = append(dst, `,"posts":[`...)
		} else {
			dst = append(dst, ',')
		}
		dst = appendText(append(dst, `{"source":`...), p.source)
		dst = appendText(append(dst, `,"id":`...), p.id)
		if len(p.userID) > 0 {
			dst = appendText(append(dst, `,"userId":`...), p.userID)
		}
		dst = append(dst, '}')
	}
	if len(posts) > 0 {
		dst = append(dst, ']')
	}
	return dst
}

// appendText appends a JSON string.
func appendText(dst, text []byte) []byte {
	for _, c := range text {
		if c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			quoted, _ := json.Marshal(string(text)) // a string always can be
			return append(dst, quoted...)
		}
	}
	return append(append(append(dst, '"'), text...), '"')
}
