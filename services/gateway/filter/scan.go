package filter

// maxDepth bounds how deep values that nobody asks for may nest.
const maxDepth = 64

// scanner walks over JSON text. It finds where values begin and end, and
// judges no more of their form than that takes.
type scanner struct{ rest []byte }

// object calls fn with each member of the object that rest is, with the
// quotes only of values; false if rest is not one whole object.
func (s *scanner) object(fn func(name, value []byte)) bool {
	if !s.take('{') {
		return false
	}
	if s.take('}') {
		return s.end()
	}
	for {
		s.space()
		name, ok := s.str()
		if !ok || !s.take(':') {
			return false
		}
		value, ok := s.value()
		if !ok {
			return false
		}
		fn(name[1:len(name)-1], value)
		if s.take(',') {
			continue
		}
		return s.take('}') && s.end()
	}
}

// space passes over white space.
func (s *scanner) space() {
	for len(s.rest) > 0 {
		switch s.rest[0] {
		case ' ', '\t', '\n', '\r':
			s.rest = s.rest[1:]
		default:
			return
		}
	}
}

// take passes over c, if it is next.
func (s *scanner) take(c byte) bool {
	s.space()
	if len(s.rest) == 0 || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

// end reports whether there is nothing more.
func (s *scanner) end() bool {
	s.space()
	return len(s.rest) == 0
}

// str passes over a string and returns it with its quotes.
func (s *scanner) str() ([]byte, bool) {
	if len(s.rest) == 0 || s.rest[0] != '"' {
		return nil, false
	}
	for i := 1; i < len(s.rest); i++ {
		switch s.rest[i] {
		case '\\':
			i++
		case '"':
			found := s.rest[:i+1]
			s.rest = s.rest[i+1:]
			return found, true
		}
	}
	return nil, false
}

// value passes over a value and returns it.
func (s *scanner) value() ([]byte, bool) {
	s.space()
	if len(s.rest) == 0 {
		return nil, false
	}
	switch s.rest[0] {
	case '"':
		return s.str()
	case '{', '[':
		return s.nested()
	default:
		return s.literal()
	}
}

// literal passes over a number, true, false or null.
func (s *scanner) literal() ([]byte, bool) {
	i := 0
	for i < len(s.rest) && literalByte(s.rest[i]) {
		i++
	}
	found := s.rest[:i]
	s.rest = s.rest[i:]
	return found, i > 0
}

// literalByte reports whether c may be part of a number, true, false or null.
func literalByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c == '-' || c == '+' || c == '.' || c == 'E'
}

// nested passes over an object or an array.
func (s *scanner) nested() ([]byte, bool) {
	whole, depth := s.rest, 0
	for len(s.rest) > 0 {
		switch s.rest[0] {
		case '"':
			if _, ok := s.str(); !ok {
				return nil, false
			}
			continue
		case '{', '[':
			if depth++; depth > maxDepth {
				return nil, false
			}
		case '}', ']':
			depth--
		}
		s.rest = s.rest[1:]
		if depth == 0 {
			return whole[:len(whole)-len(s.rest)], true
		}
	}
	return nil, false
}
