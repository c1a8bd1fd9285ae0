package rules

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// lookup finds the value of a name in a JSON object, by its text. Of a name
// that is there twice it takes the first. Unsound text yields anything, but
// never a panic.
func lookup(data []byte, name string) (value []byte, ok bool) {
	i := 1
	for i < len(data) {
		i += spaces(data[i:])
		if i >= len(data) || data[i] != '"' {
			return nil, false
		}
		end := i + stringEnd(data[i:])
		key := data[i:end]
		i = end + spaces(data[end:])
		if i >= len(data) || data[i] != ':' {
			return nil, false
		}
		i++
		i += spaces(data[i:])
		size := valueSize(data[i:])
		if size == 0 {
			return nil, false
		}
		if named(key, name) {
			return data[i : i+size], true
		}
		i += size
		i += spaces(data[i:])
		if i >= len(data) || data[i] != ',' {
			return nil, false
		}
		i++
	}
	return nil, false
}

// named reports whether a quoted key is name.
func named(key []byte, name string) bool {
	if len(key) < 2 {
		return false
	}
	if bytes.IndexByte(key, '\\') < 0 {
		return string(key[1:len(key)-1]) == name
	}
	plain, err := jsontext.AppendUnquote(nil, key)
	return err == nil && string(plain) == name
}

func skipSpace(data []byte) []byte { return data[spaces(data):] }

// spaces is how many bytes of white space data starts with.
func spaces(data []byte) int {
	for i, c := range data {
		if c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			return i
		}
	}
	return len(data)
}

// stringEnd is the length of the quoted string that data starts with.
func stringEnd(data []byte) int {
	for i := 1; i < len(data); {
		at := bytes.IndexByte(data[i:], '"')
		if at < 0 {
			return len(data)
		}
		i += at
		slashes := 0
		for data[i-1-slashes] == '\\' { // ends at the opening quote at the latest
			slashes++
		}
		i++
		if slashes%2 == 0 {
			return i
		}
	}
	return len(data)
}

// valueSize is the length of the JSON value that data starts with; 0 if none.
func valueSize(data []byte) int {
	if len(data) == 0 {
		return 0
	}
	switch data[0] {
	case '"':
		return stringEnd(data)
	case '{', '[':
		return nestSize(data)
	}
	for i, c := range data {
		if c == ',' || c == '}' || c == ']' || c == ' ' || c == '\n' || c == '\r' || c == '\t' {
			return i
		}
	}
	return len(data)
}

// nestSize is the length of the object or array that data starts with.
func nestSize(data []byte) int {
	depth := 0
	for i := 0; i < len(data); {
		switch data[i] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		case '"':
			i += stringEnd(data[i:])
			continue
		}
		i++
	}
	return len(data)
}
