package peek

import (
	"crypto/sha256"
	"encoding/hex"
)

// maxID is the longest id that is taken as it is, in bytes.
const maxID = 128

// ID returns a value's text if it may name an item: 1 to 128 printable ASCII
// characters without spaces and escapes, since it becomes part of headers; else "".
// A bare null, true or false names nothing: all that have it would be one item.
func ID(value []byte) string {
	switch string(value) {
	case "null", "true", "false":
		return ""
	}
	value = Text(value)
	if len(value) > maxID {
		return ""
	}
	for _, c := range value {
		if c <= ' ' || c > '~' || c == '"' || c == '\\' || c == '{' || c == '[' {
			return ""
		}
	}
	return string(value)
}

// Hashed names a message without an id by its parts.
func Hashed(parts ...[]byte) string {
	h := sha256.New()
	for i, p := range parts {
		if i > 0 {
			h.Write([]byte{0})
		}
		h.Write(p)
	}
	const bytesOfName = 16
	return "sha-" + hex.EncodeToString(h.Sum(nil)[:bytesOfName])
}
