package tail

import (
	"slices"
	"sync/atomic"
)

// kindTable numbers the kinds that have occurred, in the order of their first
// occurrence from 1 on. One writer, any readers.
type kindTable struct {
	ids   map[string]uint32
	names atomic.Pointer[[]string]
}

func newKindTable() *kindTable {
	t := &kindTable{ids: map[string]uint32{}}
	t.names.Store(&[]string{""})
	return t
}

// id returns the number of kind, and numbers it if it is new.
func (t *kindTable) id(kind string) uint32 {
	if id, ok := t.ids[kind]; ok {
		return id
	}
	names := append(slices.Clone(*t.names.Load()), kind)
	id := uint32(len(names) - 1)
	t.ids[kind] = id
	t.names.Store(&names)
	return id
}

// filter is a reader's choice of kinds. It learns the numbers of kinds as they
// occur, so that a reader may wait for a kind that nobody has seen yet.
type filter struct {
	table *kindTable
	want  []string
	// seen is how many of the table's kinds bits covers.
	seen uint32
	bits []uint64
}

// match reports whether a reader wants entries of this kind.
func (f *filter) match(kind uint32) bool {
	if f == nil || kind == control {
		return true
	}
	if kind >= f.seen {
		f.learn()
	}
	return f.bits[kind/64]&(1<<(kind%64)) != 0
}

// learn brings bits up to date with the table.
func (f *filter) learn() {
	names := *f.table.names.Load()
	f.bits = append(f.bits, make([]uint64, len(names)/64+1-len(f.bits))...)
	for id := int(f.seen); id < len(names); id++ {
		if slices.Contains(f.want, names[id]) {
			f.bits[id/64] |= 1 << (id % 64)
		}
	}
	f.seen = uint32(len(names))
}

// Wants reports whether a reader of these kinds gets events of kind.
func Wants(kinds []string, kind string) bool {
	return len(kinds) == 0 || slices.Contains(kinds, kind)
}
