package hydrate

import "github.com/blipstream/blipstream/internal/gazetteer"

// sort is one hydrator there is.
type sort struct {
	name string
	// unasked says that it runs without being asked for.
	unasked bool
	make    func(*stock) (Hydrator, error)
}

// stock is what hydrators are made of.
type stock struct {
	options Options
	cities  *gazetteer.Gazetteer
}

// gazetteer loads the cities once for all hydrators of a chain.
func (s *stock) gazetteer() (*gazetteer.Gazetteer, error) {
	if s.cities != nil {
		return s.cities, nil
	}
	cities, err := gazetteer.New()
	s.cities = cities
	return cities, err
}

// plain makes a hydrator that needs nothing.
func plain(h Hydrator) func(*stock) (Hydrator, error) {
	return func(*stock) (Hydrator, error) { return h, nil }
}

// catalogue lists every hydrator, in the order in which they run by default.
func catalogue() []sort {
	return []sort{
		{"author", true, plain(Author{})},
		{"body", true, plain(NewBody())},
		{"time", true, plain(Time{})},
		{"type", true, plain(Type{})},
		{"language", true, plain(NewLanguage())},
		{"entities", true, plain(Entities{})},
		{"media", true, plain(Media{})},
		{"position", true, newPosition},
		{"country", true, newCountry},
		{"spread", true, plain(Spread{})},
		{"sentiment", false, newSentiment},
	}
}

// Names lists every hydrator there is, in the order in which they run best.
func Names() []string {
	var names []string
	for _, s := range catalogue() {
		names = append(names, s.name)
	}
	return names
}

// Defaults lists the hydrators that run without being asked for.
func Defaults() []string {
	var names []string
	for _, s := range catalogue() {
		if s.unasked {
			names = append(names, s.name)
		}
	}
	return names
}
