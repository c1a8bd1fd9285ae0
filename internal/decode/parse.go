package decode

import (
	"errors"
	"fmt"
	"reflect"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// parse reads the JSON object data into the struct that out points to. All
// formats read through it and through nothing else, so that what a sound text
// is and what an odd field costs is decided here, and another JSON library has
// one place to go. Its errors are *MalformedError.
//
// The ordinary text passes the first, strict attempt. Only one with an odd
// field, or with a lone surrogate, is read again.
func parse(data []byte, out any) error {
	err := json.Unmarshal(data, out)
	if err == nil {
		return nil
	}
	opts := make([]json.Options, 0, 2)
	if _, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		// A text that is UTF-8 as it stands can offend against UTF-8 only by
		// an escaped surrogate without its other half.
		if !utf8.Valid(data) {
			return &MalformedError{Reason: ReasonUTF8, Err: err}
		}
		opts = append(opts, jsontext.AllowInvalidUTF8(true))
	}
	reflect.ValueOf(out).Elem().SetZero()
	if err := json.Unmarshal(data, out, append(opts, tolerant())...); err != nil {
		return &MalformedError{Reason: ReasonJSON, Err: err}
	}
	return nil
}

// checkValue tells a sound JSON value, which is to be ignored, from garbage.
func checkValue(data []byte) error {
	value := jsontext.Value(data)
	if !value.IsValid(jsontext.AllowInvalidUTF8(true)) {
		return malformed(ReasonJSON, "starts with neither an object nor any other JSON value: %.20q", data)
	}
	if !utf8.Valid(data) {
		return malformed(ReasonUTF8, "not UTF-8")
	}
	switch value.Kind() {
	case '"':
		return &IgnoredError{What: "string"}
	case '[':
		return &IgnoredError{What: "array"}
	case '0':
		return &IgnoredError{What: "number"}
	default:
		return &IgnoredError{What: value.Kind().String()}
	}
}

// tolerant makes fields of unexpected types count as absent.
func tolerant() json.Options {
	return json.WithUnmarshalers(json.JoinUnmarshalers(
		json.UnmarshalFromFunc(tolerantInt),
		json.UnmarshalFromFunc(tolerantNumeral),
		json.UnmarshalFromFunc(tolerantAny),
	))
}

// tolerantInt reads an integer; anything else is 0.
func tolerantInt(dec *jsontext.Decoder, out *int64) error {
	raw, err := dec.ReadValue()
	if err != nil {
		return fmt.Errorf("read integer: %w", err)
	}
	if json.Unmarshal(raw, out) != nil {
		*out = 0
	}
	return nil
}

// numeral is a string of digits that some writers put down as a number.
type numeral string

// tolerantNumeral takes a number as its digits.
func tolerantNumeral(dec *jsontext.Decoder, out *numeral) error {
	if dec.PeekKind() != '0' {
		return errors.ErrUnsupported
	}
	raw, err := dec.ReadValue()
	*out = numeral(raw)
	return err
}

// tolerantAny skips what cannot become the value that out points to.
func tolerantAny(dec *jsontext.Decoder, out any) error {
	got := dec.PeekKind()
	if got == 0 || got == 'n' || fits(reflect.TypeOf(out).Elem(), got) {
		return errors.ErrUnsupported
	}
	return dec.SkipValue()
}

// fits reports whether a JSON value of kind got may become a t.
func fits(t reflect.Type, got jsontext.Kind) bool {
	if reflect.PointerTo(t).Implements(reflect.TypeFor[json.UnmarshalerFrom]()) {
		return true
	}
	switch t.Kind() {
	case reflect.Pointer:
		return fits(t.Elem(), got)
	case reflect.Struct, reflect.Map:
		return got == '{'
	case reflect.String:
		return got == '"'
	case reflect.Bool:
		return got == 't' || got == 'f'
	case reflect.Slice:
		return got == '[' || t == reflect.TypeFor[jsontext.Value]()
	default:
		return true
	}
}
