package gazetteer

import (
	"fmt"
	"strings"
	"unicode"
)

// meaning is what a word means besides being a name.
type meaning uint16

const (
	// never: the word is no city, however it is written.
	never meaning = 1 << iota
	// weak: it is also a word or a person's name, so that it needs more than a
	// capital.
	weak
	// strong: behind it stands where something is.
	strong
	// light: behind it stands a place, or a person, or a thing.
	light
	// before: it may stand before a place with a capital of its own.
	before
	// after: it may stand behind a place with a capital of its own.
	after
	// article: a name of one word behind it is no city, in a language in which
	// cities have none.
	article
	// thing: a city's name before it is what the thing is called, or what it is
	// like, in English: Vienna sausages.
	thing
	// seat: a government goes by the city's name, in English.
	seat
	// will: what a government does that goes by such a name: Washington wants.
	will
)

// meanings are the names of the sections of words.txt.
func meanings() map[string]meaning {
	return map[string]meaning{
		"never": never, "weak": weak, "strong": strong, "light": light, "before": before, "after": after, "article": article,
		"thing": thing, "seat": seat, "will": will,
	}
}

// readWords reads lines of "section: word word…"; a name of several words has _
// between them.
func (g *Gazetteer) readWords(text string) error {
	sections := meanings()
	g.except = map[uint64]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, words, _ := strings.Cut(line, ":")
		if name == "except" {
			word, langs, _ := strings.Cut(strings.TrimSpace(words), " ")
			g.except[exact(word)] = langs
			continue
		}
		m, ok := sections[name]
		if !ok {
			return fmt.Errorf("gazetteer: read words: there is no section %q", name)
		}
		for word := range strings.FieldsSeq(words) {
			if m&(never|weak|seat) != 0 {
				g.words[g.fold.hash(strings.ReplaceAll(word, "_", " "))] |= m
			} else {
				g.grammar[exact(word)] |= m
			}
		}
	}
	return nil
}

// says is what a word does to a name beside it in a language.
func (g *Gazetteer) says(word, lang string) meaning {
	hash := exact(word)
	m := g.grammar[hash]
	if m&(strong|light) != 0 && lang != "" && len(lang) <= 3 && strings.Contains(g.except[hash], lang) {
		return before
	}
	return m
}

// exact is the key of a word of a language: its letters in lower case with
// their accents, since "à" is not "a". It is 0 for what is too long for one.
func exact(word string) uint64 {
	const longest = 24 // bytes
	if len(word) > longest {
		return 0
	}
	hash := fnvOffset
	for i := 0; i < len(word); {
		r, size := runeAt(word, i)
		if r = unicode.ToLower(r); apostrophe(r) {
			r = '\''
		}
		for ; r > 0; r >>= 8 {
			hash = (hash ^ uint64(r&0xff)) * fnvPrime
		}
		i += size
	}
	return hash
}
