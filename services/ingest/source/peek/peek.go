package peek

import "bytes"

// Object visits the members of the JSON object that data begins with, in their
// order and with the raw text of their values, until visit returns false or
// the text cannot be followed. Keys that hold escapes are visited as they are
// written. It reports whether data begins as an object does.
func Object(data []byte, visit func(key, value []byte) bool) bool {
	i := space(data, 0)
	if i >= len(data) || data[i] != '{' {
		return false
	}
	for i < len(data) {
		key, next := member(data, i+1)
		if next < 0 {
			return true
		}
		end := value(data, next)
		if end < 0 || !visit(key, data[next:end]) {
			return true
		}
		if i = space(data, end); i >= len(data) || data[i] != ',' {
			return true
		}
	}
	return true
}

// Field returns the raw text of the first member of that name, nil if none.
func Field(data []byte, name string) (found []byte) {
	Object(data, func(key, value []byte) bool {
		if string(key) == name {
			found = value
		}
		return found == nil
	})
	return found
}

// Digits returns a value's decimal digits, quoted or not; "" if it is anything
// but 1 to 20 digits, the most an unsigned 64-bit id has.
func Digits(value []byte) string {
	value = Text(value)
	if len(value) == 0 || len(value) > 20 {
		return ""
	}
	for _, c := range value {
		if c < '0' || c > '9' {
			return ""
		}
	}
	return string(value)
}

// Text returns a value without the quotes it may stand in. Escapes stay.
func Text(value []byte) []byte {
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		return value[1 : len(value)-1]
	}
	return value
}

// member reads `"key":` at i and returns the key and where its value starts,
// or -1.
func member(data []byte, i int) (key []byte, next int) {
	i = space(data, i)
	end := str(data, i)
	if end < 0 {
		return nil, -1
	}
	next = space(data, end)
	if next >= len(data) || data[next] != ':' {
		return nil, -1
	}
	return data[i+1 : end-1], space(data, next+1)
}

// value returns where the value at i ends, or -1.
func value(data []byte, i int) int {
	if i >= len(data) {
		return -1
	}
	switch data[i] {
	case '"':
		return str(data, i)
	case '{', '[':
		return nested(data, i)
	}
	end := i
	for end < len(data) && bytes.IndexByte([]byte(",}] \t\r\n"), data[end]) < 0 {
		end++
	}
	if end == i {
		return -1
	}
	return end
}

// nested returns where the object or array at i ends, or -1.
func nested(data []byte, i int) int {
	for depth := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			end := str(data, i)
			if end < 0 {
				return -1
			}
			i = end - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

// str returns where the string at i ends, behind its quote, or -1.
func str(data []byte, i int) int {
	if i >= len(data) || data[i] != '"' {
		return -1
	}
	for i++; i < len(data); i++ {
		quote := bytes.IndexByte(data[i:], '"')
		if quote < 0 {
			return -1
		}
		i += quote
		if !escaped(data, i) {
			return i + 1
		}
	}
	return -1
}

// escaped reports whether an odd number of backslashes stands before data[i].
func escaped(data []byte, i int) bool {
	n := 0
	for i > n && data[i-1-n] == '\\' {
		n++
	}
	return n%2 == 1
}

// space returns the first position from i on that is not white space.
func space(data []byte, i int) int {
	for i < len(data) && (data[i] == ' ' || data[i] == '\n' || data[i] == '\r' || data[i] == '\t') {
		i++
	}
	return i
}
