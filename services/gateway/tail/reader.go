package tail

import (
	"iter"
	"slices"
	"sort"
)

// Reader is a cursor in a Tail, for one goroutine at a time. It holds no
// memory of the log, so it may rest for as long as it likes.
type Reader struct {
	tail    *Tail
	filter  *filter
	epoch   string
	next    uint64
	segment uint64
	index   int
	// generation is that of the segment the reader was in last.
	generation uint64
}

// Gap is a range of sequences that a reader can no longer get.
type Gap struct {
	// From and To are the first and the last sequence missing. To is 0 if it
	// is not known.
	From, To uint64
	// Recreated says that the stream became another one in between.
	Recreated bool
}

// Chunk is what a reader gets at once: events of one segment.
type Chunk struct {
	// Runs are the bytes, in order; whole events in all, never to be changed.
	// They are valid until the next call of Next with the same scratch.
	Runs [][]byte
	// Bytes is the length of all runs, Events how many events they are.
	Bytes, Events int

	from    *segment
	entries [2]int
	// next is what the reader wanted before.
	next uint64
}

// Entry is one event of a chunk.
type Entry struct {
	// Seq is the event's sequence. For a notice, which every reader gets, it is
	// the sequence of the event that comes after it, and Kind is empty.
	Seq  uint64
	Kind string
	// Bytes are the event as it was appended, never to be changed.
	Bytes []byte
}

// Entries iterates over the events of a chunk that the reader has just read.
func (r *Reader) Entries(c Chunk) iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		if c.Bytes == 0 {
			return
		}
		if c.entries[1] == 0 {
			yield(Entry{Seq: c.from.floor, Bytes: c.from.notice})
			return
		}
		names := *r.tail.kinds.names.Load()
		for i := c.entries[0]; i < c.entries[1]; i++ {
			e := c.from.entries[i]
			if !r.filter.match(e.kind) {
				continue
			}
			if !yield(Entry{e.seq, names[e.kind], c.from.buf[c.from.start(i):e.end]}) {
				return
			}
		}
	}
}

// Live returns a reader of what will be appended from now on. kinds limits
// what it gets; none means all.
func (t *Tail) Live(kinds []string) *Reader {
	t.mu.Lock()
	defer t.mu.Unlock()
	return &Reader{
		tail: t, filter: t.newFilter(kinds), epoch: t.epoch, next: t.next,
		segment: t.current.number, index: t.current.count, generation: t.generation,
	}
}

// From returns a reader that starts at sequence next of epoch; false if the
// log does not go back that far, or is of another epoch. A next that has not
// been reached yet is waited for, and what comes before it is left out.
func (t *Tail) From(epoch string, next uint64, kinds []string) (*Reader, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if epoch != t.epoch || next < t.floor {
		return nil, false
	}
	r := &Reader{tail: t, filter: t.newFilter(kinds), epoch: epoch, next: next, generation: t.generation}
	r.segment, r.index = t.locate(next)
	return r, true
}

// newFilter makes the filter for kinds.
func (t *Tail) newFilter(kinds []string) *filter {
	if len(kinds) == 0 {
		return nil
	}
	return &filter{table: t.kinds, want: slices.Clone(kinds)}
}

// locate finds the first entry of the present epoch with sequence next or
// later, published or not; the end if there is none.
func (t *Tail) locate(next uint64) (number uint64, index int) {
	oldest, span := t.oldest.Load(), int(t.current.number-t.oldest.Load())
	number = oldest + uint64(sort.Search(span, func(i int) bool {
		s := t.slots[(oldest+uint64(i))%uint64(len(t.slots))].Load()
		return s.generation == t.generation && s.count > 0 && s.entries[s.count-1].seq >= next
	}))
	s := t.slots[number%uint64(len(t.slots))].Load()
	return number, s.seek(0, s.count, next)
}

// Epoch is the incarnation of the stream that the reader is in.
func (r *Reader) Epoch() string { return r.epoch }

// Position is the last sequence that is behind the reader.
func (r *Reader) Position() uint64 { return r.next - 1 }

