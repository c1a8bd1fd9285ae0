package gateway

import (
	"bytes"
	"hash/maphash"
	"sync"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/gateway/filter"
	"github.com/blipstream/blipstream/services/gateway/tail"
)

const (
	// recentRemovals is how many removals are kept whole, for clients of /live
	// that come back after they have missed some.
	recentRemovals = 1000
)

// removals knows what was removed upstream, so that it is left out of all that
// is sent again. It is a set of hashes, bounded: the oldest give way, and
// floor then tells from where on the stream can be read with trust.
type removals struct {
	seed maphash.Seed
	most int

	mu    sync.RWMutex
	posts map[uint64]uint64 // hash of source and post: sequence of the removal
	geos  map[uint64]geoRemoval
	// order holds what is in the maps, the oldest at turn once it is full.
	order []removalRef
	turn  int
	// last is the sequence of the newest removal, floor that of the newest one
	// that was forgotten; of the present stream.
	last, floor uint64
	recent      []incoming
	// era counts the streams; whole says that nothing older is to be read, and
	// grown is fired whenever floor has come down.
	era   int
	whole bool
	grown *tail.Signal
}

// geoRemoval says up to which of an author's posts the position is removed.
type geoRemoval struct {
	seq    uint64
	upToID []byte
}

// removalRef finds a removal in its map.
type removalRef struct {
	hash, seq uint64
	geo       bool
}

func newRemovals(most int) *removals {
	return &removals{seed: maphash.MakeSeed(), most: most, posts: map[uint64]uint64{}, geos: map[uint64]geoRemoval{}, grown: tail.NewSignal()}
}

// add takes note of an event, if it is a removal.
func (r *removals) add(e *incoming) {
	if !filter.Removal(e.kind) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.seq <= r.last {
		return // read at the start, and again by the follower
	}
	r.last = e.seq
	r.keep(e)
	if found, ok := r.find(e); ok {
		r.note(found)
		r.remember(found.removalRef)
	}
}

// foundRemoval is a removal as it is noted.
type foundRemoval struct {
	removalRef

	upToID []byte // of a position's
}

// find reads what an event removes; false if it does not say.
func (r *removals) find(e *incoming) (foundRemoval, bool) {
	f := e.facts
	if e.kind == string(feed.KindPostRemoved) {
		ref := removalRef{hash: filter.Hash(r.seed, f.Source, f.ID), seq: e.seq}
		return foundRemoval{removalRef: ref}, len(f.ID) > 0
	}
	ref := removalRef{hash: filter.Hash(r.seed, f.Source, f.UserID), seq: e.seq, geo: true}
	return foundRemoval{ref, bytes.Clone(f.UpToID)}, len(f.UserID) > 0 && len(f.UpToID) > 0
}

// note puts a removal into its map, beside an older or newer one of the same
// name; with the lock held.
func (r *removals) note(found foundRemoval) {
	if !found.geo {
		r.posts[found.hash] = max(r.posts[found.hash], found.seq)
		return
	}
	had, upTo := r.geos[found.hash], found.upToID
	if idAfter(had.upToID, upTo) {
		upTo = had.upToID
	}
	r.geos[found.hash] = geoRemoval{max(had.seq, found.seq), upTo}
}

// keep keeps a removal whole.
func (r *removals) keep(e *incoming) {
	if len(r.recent) == recentRemovals {
		r.recent = append(r.recent[:0], r.recent[recentRemovals/2:]...)
	}
	facts := *e.facts
	r.recent = append(r.recent, incoming{seq: e.seq, kind: e.kind, payload: bytes.Clone(e.payload), facts: &facts})
}

// remember notes the order, and forgets the oldest if there are too many.
func (r *removals) remember(ref removalRef) {
	if len(r.order) < r.most {
		r.order = append(r.order, ref)
		return
	}
	r.forget(r.order[r.turn])
	r.order[r.turn] = ref
	r.turn = (r.turn + 1) % r.most
}

// forget drops a removal, unless a newer one of the same name took its place.
func (r *removals) forget(ref removalRef) {
	if ref.geo {
		if r.geos[ref.hash].seq == ref.seq {
			delete(r.geos, ref.hash)
		}
	} else if r.posts[ref.hash] == ref.seq {
		delete(r.posts, ref.hash)
	}
	r.floor = max(r.floor, ref.seq)
}

// gone reports whether an event was removed: its post was, or it tells a
// position that was.
func (r *removals) gone(kind string, f *filter.Facts) bool {
	if filter.Removal(kind) || len(f.ID) == 0 {
		return false
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	if len(r.posts) > 0 {
		if _, ok := r.posts[filter.Hash(r.seed, f.Source, f.ID)]; ok {
			return true
		}
	}
	if !f.Placed || len(f.UserID) == 0 || len(r.geos) == 0 {
		return false
	}
	geo, ok := r.geos[filter.Hash(r.seed, f.Source, f.UserID)]
	return ok && !idAfter(f.ID, geo.upToID)
}

// idAfter reports whether id a is greater than b, as numbers of any length.
func idAfter(a, b []byte) bool {
	a, b = bytes.TrimLeft(a, "0"), bytes.TrimLeft(b, "0")
	if len(a) != len(b) {
		return len(a) > len(b)
	}
	return bytes.Compare(a, b) > 0
}

// since reports whether anything was removed at sequence next or later.
func (r *removals) since(next uint64) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.last >= next
}

// trusted is the first sequence from which on all removals are known.
func (r *removals) trusted() uint64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.floor + 1
}

// between returns the removals from sequence from up to and including to, as
// far as they are kept whole.
func (r *removals) between(from, to uint64) (all []incoming) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, e := range r.recent {
		if e.seq >= from && e.seq <= to {
			all = append(all, e)
		}
	}
	return all
}

// startOver says that the sequences start over. What was removed stays so.
func (r *removals) startOver(next uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = min(r.last, next-1)
	r.floor = min(r.floor, next-1)
	r.recent = nil
	r.era++
}
