package gazetteer

import (
	"math"
	"strings"
	"unicode/utf8"
)

// Hints are what is known besides the text.
type Hints struct {
	// Lang is the BCP 47 language of the text; "" if unknown.
	Lang string
	// Country is the ISO 3166-1 alpha-2 code of where it is from; "" if unknown.
	Country string
}

// How large a city must be to be named, in people.
const (
	// minBare is for a name that stands for itself.
	minBare = 100_000
	// minPlaced is for one behind a word such as "in", or before its country.
	minPlaced = minNamed
	// minOpening is for one that begins a sentence, where a capital says nothing.
	minOpening = 1_000_000
)

// finder looks through one text.
type finder struct {
	*Gazetteer
	text  string
	hints Hints
	lang  string // of the hints, without its region
	ts    tokens
	// titled says that capitals tell nothing in this text: nearly every word
	// has one.
	titled bool
}

// Mention returns the city that a text names, nil if it names none for sure.
// Of several it is the first behind a word such as "in", else the first. A name
// counts only as it is written: with its capital, not as a part of a longer
// name, not in a mention or an address. It is where the text is about, not
// where its author is.
func (g *Gazetteer) Mention(text string, h Hints) *City {
	f := finder{Gazetteer: g, text: text, hints: h, lang: primary(h.Lang)}
	f.ts.read(text)
	f.titled = f.ts.titled()
	var first *City
	for i := 0; i < f.ts.n; {
		city, words, sure := f.at(i)
		if city != nil && sure {
			return city
		}
		if first == nil {
			first = city
		}
		i += max(1, words)
	}
	return first
}

// primary is the language of a tag, without what follows.
func primary(tag string) string {
	lang, _, _ := strings.Cut(tag, "-")
	return lang
}

// titled reports whether nearly all words have capitals.
func (ts *tokens) titled() bool {
	const (
		few  = 4   // words that tell nothing yet
		most = 0.6 // of the words
	)
	capitals, cased := 0, 0
	for i := range ts.n {
		t := &ts.list[i]
		if !t.cased || t.tag {
			continue
		}
		cased++
		if t.capital {
			capitals++
		}
	}
	return cased > few && float64(capitals) > most*float64(cased)
}

// at looks for a city's name that starts with word i. It returns how many words
// the name has, and whether a word beside it makes it sure.
func (f *finder) at(i int) (city *City, words int, sure bool) {
	t := &f.ts.list[i]
	r, _ := utf8.DecodeRuneInString(f.text[t.start:t.end])
	switch {
	case t.unspaced:
		return f.inRun(f.text[t.start:t.end]), 1, false
	case scriptOf(r) >= spaced:
		return f.affixed(i)
	case t.tag:
		return f.tag(t), 1, false
	case !t.capital:
		return nil, 1, false
	}
	m := f.longestName(i)
	if m.first < 0 {
		return nil, 1, false
	}
	city, sure = f.judge(i, m)
	return city, m.words, sure
}

// match is a name that was found.
type match struct {
	first  int32  // of its uses; -1 if there is none
	hash   uint64 // of the name
	words  int
	suffix string // what is written behind it after an apostrophe
}

// longestName is the longest name that starts with word i.
func (f *finder) longestName(i int) match {
	found := match{first: -1}
	hash := fnvOffset
	for n := 0; n < f.longest && i+n < f.ts.n; n++ {
		t := &f.ts.list[i+n]
		if n > 0 {
			if t.broken || t.tag || !t.capital && !particle(t) {
				break
			}
			hash = f.fold.add(hash, " ")
		}
		if m := f.unsuffixed(t, hash, n+1); m.first >= 0 {
			found = m
		}
		hash = f.fold.add(hash, f.text[t.start:t.end])
		k, ok := f.keys[hash]
		if ok && k.first >= 0 {
			found = match{first: k.first, hash: hash, words: n + 1}
		}
		if !ok || !k.begins {
			break
		}
	}
	return found
}

// unsuffixed is the name that ends with t without what is behind its
// apostrophe: Paris's, İstanbul'da.
func (f *finder) unsuffixed(t *token, hash uint64, words int) match {
	if t.apostrophe == t.end {
		return match{first: -1}
	}
	hash = f.fold.add(hash, f.text[t.start:t.apostrophe])
	if k, ok := f.keys[hash]; ok {
		return match{k.first, hash, words, f.text[t.apostrophe:t.end]}
	}
	return match{first: -1}
}

// particle reports whether t may be written small within a name: de, am, upon.
func particle(t *token) bool { return t.end-t.start <= 4 }

// beside is what the words beside a name say of it.
type beside struct {
	strong, light bool
	// regions is what follows behind a comma.
	regions []region
	// within says that it seems to be a part of a longer name.
	within bool
	// next is what the word behind it says in English, where that is written
	// small: thing or will.
	next meaning
}

// around looks at the words beside the name of n words from word i on.
func (f *finder) around(i, n int, suffix string) beside {
	var b beside
	if f.lang == "tr" {
		b.strong = locative(suffix)
	}
	if i+n < f.ts.n {
		next := &f.ts.list[i+n]
		if next.comma {
			b.regions = f.regionAt(i + n)
		}
		if !next.broken && next.capital && f.says(f.text[next.start:next.end], f.lang)&after == 0 {
			b.within = true
		}
		if suffix == "" {
			b.next = f.follows(next)
		}
	}
	if i == 0 || f.ts.list[i].broken {
		return b
	}
	prev := &f.ts.list[i-1]
	says := f.says(f.text[prev.start:prev.end], f.lang)
	b.strong, b.light = b.strong || says&strong != 0, says&light != 0
	if n == 1 && f.articled(f.text[prev.start:prev.end], says) {
		b.within = true
	}
	// The first word of a sentence has a capital anyway; then a name of one
	// word may be the second of a person's, and one of more is not.
	if prev.capital && says&^(thing|will) == 0 && !b.strong && (!prev.opens || n == 1) {
		b.within = true
	}
	return b
}

