package gazetteer

import "math"

const (
	// cellsPerDegree makes cells of the grid half a degree wide: few enough to
	// hold in memory, small enough that one holds a dozen towns where towns are
	// many.
	cellsPerDegree = 2
	gridRows       = 180 * cellsPerDegree
	gridColumns    = 360 * cellsPerDegree
	// earthKm is the mean radius of the Earth as the IUGG defines it, and
	// kmPerDegree the length of a degree of a meridian.
	earthKm     = 6371.0088
	kmPerDegree = earthKm * math.Pi / 180
)

// The distances of Near, in kilometres.
const (
	// closeKm is how far is looked first. Nearly all posts are within.
	closeKm = 25
	// farKm is the farthest a place's country is taken from a town: ships and
	// deserts beyond it are nowhere.
	farKm = 150
)

// vector is a place as a unit vector: distances need no trigonometry then.
// Single precision is exact to a metre.
type vector struct{ x, y, z float32 }

func vectorOf(lat, lon float64) vector {
	sinLat, cosLat := math.Sincos(lat * math.Pi / 180)
	sinLon, cosLon := math.Sincos(lon * math.Pi / 180)
	return vector{float32(cosLat * cosLon), float32(cosLat * sinLon), float32(sinLat)}
}

// apart is the square of the chord between two vectors.
func (v vector) apart(w vector) float32 {
	x, y, z := v.x-w.x, v.y-w.y, v.z-w.z
	return x*x + y*y + z*z
}

// kilometres is the length along the Earth of a squared chord.
func kilometres(apart float32) float64 {
	return 2 * earthKm * math.Asin(min(1, math.Sqrt(float64(apart))/2))
}

// grid is the cities by cell of the graticule: those of cell i are
// order[start[i]:start[i+1]].
type grid struct {
	start   []int32
	order   []int32
	vectors []vector
	radii   []float32 // of the cities, in kilometres
}

// cellOf is the number of the cell that holds a place.
func cellOf(lat, lon float64) int {
	y := min(gridRows-1, max(0, int((lat+90)*cellsPerDegree)))
	x := min(gridColumns-1, max(0, int((lon+180)*cellsPerDegree)))
	return y*gridColumns + x
}

func newGrid(cities []City) grid {
	g := grid{
		start:   make([]int32, gridRows*gridColumns+1),
		order:   make([]int32, len(cities)),
		vectors: make([]vector, len(cities)),
		radii:   make([]float32, len(cities)),
	}
	for i := range cities {
		g.start[cellOf(cities[i].Lat, cities[i].Lon)+1]++
		g.vectors[i] = vectorOf(cities[i].Lat, cities[i].Lon)
		g.radii[i] = float32(cities[i].RadiusKm())
	}
	for i := 1; i < len(g.start); i++ {
		g.start[i] += g.start[i-1]
	}
	next := append([]int32(nil), g.start...)
	for i := range cities {
		cell := cellOf(cities[i].Lat, cities[i].Lon)
		g.order[next[cell]] = int32(i)
		next[cell]++
	}
	return g
}

// RadiusKm is how far the city reaches from its centre, roughly, in kilometres:
// 2, and 6 more for each thousand in the square root of its population. That
// makes 21 of ten million people, 8 of a million and 4 of a hundred thousand.
func (c *City) RadiusKm() float64 { return 2 + 6*math.Sqrt(float64(c.Population))/1000 }

// near is what is found around a place.
type near struct {
	nearest   int32   // the city whose centre is nearest; -1 if none
	apart     float32 // how far it is, as a squared chord
	belonging int32   // the city whose reach is nearest, as a share of it; -1 if none
	share     float32 // the square of that share
}

// around looks at all cities within km of a place, and at some beyond.
func (g *grid) around(lat, lon, km float64) near {
	found := near{nearest: -1, belonging: -1, apart: math.MaxFloat32, share: math.MaxFloat32}
	at := vectorOf(lat, lon)
	high := km / kmPerDegree
	wide := 180.0 // near a pole all longitudes are near
	if poleward := math.Abs(lat) + high; poleward < 89 {
		wide = min(180, high/math.Cos(poleward*math.Pi/180))
	}
	south, north := max(-90, lat-high), min(90, lat+high)
	for y := cellOf(south, 0) / gridColumns; y <= cellOf(north, 0)/gridColumns; y++ {
		first := int(math.Floor((lon - wide + 180) * cellsPerDegree))
		last := int(math.Floor((lon + wide + 180) * cellsPerDegree))
		for x := first; x <= last; x++ {
			g.look(y*gridColumns+(x%gridColumns+gridColumns)%gridColumns, at, &found)
		}
	}
	return found
}

// look compares the cities of a cell with what was found.
func (g *grid) look(cell int, at vector, found *near) {
	for _, i := range g.order[g.start[cell]:g.start[cell+1]] {
		apart := g.vectors[i].apart(at)
		if apart < found.apart {
			found.nearest, found.apart = i, apart
		}
		if share := apart / (g.radii[i] * g.radii[i]); share < found.share {
			found.belonging, found.share = i, share
		}
	}
}

// reach is how many times its radius a city may be away and still be the city
// beside a place: suburbs and airports.
const reach = 1.5

// Near tells in which country a place lies: that of the town whose centre is
// nearest, "" if there is none within 150 km. It also tells the city at the
// place or beside it, nil if there is none: the one it is deepest in, so that a
// place in a large city is not in the village that was swallowed by it.
//
// Towns tell countries apart better than polygons of a handy size do, which put
// New York into the sea; along borders they err by a few kilometres.
func (g *Gazetteer) Near(lat, lon float64) (country string, city *City) {
	found := g.grid.around(lat, lon, closeKm)
	if found.nearest < 0 || kilometres(found.apart) > closeKm {
		found = g.grid.around(lat, lon, farKm)
	}
	if found.nearest < 0 || kilometres(found.apart) > farKm {
		return "", nil
	}
	if i := found.belonging; kilometres(g.grid.vectors[i].apart(vectorOf(lat, lon))) <= reach*float64(g.grid.radii[i]) {
		city = &g.cities[i]
	}
	return g.cities[found.nearest].Country, city
}
