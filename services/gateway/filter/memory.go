package filter

import "hash/maphash"

// remembered is how many posts' texts are kept at hand. A position follows its
// post within a few messages, even where several enrich replicas publish.
const remembered = 1024

// Memory gives an event without a text of its own, such as a position, the
// text of the post it belongs to, so that words find both. It is for events in
// the order of the stream, from one goroutine.
type Memory struct {
	texts map[uint64]Facts
	order [remembered]uint64
	turn  int
}

// NewMemory makes one that remembers nothing.
func NewMemory() *Memory { return &Memory{texts: make(map[uint64]Facts, remembered)} }

// Join remembers the text of a post, or gives it to what belongs to the post.
func (m *Memory) Join(seed maphash.Seed, f *Facts) {
	if len(f.ID) == 0 {
		return
	}
	key := Hash(seed, f.Source, f.ID)
	if len(f.Body) == 0 {
		if post, ok := m.texts[key]; ok {
			f.Body, f.Username, f.Name = post.Body, post.Username, post.Name
		}
		return
	}
	if _, ok := m.texts[key]; ok {
		return
	}
	delete(m.texts, m.order[m.turn])
	m.order[m.turn] = key
	m.turn = (m.turn + 1) % remembered
	m.texts[key] = Facts{Body: f.Body, Username: f.Username, Name: f.Name}
}

// Hash is a number for a name within a source.
func Hash(seed maphash.Seed, source, name []byte) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	_, _ = h.Write(source) // it never fails
	_ = h.WriteByte(0)     // it never fails
	_, _ = h.Write(name)   // it never fails
	return h.Sum64()
}
