package gazetteer

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxTokens is how many words of a text are looked at. Posts of 500 characters
// have 100.
const maxTokens = 128

// token is one word of a text.
type token struct {
	start, end int32 // in the text
	// apostrophe is where the first apostrophe within it is; end if there is none.
	apostrophe int32
	// capital says that its first letter is one, shouted that all are.
	capital, shouted bool
	// cased says that its script has capitals, unspaced that it has no spaces.
	cased, unspaced bool
	// tag says that it is a hashtag, without its #.
	tag bool
	// broken says that something other than one space or hyphen is before it.
	broken bool
	// opens says that it begins a sentence, or the text.
	opens bool
	// comma says that nothing but a comma and spaces is before it.
	comma bool
}

// tokens are the words of a text, without those that are mentions or addresses.
type tokens struct {
	list [maxTokens]token
	n    int
}

// read finds the words of text.
func (ts *tokens) read(text string) {
	ts.n = 0
	gap, opens := 0, true // where the gap before the next word starts
	for at := 0; at < len(text) && ts.n < maxTokens; {
		r, size := runeAt(text, at)
		switch {
		case r == '@' || addressAt(text, at):
			at = endOfRun(text, at)
			gap, opens = -1, false
			continue
		case !letter(r):
			opens = opens || ends(r)
			at += size
			continue
		}
		t := word(text, at)
		t.opens = opens
		t.between(text, gap)
		if digitOrJoint(text, int(t.start)-1) || digitOrJoint(text, int(t.end)) { // Paris2024, paris_life
			at = endOfRun(text, at)
			gap, opens = -1, false
			continue
		}
		ts.list[ts.n] = t
		ts.n++
		at, gap, opens = int(t.end), int(t.end), false
	}
}

// between sets what is known from what lies before t, from gap on; -1 stands
// for something that is no word.
func (t *token) between(text string, gap int) {
	if t.start > 0 && text[t.start-1] == '#' {
		t.tag, t.broken = true, true
		return
	}
	if gap < 0 {
		t.broken = true
		return
	}
	between := text[gap:t.start]
	if t.broken = between != " " && between != "-"; t.broken {
		between = strings.TrimSpace(between)
		t.comma = between == "," || between == "("
	}
}

// word reads the word that starts at a place.
func word(text string, at int) token {
	t := token{start: int32(at), end: int32(len(text)), apostrophe: -1, shouted: true}
	for i := at; i < len(text); {
		r, size := runeAt(text, i)
		if r == '\'' || apostrophe(r) {
			next, _ := runeAt(text, i+size)
			if !letter(next) {
				t.end = int32(i)
				break
			}
			if t.apostrophe < 0 {
				t.apostrophe = int32(i)
			}
			i += size
			continue
		}
		if !letter(r) || i > at && t.unspaced != unspacedLetter(r) {
			t.end = int32(i)
			break
		}
		t.letter(r, i == at)
		i += size
	}
	if t.apostrophe < 0 {
		t.apostrophe = t.end
	}
	if shortened(text[t.start:t.end]) && strings.HasPrefix(text[t.end:], ". ") {
		t.end++
	}
	return t
}

// shortened reports whether a word of a name may be followed by a dot that
// ends no sentence.
func shortened(word string) bool {
	switch word {
	case "St", "Ste", "Ft", "Mt", "Sta", "Sto":
		return true
	default:
		return false
	}
}

// letter notes the case of a letter of t.
func (t *token) letter(r rune, first bool) {
	lower := 'a' <= r && r <= 'z' || r >= utf8.RuneSelf && unicode.IsLower(r)
	upper := 'A' <= r && r <= 'Z' || r >= utf8.RuneSelf && unicode.IsUpper(r)
	t.cased = t.cased || lower || upper
	t.capital = t.capital || first && upper
	t.shouted = t.shouted && !lower
	t.unspaced = t.unspaced || first && unspacedLetter(r)
}

// unspacedLetter reports whether r is of a script without spaces. A word ends
// where that changes: "Singapore的".
func unspacedLetter(r rune) bool { return r >= firstUnspaced && scriptOf(r) == unspaced }

// runeAt is the character at a place; what is beyond the end is 0.
func runeAt(text string, at int) (rune, int) {
	if at < 0 || at >= len(text) {
		return 0, 1
	}
	if c := text[at]; c < utf8.RuneSelf {
		return rune(c), 1
	}
	return utf8.DecodeRuneInString(text[at:])
}

// letter reports whether r is part of a word.
func letter(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	}
	return unicode.IsLetter(r) || unicode.IsMark(r)
}

// digitOrJoint reports whether the character at a place ties the letters
// beside it into something that is no word.
func digitOrJoint(text string, at int) bool {
	if at < 0 || at >= len(text) {
		return false
	}
	c := text[at]
	return '0' <= c && c <= '9' || c == '_' || c == '@' || c == '/' && at+1 < len(text) && text[at+1] != ' '
}

// ends reports whether r ends a sentence, or something else after which a
// capital says nothing.
func ends(r rune) bool {
	switch r {
	case '.', '!', '?', ':', ';', '\n', '…', '"', '“', '”', '„', '«', '»', '¿', '¡', '•', '|', '~', '*', '(', '[', '—', '–':
		return true
	default:
		return r >= 0x2190 && r <= 0x2BFF || r >= 0x1F000 // arrows, symbols, emoji
	}
}

// maxAddress bounds, in bytes, where the scheme or the dot of an address is looked
// for. A row of a million brackets has a million places where one might start.
const maxAddress = 256

// addressAt reports whether an address starts at a place: one with a scheme, or
// a name with a dot in it.
func addressAt(text string, at int) bool {
	if at > 0 && text[at-1] != ' ' && text[at-1] != '\n' && text[at-1] != '(' {
		return false
	}
	run := text[at:endOfRun(text[:min(len(text), at+maxAddress)], at)]
	if strings.Contains(run, "://") {
		return true
	}
	dot := strings.IndexByte(run, '.')
	return dot > 0 && dot+2 < len(run) && 'a' <= run[dot+1] && run[dot+1] <= 'z' && 'a' <= run[dot+2] && run[dot+2] <= 'z'
}

// endOfRun is where the run of characters other than white space ends.
func endOfRun(text string, at int) int {
	for at < len(text) && text[at] > ' ' {
		at++
	}
	return at
}
