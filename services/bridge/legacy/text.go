package legacy

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// writeEntities writes plain text as the old wire carries it.
func writeEntities(s string) string {
	if !strings.ContainsAny(s, "&<>") {
		return s
	}
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// readEntities is the reverse, once: "&amp;lt;" is "&lt;".
func readEntities(s string) string {
	if !strings.Contains(s, "&") {
		return s
	}
	return strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">").Replace(s)
}

// noMarkup takes from a name what would make markup of it. Names never had
// entities on the old wire, and the old pages insert them as HTML all the same.
func noMarkup(s string) string {
	if !strings.ContainsAny(s, "<>") {
		return s
	}
	return strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace(s)
}

// appendASCII appends a sound JSON text with everything beyond ASCII escaped.
// Such characters stand in strings only, so no parsing is needed.
func appendASCII(dst, text []byte) []byte {
	for i := 0; i < len(text); {
		if text[i] < utf8.RuneSelf {
			dst = append(dst, text[i])
			i++
			continue
		}
		r, n := utf8.DecodeRune(text[i:])
		if hi, lo := utf16.EncodeRune(r); hi != utf8.RuneError {
			dst = appendEscape(appendEscape(dst, hi), lo)
		} else {
			dst = appendEscape(dst, r)
		}
		i += n
	}
	return dst
}

// appendEscape appends one UTF-16 unit.
func appendEscape(dst []byte, unit rune) []byte {
	return append(dst, '\\', 'u', hexDigits[unit>>12&15], hexDigits[unit>>8&15], hexDigits[unit>>4&15], hexDigits[unit&15])
}

// appendQuoted appends an ASCII JSON text as a JSON string. It holds no
// control characters: JSON forbids them in strings, and the callers keep them
// from elsewhere.
func appendQuoted(dst, text []byte) []byte {
	dst = append(dst, '"')
	for _, c := range text {
		if c == '"' || c == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return append(dst, '"')
}
