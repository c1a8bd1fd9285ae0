package rules

import (
	"reflect"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxScans is how many names are looked for in the text of an object before
// the object is read whole: that costs as much as some dozen searches.
const maxScans = 16

// object is a JSON object that is read as far as somebody asks. A rule that
// looks at one number of a tweet costs a search in its text, not its parsing.
// It is sound JSON: the item has been decoded.
type object struct {
	data  []byte
	found []member
	whole traits.Mapper
}

// member is what a search found; a nil value is a name that is not there.
type member struct {
	name  string
	value ref.Val
}

// newRaw makes the value of raw. What is no object counts as an empty one.
func newRaw(data []byte) ref.Val {
	data = skipSpace(data)
	if len(data) == 0 || data[0] != '{' {
		data = []byte("{}")
	}
	return &object{data: data}
}

// Find implements traits.Mapper.
func (o *object) Find(key ref.Val) (ref.Val, bool) {
	name, ok := key.(types.String)
	if !ok {
		return nil, false
	}
	for i := range o.found {
		if o.found[i].name == string(name) {
			return o.found[i].value, o.found[i].value != nil
		}
	}
	if o.whole != nil || len(o.found) == maxScans {
		return o.all().Find(key)
	}
	var value ref.Val
	if data, ok := lookup(o.data, string(name)); ok {
		value = valueOf(data)
	}
	o.found = append(o.found, member{string(name), value})
	return value, value != nil
}

// all reads the whole object.
func (o *object) all() traits.Mapper {
	if o.whole == nil {
		if m, ok := parsed(o.data).(traits.Mapper); ok {
			o.whole = m
		} else { // not sound after all: nobody has decoded it
			o.whole = types.NewStringInterfaceMap(types.DefaultTypeAdapter, nil)
		}
	}
	return o.whole
}

// Get implements traits.Indexer.
func (o *object) Get(key ref.Val) ref.Val {
	if v, ok := o.Find(key); ok {
		return v
	}
	return types.NewErr("no such key: %v", key.Value())
}

// Contains implements traits.Container.
func (o *object) Contains(key ref.Val) ref.Val {
	_, ok := o.Find(key)
	return types.Bool(ok)
}

// Iterator implements traits.Iterable.
func (o *object) Iterator() traits.Iterator { return o.all().Iterator() }

// Size implements traits.Sizer.
func (o *object) Size() ref.Val { return o.all().Size() }

// ConvertToNative implements ref.Val.
func (o *object) ConvertToNative(t reflect.Type) (any, error) { return o.all().ConvertToNative(t) }

// ConvertToType implements ref.Val.
func (o *object) ConvertToType(t ref.Type) ref.Val { return o.all().ConvertToType(t) }

// Equal implements ref.Val.
func (o *object) Equal(other ref.Val) ref.Val {
	if same, ok := other.(*object); ok {
		other = same.all()
	}
	return o.all().Equal(other)
}

// Type implements ref.Val.
func (*object) Type() ref.Type { return types.MapType }

// Value implements ref.Val.
func (o *object) Value() any { return o.all().Value() }

// valueOf makes the value of a JSON value.
func valueOf(data []byte) ref.Val {
	switch data[0] {
	case '{':
		return &object{data: data}
	case 't':
		return types.True
	case 'f':
		return types.False
	case 'n':
		return types.NullValue
	default:
		return parsed(data)
	}
}

// parsed reads a JSON value whole. Numbers are doubles, as in all of CEL's JSON.
func parsed(data []byte) ref.Val {
	var v any
	err := json.Unmarshal(data, &v, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return types.NewErr("raw is not sound JSON")
	}
	return types.DefaultTypeAdapter.NativeToValue(v)
}
