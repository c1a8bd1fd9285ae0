package peek

import (
	"errors"
	"strconv"
	"strings"
)

// Pointer is a JSON Pointer (RFC 6901), taken apart: "/meta/id" names the
// member id of the member meta, "/a/0" the first element of the array a.
type Pointer []string

// ParsePointer reads a pointer. The empty one, which names the whole value, is
// refused: no id is a whole message.
func ParsePointer(s string) (Pointer, error) {
	if !strings.HasPrefix(s, "/") {
		return nil, errors.New("peek: read pointer: it must begin with /, as in /meta/id")
	}
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	var p Pointer
	for part := range strings.SplitSeq(s[1:], "/") {
		p = append(p, unescape.Replace(part))
	}
	return p, nil
}

// In returns the raw text of what the pointer names in data, nil if nothing.
// As everywhere in this package, names that hold escapes are not found.
func (p Pointer) In(data []byte) []byte {
	for _, part := range p {
		if i, err := strconv.Atoi(part); err == nil && i >= 0 && isArray(data) {
			data = element(data, i)
		} else {
			data = Field(data, part)
		}
		if data == nil {
			return nil
		}
	}
	return data
}

// Elements visits the elements of the JSON array that data begins with, in
// their order and with their raw text, until visit returns false or the text
// cannot be followed. It reports whether data is a whole array.
func Elements(data []byte, visit func(element []byte) bool) (whole bool) {
	if !isArray(data) {
		return false
	}
	i := space(data, space(data, 0)+1)
	if i < len(data) && data[i] == ']' {
		return true
	}
	for {
		end := value(data, i)
		if end < 0 || !visit(data[i:end]) {
			return false
		}
		i = space(data, end)
		if i >= len(data) || data[i] != ',' {
			return i < len(data) && data[i] == ']'
		}
		i = space(data, i+1)
	}
}

// element is the n-th element of an array, nil if it has none.
func element(data []byte, n int) (found []byte) {
	Elements(data, func(e []byte) bool {
		if n == 0 {
			found = e
		}
		n--
		return found == nil
	})
	return found
}

// isArray reports whether data begins as an array does.
func isArray(data []byte) bool {
	i := space(data, 0)
	return i < len(data) && data[i] == '['
}
