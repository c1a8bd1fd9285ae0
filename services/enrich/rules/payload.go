package rules

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/blipstream/blipstream/internal/feed"
)

const (
	// maxPayload is the longest event of a rule, in bytes.
	maxPayload = 64 << 10
	// frameBytes is what names, quotes and short values take; it only saves growing.
	frameBytes = 256
	// maxExact is the largest integer that every reader of JSON reads exactly.
	maxExact = 1<<53 - 1
)

// value is a named expression of an event or a question.
type value struct {
	name string
	expr *expression
}

// compileFields compiles the expressions of an object.
func compileFields(env *cel.Env, l fieldList) ([]value, error) {
	values := make([]value, 0, len(l))
	for _, f := range l {
		e, err := compile(env, f.text)
		if err == nil && !writable(e.out) {
			err = fmt.Errorf("is a %s: an event holds texts, numbers, booleans, times, durations and lists of them", e.out)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		values = append(values, value{f.name, e})
	}
	return values, nil
}

// writable reports whether values of a type may be in an event. What is known
// only when it is seen, is judged then.
func writable(t *cel.Type) bool {
	switch t.Kind() {
	case types.ListKind:
		return len(t.Parameters()) == 1 && scalar(t.Parameters()[0])
	case types.OpaqueKind:
		return t.TypeName() == "optional_type" && len(t.Parameters()) == 1 && writable(t.Parameters()[0])
	default:
		return scalar(t)
	}
}

func scalar(t *cel.Type) bool {
	switch t.Kind() {
	case types.StringKind, types.BoolKind, types.IntKind, types.UintKind, types.DoubleKind,
		types.TimestampKind, types.DurationKind, types.NullTypeKind, types.DynKind:
		return true
	case types.OpaqueKind:
		return t.TypeName() == "optional_type" && len(t.Parameters()) == 1 && scalar(t.Parameters()[0])
	default:
		return false
	}
}

// common starts an event with what every event has.
func common(rec *feed.Record, identity string) []byte {
	buf := append(make([]byte, 0, frameBytes+len(rec.Body)), '{')
	id := rec.ID
	if id == "" {
		id = identity
	}
	buf = appendText(appendName(buf, "id"), id)
	buf = appendText(appendName(buf, "source"), rec.Source)
	if y := rec.Time.UTC().Year(); !rec.Time.IsZero() && y >= 1 && y <= 9999 {
		buf = appendTime(appendName(buf, "time"), rec.Time)
	}
	if user := authorID(rec); user != "" {
		buf = appendText(appendName(buf, "userId"), user)
	}
	if rec.Simulated {
		buf = append(appendName(buf, "simulated"), "true"...)
	}
	return buf
}

// authorID is the author's id, whether a hydrator has looked at it or not:
// what upstream takes back later is found by it.
func authorID(rec *feed.Record) string {
	if rec.Author.ID != "" {
		return rec.Author.ID
	}
	return rec.Upstream.Author.ID
}

// appendFields appends the values of v's expressions to an open object. A
// value that is nothing (null, an empty optional) is left out.
func appendFields(buf []byte, values []value, v *view, frame *interpreter.ExecutionFrame) ([]byte, error) {
	for i := range values {
		out, err := values[i].expr.run(v, frame)
		if err != nil {
			return nil, fieldError(values[i].name, err)
		}
		start := len(buf)
		named := appendName(buf, values[i].name)
		filled, err := appendValue(named, out, true)
		switch {
		case errors.Is(err, errNothing):
			buf = buf[:start]
		case err != nil:
			return nil, fieldError(values[i].name, err)
		default:
			buf = filled
		}
		if len(buf) > maxPayload {
			return nil, fmt.Errorf("the event is longer than %d bytes", maxPayload)
		}
	}
	return buf, nil
}

// fieldError says which field it was; an absence needs no words.
func fieldError(name string, err error) error {
	if absent(err) {
		return errAbsent
	}
	return fmt.Errorf("%s: %w", name, err)
}

// errNothing is told of a value that is left out.
var errNothing = errors.New("nothing")

// appendValue appends a value as JSON. lists says whether it may be a list.
func appendValue(buf []byte, v ref.Val, lists bool) ([]byte, error) {
	switch v := v.(type) {
	case types.String:
		return appendText(buf, string(v)), nil
	case types.Bool:
		return strconv.AppendBool(buf, bool(v)), nil
	case types.Int:
		if v > maxExact || v < -maxExact {
			return nil, fmt.Errorf("the number %d has too many digits for JSON: write string(...)", v)
		}
		return strconv.AppendInt(buf, int64(v), 10), nil
	case types.Uint:
		if v > maxExact {
			return nil, fmt.Errorf("the number %d has too many digits for JSON: write string(...)", v)
		}
		return strconv.AppendUint(buf, uint64(v), 10), nil
	case types.Double:
		return appendNumber(buf, float64(v))
	case types.Timestamp:
		return appendTime(buf, v.Time), nil
	case types.Duration:
		return append(strconv.AppendFloat(append(buf, '"'), v.Seconds(), 'f', -1, 64), 's', '"'), nil
	case types.Null:
		return nil, errNothing
	case *types.Optional:
		if !v.HasValue() {
			return nil, errNothing
		}
		return appendValue(buf, v.GetValue(), lists)
	case traits.Lister:
		if lists {
			return appendList(buf, v)
		}
	}
	return nil, fmt.Errorf("a %s cannot be in an event", v.Type().TypeName())
}

// appendList appends a list of plain values; what is nothing is left out.
func appendList(buf []byte, l traits.Lister) ([]byte, error) {
	buf = append(buf, '[')
	first := true
	for it := l.Iterator(); it.HasNext() == types.True; {
		start := len(buf)
		if !first {
			buf = append(buf, ',')
		}
		next, err := appendValue(buf, it.Next(), false)
		if errors.Is(err, errNothing) {
			buf = buf[:start]
			continue
		}
		if err != nil {
			return nil, err
		}
		if buf, first = next, false; len(buf) > maxPayload {
			return nil, fmt.Errorf("the event is longer than %d bytes", maxPayload)
		}
	}
	return append(buf, ']'), nil
}

// appendNumber appends a finite number; JSON has no other.
func appendNumber(buf []byte, f float64) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, errNothing
	}
	form := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		form = 'e' // a row of zeros would do nothing but fill space
	}
	return strconv.AppendFloat(buf, f, form, -1, 64), nil
}

func appendTime(buf []byte, t time.Time) []byte {
	return append(t.UTC().AppendFormat(append(buf, '"'), time.RFC3339Nano), '"')
}

// appendText appends a JSON string; what is not UTF-8 becomes U+FFFD.
func appendText(buf []byte, s string) []byte {
	quoted, err := jsontext.AppendQuote(buf, s)
	if err != nil && len(quoted) == 0 {
		return append(buf, '"', '"')
	}
	return quoted
}

// appendName appends the name of the next member; names need no escapes.
func appendName(buf []byte, name string) []byte {
	if buf[len(buf)-1] != '{' {
		buf = append(buf, ',')
	}
	buf = append(buf, '"')
	buf = append(buf, name...)
	return append(buf, '"', ':')
}
