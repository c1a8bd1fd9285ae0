package rules

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/blipstream/blipstream/internal/feed"
)

// The names that expressions know.
const (
	varPost   = "post"
	varRaw    = "raw"
	varAnswer = "answer"
	// postName is the type of post.
	postName = "blipstream.Post"
)

// errAbsent is the failure of an expression that reads what a post does not tell.
var errAbsent = errors.New("not known of this post")

// field is one thing that a rule may know of a post.
type field struct {
	name string
	kind *cel.Type
	// about says what it is, for people.
	about string
	// get returns the value; nil if it is not known. What a post always has, if
	// only as an empty text, is never nil.
	get func(*feed.Record) ref.Val
	// set reports whether it is known; nil: if get returns something.
	set func(*feed.Record) bool
	// One of these reads it without cel, unless it is a time.
	str  func(*feed.Record) string
	num  func(*feed.Record) *float64 // nil if it is not known
	on   func(*feed.Record) bool
	many func(*feed.Record) []string
}

func text(name, about string, get func(*feed.Record) string) field {
	return field{
		name: name, kind: cel.StringType, about: about, str: get,
		get: func(r *feed.Record) ref.Val { return types.String(get(r)) },
		set: func(r *feed.Record) bool { return get(r) != "" },
	}
}

func number(name, about string, get func(*feed.Record) *float64) field {
	return field{name: name, kind: cel.DoubleType, about: about, num: get, get: func(r *feed.Record) ref.Val {
		if f := get(r); f != nil {
			return types.Double(*f)
		}
		return nil
	}}
}

func flag(name, about string, get func(*feed.Record) bool) field {
	return field{
		name: name, kind: cel.BoolType, about: about, on: get,
		get: func(r *feed.Record) ref.Val { return types.Bool(get(r)) }, set: get,
	}
}

func list(name, about string, get func(*feed.Record) []string) field {
	return field{
		name: name, kind: cel.ListType(cel.StringType), about: about, many: get,
		get: func(r *feed.Record) ref.Val { return types.NewStringList(types.DefaultTypeAdapter, clip(get(r))) },
		set: func(r *feed.Record) bool { return len(get(r)) > 0 },
	}
}

// numFields is how many fields there are; a test holds it to the table.
const numFields = 27

// view is one item as the expressions see it. What an expression has read is
// kept, so that twenty rules box a body once.
type view struct {
	rec      *feed.Record
	data     []byte
	identity string
	raw      ref.Val
	answer   ref.Val
	cache    [numFields]ref.Val
	// spent is what watched expressions have cost, in units.
	spent uint64
}

// ResolveName implements cel's Activation.
func (v *view) ResolveName(name string) (any, bool) {
	switch name {
	case varPost:
		return v, true
	case varRaw:
		if v.raw == nil {
			v.raw = newRaw(v.data)
		}
		return v.raw, true
	case varAnswer:
		return v.answer, v.answer != nil
	}
	return nil, false
}

// Parent implements cel's Activation.
func (*view) Parent() cel.Activation { return nil }

// ConvertToNative implements ref.Val.
func (*view) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("rules: convert post: it is no %s", t)
}

// ConvertToType implements ref.Val.
func (*view) ConvertToType(t ref.Type) ref.Val {
	return types.NewErr("a post is no %s", t.TypeName())
}

// Equal implements ref.Val.
func (v *view) Equal(other ref.Val) ref.Val { return types.Bool(other == ref.Val(v)) }

// Type implements ref.Val.
func (*view) Type() ref.Type { return cel.ObjectType(postName) }

// Value implements ref.Val.
func (v *view) Value() any { return v }

// provider tells cel of the type of post.
type provider struct {
	*types.Registry
	fields map[string]*types.FieldType
	names  []string
}

// newProvider makes the provider of the fields of a post.
func newProvider() (*provider, error) {
	reg, err := types.NewRegistry()
	if err != nil {
		return nil, err
	}
	p := &provider{Registry: reg, fields: map[string]*types.FieldType{}}
	for i, f := range fields() {
		p.names = append(p.names, f.name)
		p.fields[f.name] = fieldType(i, f)
	}
	return p, nil
}

// fieldType is how cel reads a field, whose number is i.
func fieldType(i int, f field) *types.FieldType {
	absent := fmt.Errorf("post.%s: %w", f.name, errAbsent)
	return &types.FieldType{
		Type: f.kind,
		IsSet: func(target any) bool {
			v, ok := target.(*view)
			if !ok {
				return false
			}
			if f.set != nil {
				return f.set(v.rec)
			}
			return f.get(v.rec) != nil
		},
		GetFrom: func(target any) (any, error) {
			v, ok := target.(*view)
			if !ok {
				return nil, absent
			}
			if v.cache[i] == nil {
				if v.cache[i] = f.get(v.rec); v.cache[i] == nil {
					return nil, absent
				}
			}
			return v.cache[i], nil
		},
	}
}

// FindStructType implements types.Provider.
func (p *provider) FindStructType(name string) (*types.Type, bool) {
	if name == postName {
		return types.NewTypeTypeWithParam(cel.ObjectType(postName)), true
	}
	return p.Registry.FindStructType(name)
}

// FindStructFieldNames implements types.Provider.
func (p *provider) FindStructFieldNames(name string) ([]string, bool) {
	if name == postName {
		return p.names, true
	}
	return p.Registry.FindStructFieldNames(name)
}

// FindStructFieldType implements types.Provider.
func (p *provider) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	if name == postName {
		f, ok := p.fields[field]
		return f, ok
	}
	return p.Registry.FindStructFieldType(name, field)
}

// NewValue implements types.Provider. Rules cannot make posts.
func (p *provider) NewValue(name string, fields map[string]ref.Val) ref.Val {
	if name == postName {
		return types.NewErr("a rule cannot make a post")
	}
	return p.Registry.NewValue(name, fields)
}

// views keeps views for the next item.
type views struct{ pool sync.Pool }

func (p *views) take(in Input) *view {
	v, ok := p.pool.Get().(*view)
	if !ok {
		v = &view{}
	}
	v.rec, v.data, v.identity = in.Record, in.Raw, in.Identity
	return v
}

func (p *views) give(v *view) {
	*v = view{}
	p.pool.Put(v)
}

// clip leaves out what is beyond the bounds that estimates of cost go by.
func clip(l []string) []string {
	long := func(s string) bool { return len(s) > maxEntry }
	if slices.ContainsFunc(l, long) {
		l = slices.DeleteFunc(slices.Clone(l), long)
	}
	return l[:min(len(l), maxEntries)]
}
