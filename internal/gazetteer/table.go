package gazetteer

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

//go:embed cities.tsv.gz
var citiesGZ []byte

//go:embed countries.tsv
var countriesTSV string

// City is one city or town.
type City struct {
	// Name is its name as GeoNames spells it, in Latin letters.
	Name string
	// Country is the ISO 3166-1 alpha-2 code of where it lies (XK for Kosovo).
	Country string
	// Division is the state or province, as GeoNames codes it; only in the
	// United States and Canada.
	Division string
	// Lat and Lon are its centre, in degrees.
	Lat, Lon float64
	// Population is how many people live there; 0 for a few research stations.
	Population int
}

// Country is one country or territory.
type Country struct {
	// Code is its ISO 3166-1 alpha-2 code (XK for Kosovo).
	Code string
	// Name is its name in English.
	Name string
	// Languages are those its people post in, by Twitter's codes, with weights.
	Languages []Weighted
}

// Weighted is a language and how much of it is heard.
type Weighted struct {
	Lang   string
	Weight int
}

// Cities reads the cities compiled into the program, the largest first. An
// error says that the data cannot be read.
func Cities() ([]City, error) {
	r, err := gzip.NewReader(bytes.NewReader(citiesGZ))
	if err != nil {
		return nil, fmt.Errorf("gazetteer: unpack cities: %w", err)
	}
	var table strings.Builder
	if _, err := io.Copy(&table, r); err != nil { //nolint:gosec // the data is the program's own
		return nil, fmt.Errorf("gazetteer: unpack cities: %w", err)
	}
	return parseCities(table.String())
}

// coordinateUnit is how many units of the table make a degree.
const coordinateUnit = 1e5

// parseCities reads a table of cities. The names are part of it and keep it.
func parseCities(table string) ([]City, error) {
	cities := make([]City, 0, strings.Count(table, "\n"))
	for line := range strings.Lines(table) {
		if line[0] == '#' {
			continue
		}
		c, err := parseCity(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return nil, fmt.Errorf("gazetteer: read city %q: %w", line, err)
		}
		cities = append(cities, c)
	}
	if len(cities) == 0 {
		return nil, errors.New("gazetteer: read cities: there are none")
	}
	return cities, nil
}

var errCells = errors.New("cells are missing")

// parseCity reads one line without making a slice of its cells: there are tens
// of thousands.
func parseCity(line string) (c City, err error) {
	var numbers [3]int
	c.Name, line, _ = strings.Cut(line, "\t")
	c.Country, line, _ = strings.Cut(line, "\t")
	c.Division, line, _ = strings.Cut(line, "\t")
	for i := range numbers {
		var cell string
		cell, line, _ = strings.Cut(line, "\t")
		if numbers[i], err = strconv.Atoi(cell); err != nil {
			return c, err
		}
	}
	if c.Name == "" || len(c.Country) != 2 || line != "" {
		return c, errCells
	}
	c.Lat, c.Lon = float64(numbers[0])/coordinateUnit, float64(numbers[1])/coordinateUnit
	c.Population = numbers[2]
	return c, nil
}

// Countries reads the countries compiled into the program, by code. An error
// says that the data cannot be read.
func Countries() ([]Country, error) { return parseCountries(countriesTSV) }

func parseCountries(table string) ([]Country, error) {
	var all []Country
	for cells, err := range rows(table, 3) {
		if err != nil {
			return nil, fmt.Errorf("gazetteer: read countries: %w", err)
		}
		c := Country{Code: cells[0], Name: cells[1]}
		if c.Languages, err = parseLanguages(cells[2]); err != nil {
			return nil, fmt.Errorf("gazetteer: read languages of %s: %w", c.Code, err)
		}
		all = append(all, c)
	}
	return all, nil
}

// parseLanguages reads "de:6,fr:3,it:1".
func parseLanguages(mix string) ([]Weighted, error) {
	var all []Weighted
	for part := range strings.SplitSeq(mix, ",") {
		code, weight, _ := strings.Cut(part, ":")
		n, err := strconv.Atoi(weight)
		if err != nil {
			return nil, err
		}
		if code == "" || n < 1 {
			return nil, fmt.Errorf("%q is not language:weight", part)
		}
		all = append(all, Weighted{code, n})
	}
	return all, nil
}
