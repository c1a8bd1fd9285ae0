package gazetteer

import "unicode"

// script is a sort of writing, as far as names are found in it in its own way.
type script byte

const (
	// latin is also Greek and whatever else has capitals.
	latin script = iota
	cyrillic
	// spaced has words and no capitals: Arabic, Hebrew, the scripts of India.
	spaced
	// hangul has words with particles at their end.
	hangul
	// unspaced has no spaces between words.
	unspaced
)

// firstUnspaced is the first letter of a script without spaces: the Thai one.
const firstUnspaced = 0x0E00

// scriptOf is the script of a letter.
func scriptOf(r rune) script {
	switch {
	case r < 0x0400:
		return latin
	case r <= 0x052F:
		return cyrillic
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar):
		return unspaced
	case unicode.Is(unicode.Hangul, r):
		return hangul
	case unicode.In(r, unicode.Latin, unicode.Greek, unicode.Armenian):
		return latin
	default:
		return spaced
	}
}
