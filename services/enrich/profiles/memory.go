package profiles

import "time"

// generation is how many notes a generation of the memory holds; there are two.
// A note takes about 200 bytes.
const generation = 50_000

// memory is a bounded set of notes: what was not asked for while a whole
// generation came in is forgotten.
type memory struct {
	young, old map[string]note
}

func newMemory() memory { return memory{young: map[string]note{}} }

// get finds a note that is still believed.
func (m *memory) get(did string, now time.Time) (note, bool) {
	n, ok := m.young[did]
	if !ok {
		if n, ok = m.old[did]; ok {
			m.put(did, n)
		}
	}
	return n, ok && n.fresh(now, keptFor)
}

// put keeps a note.
func (m *memory) put(did string, n note) {
	if len(m.young) >= generation {
		m.young, m.old = map[string]note{}, m.young
	}
	m.young[did] = n
}

// drop forgets an author.
func (m *memory) drop(did string) {
	delete(m.young, did)
	delete(m.old, did)
}