// Generation counts the resets of the log up to where the reader is.
func (r *Reader) Generation() uint64 { return r.generation }

// Tail is the log that the reader reads.
func (r *Reader) Tail() *Tail { return r.tail }

// Next hands out what comes next and moves behind it. An empty chunk without a
// gap means that there is nothing yet. With a gap, what was missed is told
// first and the reader stands at the oldest event kept. scratch is reused for
// the chunk's runs.
func (r *Reader) Next(scratch [][]byte) (Chunk, *Gap) {
	for {
		s := r.tail.slots[r.segment%uint64(len(r.tail.slots))].Load()
		if s == nil || s.number != r.segment {
			if gap := r.fallen(); gap != nil {
				return Chunk{}, gap
			}
			continue
		}
		sealed := s.sealed.Load()   // before published: then that is final
		reached := s.reached.Load() // before published: what lies below is in it
		n := int(s.published.Load())
		if s.generation != r.generation {
			r.enter(s)
			if len(s.notice) > 0 {
				return Chunk{Runs: append(scratch[:0], s.notice), Bytes: len(s.notice), from: s}, nil
			}
		}
		if c := r.take(s, n, scratch); c.Bytes > 0 {
			return c, nil
		}
		if !sealed {
			r.next = max(r.next, reached)
			return Chunk{}, nil
		}
		r.segment, r.index = r.segment+1, 0
	}
}

// enter follows the log into another generation.
func (r *Reader) enter(s *segment) {
	r.generation, r.epoch, r.next, r.index = s.generation, s.epoch, s.floor, 0
}

// take collects the entries of s up to n that the reader wants.
func (r *Reader) take(s *segment, n int, scratch [][]byte) Chunk {
	i := s.seek(r.index, n, r.next)
	c := Chunk{Runs: scratch[:0], from: s, entries: [2]int{i, n}, next: r.next}
	if i >= n {
		r.index = max(r.index, i)
		return c
	}
	for i < n {
		j := r.run(s, i, n)
		if j == i {
			i++
			continue
		}
		c.Runs = append(c.Runs, s.buf[s.start(i):s.start(j)])
		c.Bytes += int(s.start(j) - s.start(i))
		c.Events += j - i
		i = j
	}
	r.index, r.next = n, max(r.next, s.entries[n-1].following())
	return c
}

// run returns the end of the entries from i on that the reader wants.
func (r *Reader) run(s *segment, i, n int) int {
	if r.filter == nil {
		return n
	}
	for i < n && r.filter.match(s.entries[i].kind) {
		i++
	}
	return i
}

// fallen moves a reader whose segment is gone to the oldest one kept, and
// tells what it missed; nil if that was nothing.
func (r *Reader) fallen() *Gap {
	number := r.tail.oldest.Load()
	s := r.tail.slots[number%uint64(len(r.tail.slots))].Load()
	if s == nil || s.number != number {
		return nil // it has just been dropped; the caller looks again
	}
	r.segment, r.index = number, 0
	if from := r.next; s.generation != r.generation {
		r.enter(s)
		return &Gap{From: from, Recreated: true}
	} else if from < s.floor {
		r.next = s.floor
		return &Gap{From: from, To: s.floor - 1}
	}
	return nil
}

// Undo takes back what of c, the reader's last chunk, could not be sent after
// sent bytes. It returns the rest of the event that was sent in part, to be
// sent before anything else; nil if none was.
func (r *Reader) Undo(c Chunk, sent int) (rest []byte) {
	s, before := c.from, c.next
	if c.entries[1] == 0 { // a notice
		return s.notice[sent:]
	}
	for i := c.entries[0]; i < c.entries[1]; i++ {
		if !r.filter.match(s.entries[i].kind) {
			before = s.entries[i].following()
			continue
		}
		event := s.buf[s.start(i):s.entries[i].end]
		if sent < len(event) {
			if sent == 0 {
				r.index, r.next = i, before
				return nil
			}
			r.index, r.next = i+1, s.entries[i].following()
			return event[sent:]
		}
		before = s.entries[i].following()
		sent -= len(event)
	}
	return nil
}
