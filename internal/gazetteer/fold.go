package gazetteer

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// fnvOffset and fnvPrime are those of the 64-bit FNV-1a hash.
const (
	fnvOffset uint64 = 14695981039346656037
	fnvPrime  uint64 = 1099511628211
)

// The Latin letters beyond ASCII lie between these.
const (
	firstAccented = 0x00C0
	lastAccented  = 0x1EFF
)

// folder makes keys of names: hashes of their letters in lower case and without
// accents. That two of some 100,000 names share one by chance is a matter of
// one in a billion.
type folder struct {
	// plain are the letters without their accents, "" for what is no accented
	// Latin letter.
	plain [lastAccented - firstAccented + 1]string
}

// accented are plain letters, each before those that are written as it is
// where a keyboard has no others.
const accented = "a àáâãäåāăąǎǟǡǻȁȃȧ ae æǣǽ b ƀɓ c çćĉċč d ďđðɖɗḍḏḑ e èéêëēĕėęěȅȇȩə f ƒ g ĝğġģǥǧǵ h ĥħȟḣḥḧḩḫẖ i ìíîïĩīĭįıǐȉȋḯ j ĵǰ " +
	"k ķǩḱḳḵ l ĺļľŀłƚḷ m ṃ n ñńņňŉǹṅṇ o òóôõöøōŏőơǒǫǭǿȍȏȫȭȯȱ oe œ r ŕŗřȑȓṛṟ s śŝşšșṣ ss ß t ţťŧțṭṯ th þ u ùúûüũūŭůűųưǔǖǘǚǜȕȗ " +
	"w ŵ y ýÿŷȳ z źżžƶẓẕ"

func newFolder() *folder {
	f := &folder{}
	plain := ""
	for word := range strings.FieldsSeq(accented) {
		if word[0] < utf8.RuneSelf {
			plain = word
			continue
		}
		for _, r := range word {
			f.set(r, r, plain)
			f.set(unicode.ToUpper(r), unicode.ToUpper(r), plain)
		}
	}
	f.setVietnamese()
	return f
}

// setVietnamese sets the letters with two accents, which stand in one block,
// ordered by letter.
func (f *folder) setVietnamese() {
	f.set(0x1EA0, 0x1EB7, "a")
	f.set(0x1EB8, 0x1EC7, "e")
	f.set(0x1EC8, 0x1ECB, "i")
	f.set(0x1ECC, 0x1EE3, "o")
	f.set(0x1EE4, 0x1EF1, "u")
	f.set(0x1EF2, 0x1EF9, "y")
}

// set says that the letters from first to last are plain with accents.
func (f *folder) set(first, last rune, plain string) {
	for r := first; r <= last; r++ {
		if r >= firstAccented && r <= lastAccented {
			f.plain[r-firstAccented] = plain
		}
	}
}

// hash is the key of a whole name.
func (f *folder) hash(name string) uint64 { return f.add(fnvOffset, name) }

// add adds the letters of s to a hash. Apostrophes and dots count for nothing,
// and a hyphen for a space.
func (f *folder) add(hash uint64, s string) uint64 {
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			hash = f.addRune(hash, r)
			i += size
			continue
		}
		i++
		switch {
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		case c == '\'', c == '.', c == '`':
			continue
		case c == '-':
			c = ' '
		}
		hash = (hash ^ uint64(c)) * fnvPrime
	}
	return hash
}

// addRune adds one letter that is not ASCII.
func (f *folder) addRune(hash uint64, r rune) uint64 {
	if r >= firstAccented && r <= lastAccented && f.plain[r-firstAccented] != "" {
		return f.add(hash, f.plain[r-firstAccented])
	}
	switch {
	case apostrophe(r), r >= 0x300 && r <= 0x36F: // the latter are accents that stand alone
		return hash
	case r == 'Ё' || r == 'ё':
		r = 'е'
	case r >= 'Α' && r <= 'ώ':
		r = plainGreek(unicode.ToLower(r))
	default:
		r = unicode.ToLower(r)
	}
	if r < utf8.RuneSelf { // İ is i
		return (hash ^ uint64(r)) * fnvPrime
	}
	for ; r > 0; r >>= 8 {
		hash = (hash ^ uint64(r&0xff)) * fnvPrime
	}
	return hash
}

// plainGreek is a Greek letter without its accent: capitals are written
// without.
func plainGreek(r rune) rune {
	switch r {
	case 'ά':
		return 'α'
	case 'έ':
		return 'ε'
	case 'ή':
		return 'η'
	case 'ί', 'ϊ':
		return 'ι'
	case 'ό':
		return 'ο'
	case 'ύ', 'ϋ':
		return 'υ'
	case 'ώ':
		return 'ω'
	case 'ς':
		return 'σ'
	default:
		return r
	}
}

// apostrophe reports whether r is one of those that are not ASCII.
func apostrophe(r rune) bool {
	return r == '’' || r == '‘' || r == 'ʻ' || r == 'ʼ' || r == '´'
}
