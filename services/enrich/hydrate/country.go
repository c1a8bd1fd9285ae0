package hydrate

import (
	"strings"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/gazetteer"
)

// Country sets in which country and city a post is. The country is what the
// first place with one tells, which is known also of places that are too large
// to be a position; else that of the town nearest to the position. The city is
// the one at the position or beside it. A position that an earlier hydrator
// took from a city keeps its.
type Country struct{ cities *gazetteer.Gazetteer }

func newCountry(s *stock) (Hydrator, error) {
	cities, err := s.gazetteer()
	return Country{cities}, err
}

// Name implements Hydrator.
func (Country) Name() string { return "country" }

// How large a place may be, by its radius in kilometres.
const (
	// oneCity: its centre says in which city it is.
	oneCity = 50
	// oneCountry: its centre says in which country it is.
	oneCountry = 100
)

// Hydrate implements Hydrator.
func (c Country) Hydrate(rec *feed.Record) {
	if rec.City != "" {
		return
	}
	if code := toldCountry(rec); code != "" {
		rec.Country = code
	}
	p := rec.Position
	if p == nil || p.RadiusKm > oneCountry {
		return
	}
	country, city := c.cities.Near(p.Lat, p.Lon)
	if rec.Country == "" {
		rec.Country = country
	}
	if city != nil && p.RadiusKm <= oneCity && city.Country == rec.Country {
		rec.City = city.Name
	}
}

// toldCountry is the ISO 3166-1 alpha-2 code that the first place with one
// tells, in capitals.
func toldCountry(rec *feed.Record) string {
	for _, b := range rec.Upstream.Boxes {
		if code := strings.ToUpper(b.Country); alpha2(code) {
			return code
		}
	}
	return ""
}

// alpha2 reports whether s is two capital letters.
func alpha2(s string) bool {
	return len(s) == 2 && 'A' <= s[0] && s[0] <= 'Z' && 'A' <= s[1] && s[1] <= 'Z'
}
