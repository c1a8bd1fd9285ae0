package gazetteer

import (
	"strings"
	"unicode"
)

// Profile returns the city that a person names as their location: free text
// such as "Lagos, Nigeria" or "📍 münchen". It is nil if the text names none,
// or several.
func (g *Gazetteer) Profile(location string, h Hints) *City {
	const longest = 100 // bytes; what is longer is prose
	if len(location) > longest || location == "" {
		return nil
	}
	p := profile{finder: finder{Gazetteer: g, hints: h, lang: primary(h.Lang)}}
	for part := range strings.FieldsFuncSeq(location, divides) {
		if part = strings.TrimFunc(part, notLetter); part != "" {
			p.part(part)
		}
	}
	return p.city()
}

// profile is the parts of a location.
type profile struct {
	finder
	places  [4]part
	n       int
	regions []region
}

// part is one that names a city.
type part struct {
	first  int32
	weak   bool
	region bool
}

// divides reports whether r stands between the parts of a location.
func divides(r rune) bool {
	return strings.ContainsRune(",;|/·•()&+\n–—、，。~→➡✈↔⇄", r) || r >= 0x1F000
}

func notLetter(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) }

// part takes one part, which is a city, a region, both or neither.
func (p *profile) part(text string) {
	hash := p.fold.hash(text)
	regions := p.Gazetteer.regions[hash]
	if len(text) == 2 && text != strings.ToUpper(text) {
		regions = nil
	}
	k, ok := p.keys[hash]
	if ok && k.first >= 0 && p.n < len(p.places) {
		p.places[p.n] = part{k.first, p.words[hash]&weak != 0, regions != nil}
		p.n++
	}
	if regions != nil {
		p.regions = append(p.regions, regions...)
	}
}

// city is the one the parts agree on.
func (p *profile) city() *City {
	var city *City
	for _, place := range p.places[:p.n] {
		if place.region && p.n > 1 { // Brooklyn, New York
			continue
		}
		d := demand{least: minBare}
		if len(p.regions) > 0 && !place.region {
			d = demand{least: minPlaced, regions: p.regions}
		} else if place.weak {
			continue
		}
		c := p.pick(place.first, d)
		if c == nil || city != nil && c != city {
			return nil
		}
		city = c
	}
	return city
}
