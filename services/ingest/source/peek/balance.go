package peek

// Balance follows the brackets of JSON text that arrives in pieces, to tell
// whether one object or array is complete. Raw line breaks in strings, which
// JSON forbids and streams contain, do not disturb it. The zero value is ready.
type Balance struct {
	depth               int
	text, escape        bool
	begun, done, broken bool
}

// Feed takes the next piece.
func (b *Balance) Feed(piece []byte) {
	for _, c := range piece {
		switch {
		case b.broken:
			return
		case b.text:
			b.inText(c)
		default:
			b.outside(c)
		}
	}
}

// Whole reports whether what was fed is one object or array, with nothing but
// white space around it.
func (b *Balance) Whole() bool { return b.done && !b.broken }

// inText takes a byte of a string.
func (b *Balance) inText(c byte) {
	switch {
	case b.escape:
		b.escape = false
	case c == '\\':
		b.escape = true
	case c == '"':
		b.text = false
	}
}

// outside takes a byte that is not part of a string.
func (b *Balance) outside(c byte) {
	switch c {
	case ' ', '\t', '\r', '\n':
	case '{', '[':
		b.broken = b.done
		b.begun = true
		b.depth++
	case '}', ']':
		b.depth--
		b.done = b.depth == 0
		b.broken = b.depth < 0
	default:
		b.broken = !b.begun || b.done
		b.text = c == '"'
	}
}
