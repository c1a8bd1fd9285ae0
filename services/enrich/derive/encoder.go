package derive

import (
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/blipstream/blipstream/internal/feed"
)

// encoder appends the fields of one flat ProtoJSON object. Fields with the
// zero value are left out, as protojson does for fields without presence.
type encoder struct{ buf []byte }

// newEncoder makes an encoder with room for size bytes.
func newEncoder(size int) *encoder {
	return &encoder{buf: append(make([]byte, 0, size), '{')}
}

// close ends the object and returns it.
func (e *encoder) close() []byte { return append(e.buf, '}') }

// common appends the fields that every event starts with.
func (e *encoder) common(rec *feed.Record) {
	e.text("id", rec.ID)
	e.text("source", rec.Source)
}

// name appends a field's name, which needs no escapes.
func (e *encoder) name(name string) {
	if len(e.buf) > 1 {
		e.buf = append(e.buf, ',')
	}
	e.buf = append(e.buf, '"')
	e.buf = append(e.buf, name...)
	e.buf = append(e.buf, '"', ':')
}

// text appends a string, unless it is empty.
func (e *encoder) text(name, s string) {
	if s == "" {
		return
	}
	e.name(name)
	e.buf = appendString(e.buf, s)
}

// texts appends an array of strings, unless there are none.
func (e *encoder) texts(name string, list []string) {
	if len(list) == 0 {
		return
	}
	e.name(name)
	e.buf = append(e.buf, '[')
	for i, s := range list {
		if i > 0 {
			e.buf = append(e.buf, ',')
		}
		e.buf = appendString(e.buf, s)
	}
	e.buf = append(e.buf, ']')
}

// flag appends true, unless it is false.
func (e *encoder) flag(name string, on bool) {
	if !on {
		return
	}
	e.name(name)
	e.buf = append(e.buf, "true"...)
}

// number appends a finite number, also zero: the fields it is used for have
// presence. JSON has no other numbers, so they are left out.
func (e *encoder) number(name string, f float64) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return
	}
	e.name(name)
	e.buf = strconv.AppendFloat(e.buf, f, notation(f), -1, 64)
}

// optional appends a finite number, unless it is not known.
func (e *encoder) optional(name string, f *float64) {
	if f != nil {
		e.number(name, *f)
	}
}

// notation is how f is written shortest: plainly, or with an exponent where a
// row of zeros would do nothing but fill space.
func notation(f float64) byte {
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		return 'e'
	}
	return 'f'
}

// time appends when something was, as RFC 3339 in UTC, unless it is unknown. RFC 3339,
// and with it ProtoJSON, writes the years 1 to 9999 only.
func (e *encoder) time(t time.Time) {
	t = t.UTC()
	if y := t.Year(); t.IsZero() || y < 1 || y > 9999 {
		return
	}
	e.name("time")
	e.buf = append(e.buf, '"')
	e.buf = t.AppendFormat(e.buf, time.RFC3339Nano)
	e.buf = append(e.buf, '"')
}

// appendString appends s as a JSON string. What is not UTF-8 becomes U+FFFD,
// so that the result always is.
func appendString(buf []byte, s string) []byte {
	buf = append(buf, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if plain(c) {
				i++
				continue
			}
			buf = append(buf, s[from:i]...)
			buf = appendEscape(buf, c)
			i++
			from = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			buf = append(buf, s[from:i]...)
			buf = append(buf, "\uFFFD"...)
			from = i + size
		}
		i += size
	}
	buf = append(buf, s[from:]...)
	return append(buf, '"')
}

// plain reports whether an ASCII character stands for itself in a JSON string.
func plain(c byte) bool { return c >= ' ' && c != '"' && c != '\\' }

// appendEscape appends the escape of an ASCII character that is not plain.
func appendEscape(buf []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(buf, '\\', c)
	case '\n':
		return append(buf, '\\', 'n')
	case '\r':
		return append(buf, '\\', 'r')
	case '\t':
		return append(buf, '\\', 't')
	default:
		return append(buf, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
	}
}
