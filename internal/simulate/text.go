package simulate

import "unicode/utf8"

// codePoints counts the characters of valid UTF-8.
func codePoints(b []byte) int { return utf8.RuneCount(b) }

// letters are the digits of short links.
const letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// linkLength is how many characters a shortened link has.
const linkLength = len("https://t.co/") + 10

// appendLink appends a shortened link made of id.
func appendLink(b []byte, id uint64) []byte {
	b = append(b, "https://t.co/"...)
	for range 10 {
		b = append(b, letters[id%62])
		id /= 62
	}
	return b
}

// textWriter writes text into a JSON string the way v1.1 does: & < > as HTML
// entities, and with ascii everything beyond ASCII as \u escapes.
type textWriter struct{ ascii bool }

// append writes s, without quotes.
func (t textWriter) append(b []byte, s string) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			b = appendASCII(b, c)
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if t.ascii {
			b = appendEscape(b, r)
		} else {
			b = append(b, s[i:i+size]...)
		}
		i += size
	}
	return b
}

func appendASCII(b []byte, c byte) []byte {
	switch {
	case c == '&':
		return append(b, "&amp;"...)
	case c == '<':
		return append(b, "&lt;"...)
	case c == '>':
		return append(b, "&gt;"...)
	case c == '"', c == '\\':
		return append(b, '\\', c)
	case c == '\n':
		return append(b, '\\', 'n')
	case c < ' ':
		return appendEscape(b, rune(c))
	}
	return append(b, c)
}

// appendEscape writes \uXXXX, twice for what lies beyond the basic plane.
func appendEscape(b []byte, r rune) []byte {
	if r >= 0x10000 {
		r -= 0x10000
		b = appendUnit(b, 0xd800|r>>10)
		r = 0xdc00 | r&0x3ff
	}
	return appendUnit(b, r)
}

func appendUnit(b []byte, u rune) []byte {
	const hex = "0123456789abcdef"
	return append(b, '\\', 'u', hex[u>>12&15], hex[u>>8&15], hex[u>>4&15], hex[u&15])
}

// wireWidth is how many code points r takes in text as the API sends it.
func wireWidth(r rune) int {
	switch r {
	case '&':
		return len("&amp;")
	case '<', '>':
		return len("&lt;")
	}
	return 1
}

// wireLength is how many code points s has as the API sends it.
func wireLength(s string) int {
	n := 0
	for _, r := range s {
		n += wireWidth(r)
	}
	return n
}

// cut is the start of s that takes at most limit code points on the wire.
func cut(s string, limit int) string {
	n := 0
	for i, r := range s {
		if n += wireWidth(r); n > limit {
			return s[:i]
		}
	}
	return s
}
