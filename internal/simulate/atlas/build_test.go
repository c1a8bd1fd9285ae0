package atlas

import (
	"testing"

	"github.com/blipstream/blipstream/internal/gazetteer"
)

func TestBuildRefuses(t *testing.T) {
	country := gazetteer.Country{Code: "XX", Name: "Nowhere", Languages: []gazetteer.Weighted{{Lang: "en", Weight: 1}}}
	city := gazetteer.City{Name: "Town", Country: "XX", Population: 100}
	elsewhere := city
	elsewhere.Country = "YY"
	if _, err := build([]gazetteer.Country{country}, []gazetteer.City{city}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		countries []gazetteer.Country
		cities    []gazetteer.City
	}{
		"nothing":              {nil, nil},
		"country without city": {[]gazetteer.Country{country}, nil},
		"unknown country":      {[]gazetteer.Country{country}, []gazetteer.City{city, elsewhere}},
	} {
		if _, err := build(c.countries, c.cities); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
