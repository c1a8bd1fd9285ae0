package legacy

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// field is a member of an object; its value is a compact JSON text.
type field struct {
	name  string
	value jsontext.Value
}

// fields are the members of an object in their order, each name once.
type fields []field

// readFields reads a JSON object, and nothing after it.
func readFields(data []byte) (fields, error) {
	// Half pairs, from producers of other sorts, become U+FFFD.
	dec := jsontext.NewDecoder(bytes.NewBuffer(data), lenient())
	if open, err := dec.ReadToken(); err != nil {
		return nil, err
	} else if open.Kind() != '{' {
		return nil, errors.New("not an object")
	}
	var all fields
	for dec.PeekKind() == '"' {
		name, err := dec.ReadToken()
		if err != nil {
			return nil, err
		}
		f := field{name: name.String()}
		if f.value, err = wholeValue(dec); err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, err
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more text after the object")
	}
	return all, nil
}

// wholeValue reads a value, compact and with whole characters only.
func wholeValue(dec *jsontext.Decoder) (jsontext.Value, error) {
	raw, err := dec.ReadValue()
	if err != nil {
		return nil, err
	}
	return jsontext.AppendFormat(nil, raw, lenient(), jsontext.PreserveRawStrings(false))
}

// text is the string under a name; "" if there is none.
func (f fields) text(name string) string {
	s := ""
	if v := f.value(name); len(v) > 0 && v.Kind() == '"' {
		// The value was read as a string before.
		_ = json.Unmarshal(v, &s)
	}
	return s
}

func (f fields) value(name string) jsontext.Value {
	for _, m := range f {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// lead puts a member in front, in the place of the one it had.
func (f *fields) lead(name string, v jsontext.Value) {
	all := make(fields, 1, len(*f)+1)
	all[0] = field{name, v}
	for _, m := range *f {
		if m.name != name {
			all = append(all, m)
		}
	}
	*f = all
}

// append writes f as Python's json module would: ASCII, a blank after each
// comma and colon.
func (f fields) append(dst []byte) []byte {
	dst = append(dst, '{')
	for i, m := range f {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		name, err := jsontext.AppendQuote(nil, m.name)
		if err != nil {
			continue // not reached: names were read from sound JSON
		}
		dst = append(appendASCII(dst, name), ": "...)
		dst = appendASCII(dst, m.value)
	}
	return append(dst, '}')
}

// set puts a string in front, in the place of the member of that name.
func (f *fields) set(name, value string) {
	if v, err := json.Marshal(value, lenient()); err == nil { // it cannot fail for a string
		f.lead(name, v)
	}
}

// compact is f in one line of UTF-8.
func (f fields) compact() ([]byte, error) {
	out := []byte{'{'}
	for i, m := range f {
		if i > 0 {
			out = append(out, ',')
		}
		name, err := jsontext.AppendQuote(nil, m.name)
		if err != nil {
			return nil, err
		}
		out = append(append(append(out, name...), ':'), m.value...)
	}
	return append(out, '}'), nil
}
