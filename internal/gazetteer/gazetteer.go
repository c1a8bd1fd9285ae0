package gazetteer

import (
	_ "embed"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

//go:embed names.tsv
var namesTSV string

//go:embed regions.tsv
var regionsTSV string

//go:embed words.txt
var wordsTXT string

// Gazetteer finds cities by name and by place. It never changes and may be
// shared.
type Gazetteer struct {
	cities []City
	grid   grid
	fold   *folder
	// keys are the names and the beginnings of names, by hash; uses are the
	// cities of that name, one list a name, the next of each in next.
	keys map[uint64]key
	uses []use
	// words says of a name that it is not, or not only, a city's; grammar what
	// a word does to the name beside it. Their keys are of two sorts.
	words, grammar map[uint64]meaning
	// except lists, by a key of grammar, the languages in which it is otherwise.
	except map[uint64]string
	// regions are what may stand behind a city's name: countries and states.
	regions map[uint64][]region
	// speaks says in which countries a language is posted in.
	speaks map[string]map[string]bool
	// longest is the most words a name has, and longestRun the most characters
	// of one in a script without spaces.
	longest, longestRun int
}

// key is what a hash stands for.
type key struct {
	// first is the first of the name's uses; -1 if it only begins names.
	first int32
	// begins says that longer names begin with it.
	begins bool
}

// use is one city of a name.
type use struct {
	city int32
	next int32 // -1 ends the list
	// chosen says that it was written down by hand: of several cities of the
	// name this one is meant.
	chosen bool
	// joined says that the name is that of a hashtag, without spaces.
	joined bool
}

// region is a country, or a state of one.
type region struct{ country, division string }

// minNamed is the smallest population by which a town is known by name. Those
// below serve Near alone.
const minNamed = 15_000

// New makes the gazetteer of the data compiled into the program. It takes some
// 50 ms. An error says that the data contradicts itself.
func New() (*Gazetteer, error) {
	cities, err := Cities()
	if err != nil {
		return nil, err
	}
	g := &Gazetteer{
		cities: cities, grid: newGrid(cities), fold: newFolder(), keys: make(map[uint64]key, 3*minNamed),
		words: map[uint64]meaning{}, grammar: map[uint64]meaning{}, regions: map[uint64][]region{}, speaks: map[string]map[string]bool{},
	}
	if err := g.readCountries(); err != nil {
		return nil, err
	}
	if err := g.readRegions(regionsTSV); err != nil {
		return nil, err
	}
	if err := g.readWords(wordsTXT); err != nil {
		return nil, err
	}
	g.readCities()
	if err := g.readNames(namesTSV); err != nil {
		return nil, err
	}
	return g, nil
}

// readCountries makes regions of countries, and notes what they speak.
func (g *Gazetteer) readCountries() error {
	countries, err := Countries()
	if err != nil {
		return err
	}
	for _, c := range countries {
		g.addRegion(c.Name, region{country: c.Code})
		for _, l := range c.Languages {
			lang := bcp47(l.Lang)
			if g.speaks[lang] == nil {
				g.speaks[lang] = map[string]bool{}
			}
			g.speaks[lang][c.Code] = true
		}
	}
	return nil
}

// readRegions adds states, and countries by other names:
// "CC<tab>division<tab>name|name…".
func (g *Gazetteer) readRegions(table string) error {
	for cells, err := range rows(table, 3) {
		if err != nil {
			return fmt.Errorf("gazetteer: read regions: %w", err)
		}
		for name := range strings.SplitSeq(cells[2], "|") {
			g.addRegion(name, region{country: cells[0], division: cells[1]})
		}
	}
	return nil
}

func (g *Gazetteer) addRegion(name string, r region) {
	hash := g.fold.hash(name)
	g.regions[hash] = append(g.regions[hash], r)
}

// bcp47 is the code of a language that Twitter writes otherwise.
func bcp47(lang string) string {
	switch lang {
	case "in":
		return "id"
	case "iw":
		return "he"
	default:
		return lang
	}
}

// readCities adds the names that GeoNames has.
func (g *Gazetteer) readCities() {
	for i := range g.cities {
		c := &g.cities[i]
		if c.Population < minNamed {
			return // the largest come first
		}
		if g.words[g.fold.hash(c.Name)]&never == 0 && !g.anotherRegion(c) {
			g.addName(c.Name, use{city: int32(i)})
		}
	}
}

// anotherRegion reports whether c is called as a country or a state is that it
// does not lie in: Lebanon in Pennsylvania, but not Singapore.
func (g *Gazetteer) anotherRegion(c *City) bool {
	regions := g.regions[g.fold.hash(c.Name)]
	for _, r := range regions {
		if r.country == c.Country && r.division == "" {
			return false
		}
	}
	return len(regions) > 0
}

// addName makes a city known by a name.
func (g *Gazetteer) addName(name string, u use) {
	words := strings.FieldsFunc(name, func(r rune) bool { return r == ' ' || r == '-' })
	hash := fnvOffset
	for i, word := range words {
		if i > 0 {
			hash = g.fold.add(hash, " ")
		}
		if hash = g.fold.add(hash, word); i < len(words)-1 {
			g.begin(hash)
		}
	}
	g.longest = max(g.longest, len(words))
	g.use(hash, u)
	if len(words) > 1 {
		u.joined = true
		g.use(g.fold.hash(strings.Join(words, "")), u)
	}
}

// addRun makes a city known by a name in a script without spaces.
func (g *Gazetteer) addRun(name string, u use) {
	hash, n := fnvOffset, 0
	for i, r := range name {
		hash = g.fold.addRune(hash, r)
		if n++; i+utf8.RuneLen(r) < len(name) {
			g.begin(hash)
		}
	}
	g.longestRun = max(g.longestRun, n)
	g.use(hash, u)
}

// begin notes that names begin with what hash stands for.
func (g *Gazetteer) begin(hash uint64) {
	k, ok := g.keys[hash]
	if !ok {
		k.first = -1
	}
	k.begins = true
	g.keys[hash] = k
}

// use adds a city to those of a name.
func (g *Gazetteer) use(hash uint64, u use) {
	k, ok := g.keys[hash]
	if !ok {
		k.first = -1
	}
	u.next = k.first
	k.first = int32(len(g.uses))
	g.uses = append(g.uses, u)
	g.keys[hash] = k
}

// readNames adds the names written by hand: "City|CC<tab>name|name…".
func (g *Gazetteer) readNames(table string) error {
	byName := map[string]int32{}
	for i := range g.cities {
		name := g.cities[i].Name + "|" + g.cities[i].Country
		if _, taken := byName[name]; !taken { // by a larger one
			byName[name] = int32(i)
		}
	}
	for cells, err := range rows(table, 2) {
		if err != nil {
			return fmt.Errorf("gazetteer: read names: %w", err)
		}
		city, ok := byName[cells[0]]
		if !ok {
			return fmt.Errorf("gazetteer: read names: there is no city %q", cells[0])
		}
		for name := range strings.SplitSeq(cells[1], "|") {
			g.addByHand(name, use{city: city, chosen: true})
		}
	}
	return nil
}

// addByHand adds a name and, in Cyrillic, its cases.
func (g *Gazetteer) addByHand(name string, u use) {
	first, _ := utf8.DecodeRuneInString(name)
	switch scriptOf(first) {
	case unspaced:
		g.addRun(name, u)
	case cyrillic:
		for _, form := range declined(name) {
			g.addName(form, u)
		}
	default:
		g.addName(name, u)
	}
}

// declined are the cases of a name in Russian and Ukrainian, as far as its
// ending tells them. A few are no words, which does no harm.
func declined(name string) []string {
	forms := []string{name}
	last, size := utf8.DecodeLastRuneInString(name)
	stem, endings := name[:len(name)-size], ""
	switch {
	case strings.ContainsAny(name, " -"):
		return forms
	case last == 'а':
		endings = "ы е у ой и і"
	case last == 'я':
		endings = "и е ю ей"
	case last == 'ь':
		endings = "я и ю ем е ью"
	case strings.ContainsRune("бвгджзклмнпрстфхцчшщ", last):
		stem, endings = name, "а у ом е ові"
	}
	for ending := range strings.FieldsSeq(endings) {
		forms = append(forms, stem+ending)
	}
	return forms
}

// weight is how likely a city is meant, by its size: a tenth of the people
// count one less.
func (c *City) weight() float64 { return math.Log10(float64(max(1, c.Population))) }
