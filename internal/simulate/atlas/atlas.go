package atlas

import (
	_ "embed"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/blipstream/blipstream/internal/simulate/dice"
)

//go:embed cities.tsv
var citiesTSV string

//go:embed countries.tsv
var countriesTSV string

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
func Load() (*Atlas, error) { return parse(countriesTSV, citiesTSV) }

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

func parse(countries, cities string) (*Atlas, error) {
	a := &Atlas{}
	byCode := map[string]*Country{}
	for cells, err := range rows(countries, 3) {
		if err != nil {
			return nil, fmt.Errorf("atlas: read countries: %w", err)
		}
		c := &Country{Code: cells[0], Name: cells[1]}
		if err := c.setLanguages(cells[2]); err != nil {
			return nil, fmt.Errorf("atlas: read languages of %s: %w", c.Code, err)
		}
		byCode[c.Code] = c
		a.countries = append(a.countries, c)
	}
	for cells, err := range rows(cities, 5) {
		if err != nil {
			return nil, fmt.Errorf("atlas: read cities: %w", err)
		}
		if err := a.addCity(byCode, cells); err != nil {
			return nil, fmt.Errorf("atlas: read city %s: %w", cells[0], err)
		}
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

func (a *Atlas) addCity(byCode map[string]*Country, cells []string) error {
	country, ok := byCode[cells[1]]
	if !ok {
		return fmt.Errorf("unknown country %q", cells[1])
	}
	lat, err := strconv.ParseFloat(cells[2], 64)
	if err != nil {
		return err
	}
	lon, err := strconv.ParseFloat(cells[3], 64)
	if err != nil {
		return err
	}
	people, err := strconv.Atoi(cells[4])
	if err != nil {
		return err
	}
	c := &City{
		Index: len(a.cities.values), Name: cells[0], Country: country,
		Lat: lat, Lon: lon, Population: people,
	}
	// A town that GeoNames counts nobody in still has one chance.
	a.cities.add(c, max(1, people))
	country.cities.add(c, max(1, people))
	return nil
}

// setLanguages reads "de:6,fr:3,it:1".
func (c *Country) setLanguages(mix string) error {
	for part := range strings.SplitSeq(mix, ",") {
		code, weight, _ := strings.Cut(part, ":")
		n, err := strconv.Atoi(weight)
		if err != nil {
			return err
		}
		if code == "" || n < 1 {
			return fmt.Errorf("%q is not language:weight", part)
		}
		c.languages.add(code, n)
	}
	return nil
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
