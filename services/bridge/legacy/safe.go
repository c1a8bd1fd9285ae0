package legacy

import (
	"bytes"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/blipstream/blipstream/internal/decode"
)

// maxNumber is the longest number let through, in bytes; Python refuses
// integers of more than 4,300 digits, and no upstream sends twenty.
const maxNumber = 1000

// guarded is what the old readers touch without looking first.
type guarded struct {
	User  jsontext.Value `json:"user"`
	Geo   jsontext.Value `json:"geo"`
	Place jsontext.Value `json:"place"`
}

// Safe returns what may be published on twitter_raw for data: data itself
// without the blanks around it, or, where it holds a carriage return between
// its parts or half of a surrogate pair, the same document written anew, half
// pairs as U+FFFD. The error is an *UnsafeError.
func Safe(data []byte) ([]byte, error) {
	data = bytes.Trim(data, blank)
	if len(data) == 0 || data[0] != '{' {
		return nil, unsafe("json", "not an object")
	}
	if !utf8.Valid(data) {
		return nil, unsafe("utf8", "not UTF-8")
	}
	var g guarded
	rewrite := bytes.IndexByte(data, '\r') >= 0
	if err := json.Unmarshal(data, &g); err != nil {
		if err := json.Unmarshal(data, &g, jsontext.AllowInvalidUTF8(true)); err != nil {
			return nil, unsafe("json", "%w", err)
		}
		rewrite = true
	}
	if err := g.check(data); err != nil {
		return nil, err
	}
	if !rewrite {
		return data, nil
	}
	return rewritten(data)
}

// rewritten is data without optional blanks and with whole characters only.
func rewritten(data []byte) ([]byte, error) {
	out, err := jsontext.AppendFormat(nil, data, jsontext.AllowInvalidUTF8(true), jsontext.PreserveRawStrings(false))
	if err != nil {
		return nil, unsafe("json", "%w", err)
	}
	return out, nil
}

func (g *guarded) check(data []byte) error {
	depth, number := extent(data)
	switch {
	case depth > decode.MaxDepth:
		return unsafe("depth", "nested deeper than %d", decode.MaxDepth)
	case number > maxNumber:
		return unsafe("number", "a number of %d characters", number)
	case g.User != nil && g.User.Kind() != '{':
		return unsafe("user", "user is no object: %.20s", g.User)
	case truthy(g.Geo):
		if err := checkGeo(g.Geo); err != nil {
			return err
		}
	}
	if truthy(g.Place) {
		return checkPlace(g.Place)
	}
	return nil
}

// extent is how deep a sound document is nested and how long its longest
// number is, in one pass over its bytes.
func extent(data []byte) (depth, number int) {
	level, start := 0, -1
	for i := 0; i < len(data); i++ {
		c := data[i]
		if c >= '0' && c <= '9' {
			if start < 0 {
				start = i
			}
			number = max(number, i-start+1)
			continue
		}
		start = -1
		switch c {
		case '{', '[':
			level++
			depth = max(depth, level)
		case '}', ']':
			level--
		case '"':
			i += quoted(data[i:])
		}
	}
	return depth, number
}

// quoted is the offset of the last byte of the string that s starts with.
func quoted(s []byte) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return len(s) - 1
}
