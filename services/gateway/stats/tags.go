package stats

import (
	"bytes"
	"iter"
	"unicode"
	"unicode/utf8"
)

const (
	// maxTag bounds a hashtag, in bytes, and maxTags those of one post.
	maxTag  = 100
	maxTags = 10
)

// tags iterates over the hashtags of a text, lower case and without #. One
// begins where no letter or digit is before, and holds more than digits.
func tags(text []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		found := 0
		for at := 0; found < maxTags; {
			i := bytes.IndexByte(text[at:], '#')
			if i < 0 {
				return
			}
			i += at
			before, _ := utf8.DecodeLastRune(text[:i])
			at = i + 1
			n := tagLength(text[at:])
			if inTag(before) || n == 0 || n > maxTag {
				continue
			}
			if !yield(bytes.ToLower(text[at : at+n])) {
				return
			}
			at += n
			found++
		}
	}
}

// inTag reports whether r may be part of a hashtag.
func inTag(r rune) bool {
	return r == '_' || r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r))
}

// tagLength is how much of text belongs to a hashtag; 0 if it is none.
func tagLength(text []byte) int {
	n, letters := 0, false
	for n < len(text) {
		r, size := utf8.DecodeRune(text[n:])
		if !inTag(r) {
			break
		}
		letters = letters || !unicode.IsDigit(r)
		n += size
	}
	if !letters {
		return 0
	}
	return n
}
