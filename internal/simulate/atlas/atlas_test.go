package atlas_test

import (
	"math"
	"testing"

	"github.com/blipstream/blipstream/internal/simulate/atlas"
	"github.com/blipstream/blipstream/internal/simulate/dice"
	"github.com/blipstream/blipstream/internal/simulate/phrase"
)

func load(t *testing.T) *atlas.Atlas {
	t.Helper()
	a, err := atlas.Load()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestData(t *testing.T) {
	a := load(t)
	if n := len(a.Cities()); n < 1000 {
		t.Errorf("%d cities, want 1000 at least", n)
	}
	if n := len(a.Countries()); n < 240 {
		t.Errorf("%d countries and territories, want all", n)
	}
	for i, c := range a.Cities() {
		if c.Index != i || math.Abs(c.Lat) > 90 || math.Abs(c.Lon) > 180 || c.Name == "" || c.Population < 0 {
			t.Errorf("city %d: %+v", i, c)
		}
	}
}

// TestEveryLanguageHasSentences: no country speaks what nobody wrote down.
func TestEveryLanguageHasSentences(t *testing.T) {
	book, err := phrase.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range load(t).Countries() {
		for _, lang := range c.Languages() {
			if !book.Has(lang) {
				t.Errorf("%s: no sentences in %q", c.Name, lang)
			}
		}
	}
}

// TestPickByPopulation: a city is picked as often as its people are many.
func TestPickByPopulation(t *testing.T) {
	a := load(t)
	total := 0
	for _, c := range a.Cities() {
		total += c.Population
	}
	const throws = 400_000
	d, got := dice.Of(1, 0, 0), map[string]int{}
	for range throws {
		got[a.Pick(&d).Name]++
	}
	for _, c := range a.Cities() {
		if c.Population < 8_000_000 {
			continue
		}
		want := float64(c.Population) / float64(total) * throws
		if n := float64(got[c.Name]); math.Abs(n-want) > 5*math.Sqrt(want) {
			t.Errorf("%s: picked %.0f times, want %.0f", c.Name, n, want)
		}
	}
}

// TestPickAnywhere: every country comes up.
func TestPickAnywhere(t *testing.T) {
	a := load(t)
	d, got := dice.Of(1, 0, 0), map[*atlas.Country]int{}
	for range 20_000 {
		got[a.PickAnywhere(&d).Country]++
	}
	for _, c := range a.Countries() {
		if got[c] == 0 {
			t.Errorf("%s never comes up", c.Name)
		}
	}
}
