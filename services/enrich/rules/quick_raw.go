package rules

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"cel.dev/cel-go/common/ast"
)

// rawPath is the names of raw.user.verified: user, verified.
func rawPath(e ast.Expr) (path []string, ok bool) {
	for e.Kind() == ast.SelectKind && !e.AsSelect().IsTestOnly() {
		path = append(path, e.AsSelect().FieldName())
		e = e.AsSelect().Operand()
	}
	slices.Reverse(path)
	return path, len(path) > 0 && e.Kind() == ast.IdentKind && e.AsIdent() == varRaw
}

// rawValue is the JSON at a path of an item; nil if it is not there. sure is
// false where that leads through what is no object.
func rawValue(data []byte, path []string) (value []byte, sure bool) {
	value = skipSpace(data)
	for _, name := range path {
		if len(value) == 0 || value[0] != '{' {
			return nil, false
		}
		var ok bool
		if value, ok = lookup(value, name); !ok {
			return nil, true
		}
	}
	return value, true
}

// quickRaw is raw.user.verified.
func quickRaw(path []string) check {
	return func(v *view) answer {
		value, sure := rawValue(v.data, path)
		switch {
		case sure && value == nil:
			return unknown
		case string(value) == "true":
			return yes
		case string(value) == "false":
			return no
		}
		return unsure
	}
}

// quickRawText is a text in raw compared with one that is written out.
func quickRawText(path []string, s string, equal bool) check {
	return func(v *view) answer {
		value, sure := rawValue(v.data, path)
		switch {
		case sure && value == nil:
			return unknown
		case len(value) < 2 || value[0] != '"' || bytes.IndexByte(value, '\\') >= 0 || !utf8.Valid(value):
			return unsure
		}
		return said((string(value[1:len(value)-1]) == s) == equal)
	}
}

// rawNumber is a number in raw; told is false if it is not there. It is NaN for
// what is none.
func rawNumber(data []byte, path []string) (n float64, told bool) {
	value, sure := rawValue(data, path)
	if sure && value == nil {
		return 0, false
	}
	if len(value) == 0 || value[0] != '-' && (value[0] < '0' || value[0] > '9') {
		return math.NaN(), true
	}
	n, err := strconv.ParseFloat(string(value), 64)
	if err != nil {
		return math.NaN(), true
	}
	return n, true
}
