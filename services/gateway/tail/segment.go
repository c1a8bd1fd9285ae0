package tail

import (
	"sort"
	"sync/atomic"
)

const (
	// segmentBytes is the size of a segment's bytes. A reader is handed one
	// segment at a time, so it is also the size of the largest ordinary write:
	// beyond this the cost of a write grows with its size.
	segmentBytes = 64 << 10
	// segmentEntries bounds the events of a segment, so that their index can be
	// part of it and never moves. It suits events of 128 bytes and more.
	segmentEntries = 512
	// entryBytes is the size of an entry in memory.
	entryBytes = 16
)

// control is the kind of entries that every reader gets, whatever it filters.
const control = 0

// entry says where an event ends in its segment and what it is.
type entry struct {
	// seq is the event's sequence. A control entry has the sequence of the
	// event that comes after it.
	seq  uint64
	end  uint32
	kind uint32
}

// following is the sequence a reader wants next once it has had e.
func (e entry) following() uint64 {
	if e.kind == control {
		return e.seq
	}
	return e.seq + 1
}

// segment is a piece of the log. The writer fills buf and entries; what lies
// before published never changes again and may be read without a lock.
type segment struct {
	number uint64
	// generation counts the resets before the segment; epoch is its stream.
	generation uint64
	epoch      string
	// notice is for readers who come from the generation before.
	notice []byte
	// floor is the sequence that was next when the segment was begun.
	floor   uint64
	buf     []byte
	entries [segmentEntries]entry
	// count and used are the writer's own: entries and bytes written so far.
	count, used int
	// published is how many entries readers may see; sealed, set after it, says
	// that there will never be more.
	published atomic.Int32
	sealed    atomic.Bool
	// reached is what a reader wants next that has had all that is published.
	reached atomic.Uint64
}

// fits reports whether an event of size bytes can be added.
func (s *segment) fits(size int) bool {
	return s.count < segmentEntries && s.used+size <= len(s.buf)
}

// add writes an event; the caller has checked that it fits.
func (s *segment) add(seq uint64, kind uint32, encoded []byte) {
	s.used += copy(s.buf[s.used:], encoded)

	s.entries[s.count] = entry{seq: seq, end: uint32(s.used), kind: kind}
	s.count++
}

// publish shows readers what has been written.
func (s *segment) publish() {
	s.published.Store(int32(s.count))
}

// start is where entry i begins.
func (s *segment) start(i int) uint32 {
	if i == 0 {
		return 0
	}
	return s.entries[i-1].end
}

// seek returns the first entry of i to n whose sequence is next or later. It
// looks at one entry in the usual case, where i is that entry.
func (s *segment) seek(i, n int, next uint64) int {
	if i >= n || s.entries[i].seq >= next {
		return i
	}
	return i + sort.Search(n-i, func(k int) bool { return s.entries[i+k].seq >= next })
}

// size is what the segment takes in memory.
func (s *segment) size() int64 { return int64(len(s.buf)) + segmentEntries*entryBytes }
