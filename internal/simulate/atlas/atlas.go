package atlas

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/blipstream/blipstream/internal/gazetteer"
	"github.com/blipstream/blipstream/internal/simulate/dice"
)

const (
	// minPopulation is from which size on a city is always in the world.
	minPopulation = 300_000
	// dateline is the longitude beyond which every town is: places whose boxes
	// cross the antimeridian are the ones programs get wrong.
	dateline = 176.0
)

// Country is one country or territory.
type Country struct {
	// Code is its ISO 3166-1 alpha-2 code (XK for Kosovo).
	Code string
	// Name is its name in English.
	Name string
	// cities are its cities, the largest first.
	cities scale[*City]
	// languages are the languages its people post in.
	languages scale[string]
}

// City is one city.
type City struct {
	// Index is its place in Cities.
	Index int
	// Name is its name as GeoNames spells it, in Latin letters.
	Name string
	// Country is where it lies.
	Country *Country
	// Lat and Lon are its centre, in degrees.
	Lat, Lon float64
	// Population is how many people live there; 0 for a few research stations.
	Population int
}

// Language throws a language of the city's people, by its Twitter code.
func (c *City) Language(d *dice.Dice) string { return c.Country.languages.pick(d) }

// Atlas is all cities, ready to be picked from. It never changes and may be
// shared.
type Atlas struct {
	countries []*Country
	cities    scale[*City]
}

// Load reads the cities compiled into the program. An error says that the data
// files contradict each other.
func Load() (*Atlas, error) {
	countries, err := gazetteer.Countries()
	if err != nil {
		return nil, fmt.Errorf("atlas: %w", err)
	}
	cities, err := gazetteer.Cities()
	if err != nil {
		return nil, fmt.Errorf("atlas: %w", err)
	}
	return build(countries, choose(cities))
}

// choose takes every city of minPopulation, the largest of each country and
// all inhabited towns beside the antimeridian, ordered by country and then by
// size. It gets the largest first.
func choose(all []gazetteer.City) []gazetteer.City {
	seen := map[string]bool{}
	var out []gazetteer.City
	for _, c := range all {
		if c.Population >= minPopulation || !seen[c.Country] || math.Abs(c.Lon) > dateline && c.Population > 0 {
			out = append(out, c)
		}
		seen[c.Country] = true
	}
	slices.SortStableFunc(out, func(a, b gazetteer.City) int { return cmp.Compare(a.Country, b.Country) })
	return out
}

// Countries returns all countries, by code. They must not be changed.
func (a *Atlas) Countries() []*Country { return a.countries }

// Cities returns all cities. They must not be changed.
func (a *Atlas) Cities() []*City { return a.cities.values }

// Pick throws a city, the likelier the more people live there.
func (a *Atlas) Pick(d *dice.Dice) *City { return a.cities.pick(d) }

// PickAnywhere throws a country, all equally likely, and a city in it by
// population, so that small countries are heard of too.
func (a *Atlas) PickAnywhere(d *dice.Dice) *City {
	return dice.Pick(d, a.countries).cities.pick(d)
}

func build(countries []gazetteer.Country, cities []gazetteer.City) (*Atlas, error) {
	a := &Atlas{}
	byCode := map[string]*Country{}
	for _, told := range countries {
		c := &Country{Code: told.Code, Name: told.Name}
		for _, l := range told.Languages {
			c.languages.add(l.Lang, l.Weight)
		}
		byCode[c.Code] = c
		a.countries = append(a.countries, c)
	}
	for _, told := range cities {
		country, ok := byCode[told.Country]
		if !ok {
			return nil, fmt.Errorf("atlas: place %s: unknown country %q", told.Name, told.Country)
		}
		a.addCity(country, told)
	}
	return a, a.check()
}

// check refuses an atlas from which nothing could be picked.
func (a *Atlas) check() error {
	for _, c := range a.countries {
		if len(c.cities.values) == 0 {
			return fmt.Errorf("atlas: check cities: %s has none", c.Code)
		}
	}
	if len(a.countries) == 0 {
		return errors.New("atlas: check countries: there are none")
	}
	return nil
}

func (a *Atlas) addCity(country *Country, told gazetteer.City) {
	c := &City{
		Index: len(a.cities.values), Name: told.Name, Country: country,
		Lat: told.Lat, Lon: told.Lon, Population: told.Population,
	}
	// A town that GeoNames counts nobody in still has one chance.
	a.cities.add(c, max(1, c.Population))
	country.cities.add(c, max(1, c.Population))
}

// Languages returns the codes of all languages of c.
func (c *Country) Languages() []string { return c.languages.values }

// scale picks among values by weight.
type scale[T any] struct {
	values []T
	sums   []int // sums[i] is the weight of values[:i+1]
}

func (s *scale[T]) add(v T, weight int) {
	total := weight
	if n := len(s.sums); n > 0 {
		total += s.sums[n-1]
	}
	s.values = append(s.values, v)
	s.sums = append(s.sums, total)
}

func (s *scale[T]) pick(d *dice.Dice) T {
	at := int(d.Float() * float64(s.sums[len(s.sums)-1]))
	return s.values[sort.Search(len(s.sums)-1, func(i int) bool { return s.sums[i] > at })]
}