// follows is what t says of an English name right before it.
func (f *finder) follows(t *token) meaning {
	if t.broken || t.capital || f.lang != "en" && f.lang != "" {
		return 0
	}
	return f.says(f.text[t.start:t.end], f.lang) & (thing | will)
}

// another reports whether a name with b beside it means something else than the
// city: a thing that is called after it, or the government that sits there. In
// Chicago pizza is a dish as well, and who is from Moscow may want something.
func (f *finder) another(m match, b beside) bool {
	switch b.next {
	case thing:
		return !b.strong
	case will:
		return !b.strong && !b.light && f.words[m.hash]&seat != 0
	default:
		return false
	}
}

// articled reports whether word is an article that no city has: that of a club
// in the south of Europe (el Barcelona), in English that of whatever a city
// gave its name to (a Boston terrier).
func (f *finder) articled(word string, says meaning) bool {
	switch f.lang {
	case "es", "ca", "gl", "it", "pt", "fr":
		return says&article != 0
	case "en":
		return strings.EqualFold(word, "a") || strings.EqualFold(word, "an")
	default:
		return false
	}
}

// locative reports whether a Turkish suffix, with its apostrophe, says that
// something is in a place or comes from there.
func locative(suffix string) bool {
	switch strings.TrimLeft(suffix, "'’") {
	case "da", "de", "ta", "te", "dan", "den", "tan", "ten", "daki", "deki", "taki", "teki":
		return true
	default:
		return false
	}
}

// regionAt is the country or state whose name starts with word i.
func (f *finder) regionAt(i int) []region {
	const longest = 3 // words of a region's name
	var found []region
	hash := fnvOffset
	for n := 0; n < longest && i+n < f.ts.n; n++ {
		t := &f.ts.list[i+n]
		if n > 0 {
			if t.broken {
				break
			}
			hash = f.fold.add(hash, " ")
		}
		hash = f.fold.add(hash, f.text[t.start:t.end])
		if t.end-t.start == 2 && !t.shouted { // "me" is no state, "ME" is
			continue
		}
		if r := f.regions[hash]; r != nil {
			found = r
		}
	}
	return found
}

// judge decides whether a name that was found means a city, and which.
func (f *finder) judge(i int, m match) (city *City, sure bool) {
	b := f.around(i, m.words, m.suffix)
	placed := b.strong || b.regions != nil
	isWeak := m.words == 1 && f.words[m.hash]&weak != 0
	t := &f.ts.list[i]
	switch {
	case f.titled && (!placed || isWeak && b.regions == nil):
		return nil, false
	case isWeak && !placed, f.another(m, b):
		return nil, false
	case b.within && !f.titled && b.regions == nil && (!b.strong || f.lang != "de"):
		return nil, false // in German every noun has a capital
	}
	least := minBare
	switch {
	case f.titled:
	case placed || b.light:
		least = minPlaced
	case t.opens && m.words == 1:
		least = minOpening
	}
	return f.pick(m.first, demand{least: least, regions: b.regions}), placed
}

// tag is the city that a hashtag names.
func (f *finder) tag(t *token) *City {
	const shortest = 4 // letters: #Van and #Man are seldom cities
	name := f.text[t.start:t.end]
	if utf8.RuneCountInString(name) < shortest {
		return nil
	}
	hash := f.fold.hash(name)
	k, ok := f.keys[hash]
	if !ok || k.first < 0 || f.words[hash]&(weak|never) != 0 {
		return nil
	}
	least := minBare
	if t.capital {
		least = minPlaced
	}
	return f.pick(k.first, demand{least: least, joined: true})
}

// demand is what a city must have to be picked.
type demand struct {
	least   int      // people
	regions []region // one of them, unless there are none
	joined  bool     // names without their spaces count
}

// clear is by how much the likeliest city must be likelier than the next, as a
// power of ten: three times as large, with nothing else known.
const clear = 0.5

// pick returns the city that is meant, of those that share a name; nil if that
// is not clear.
func (f *finder) pick(first int32, d demand) *City {
	best, second := math.Inf(-1), math.Inf(-1)
	var city *City
	for i := first; i >= 0; i = f.uses[i].next {
		u := &f.uses[i]
		c := &f.cities[u.city]
		if c == city || u.joined && !d.joined || c.Population < d.least && !u.chosen || !c.in(d.regions) {
			continue
		}
		switch score := f.score(c, u); {
		case score > best:
			best, second, city = score, best, c
		case score > second:
			second = score
		}
	}
	if best-second < clear {
		return nil
	}
	return city
}

// in reports whether c lies in one of some regions; in no regions is anywhere.
func (c *City) in(regions []region) bool {
	if len(regions) == 0 {
		return true
	}
	for _, r := range regions {
		if r.country == c.Country && (r.division == "" || r.division == c.Division) {
			return true
		}
	}
	return false
}

// What speaks for a city besides its size, in powers of ten of its population.
const (
	forChosen   = 1.5
	forCountry  = 2
	forLanguage = 0.5
)

// score is how likely c is meant.
func (f *finder) score(c *City, u *use) float64 {
	score := c.weight()
	if u.chosen {
		score += forChosen
	}
	if f.hints.Country == c.Country {
		score += forCountry
	}
	if f.speaks[f.lang][c.Country] {
		score += forLanguage
	}
	return score
}
