package simulate

// sort says what item n is.
type sort uint8

const (
	sortPost sort = iota
	sortDelete
	sortScrub
	sortLimit
	sortMalformed
	sortDuplicate
)

// block is how many items share one place for a control message. A delete
// aims at a post some blocks before its own, so that nothing is deleted twice
// and nobody has to remember what there was.
const (
	block       = 64
	blocksSince = 4
)

// maxBack is about how far back a duplicate repeats.
const maxBack = 32

// item maps a position in the stream to the item that stands there: in a world
// with disorder two neighbours may have changed places.
func (w *World) item(position uint64) uint64 {
	if w.o.Disorder == 0 {
		return position
	}
	d := w.dice(position/2, saltOrder)
	if d.Chance(w.o.Disorder) {
		return position ^ 1
	}
	return position
}

// original is n, or for a duplicate the item it repeats.
func (w *World) original(n uint64) uint64 {
	if w.sortOf(n) != sortDuplicate {
		return n
	}
	d := w.dice(n, saltKind)
	d.Uint64() // sortOf's throw
	// Two back at least: a neighbour may have changed places with n.
	return w.postNear(n-2-uint64(d.N(maxBack)), 0)
}

// sortOf tells what item n is.
func (w *World) sortOf(n uint64) sort {
	d := w.dice(n, saltKind)
	p := d.Float()
	switch {
	case p < w.o.Malformed:
		return sortMalformed
	case n >= block && p < w.o.Malformed+w.o.Duplicates:
		return sortDuplicate
	case n >= blocksSince*block && n%block == w.controlPlace(n/block):
		return w.controlSort(n)
	}
	return sortPost
}

// controlPlace is where in its block the control message stands.
func (w *World) controlPlace(b uint64) uint64 {
	d := w.dice(b, saltPlace)
	return uint64(d.N(block))
}

// controlSort is what the control message of n's block is; most blocks have
// none, and a post stands in its place.
func (w *World) controlSort(n uint64) sort {
	d := w.dice(n, saltControl)
	switch p := d.Float(); {
	case p < 0.40:
		return sortDelete
	case p < 0.44:
		return sortScrub
	case p < 0.50 && w.o.Limits:
		return sortLimit
	}
	return sortPost
}

// target is the post that the control message n is about.
func (w *World) target(n uint64) uint64 {
	d := w.dice(n, saltControl)
	d.Uint64() // controlSort's throw
	first := (n/block - blocksSince) * block
	return w.postNear(first+uint64(d.N(block)), first)
}

// postNear is the last post at or before n and not before first, or else the
// first after n.
func (w *World) postNear(n, first uint64) uint64 {
	for k := n; ; k-- {
		if w.sortOf(k) == sortPost {
			return k
		}
		if k == first {
			break
		}
	}
	for k := n + 1; ; k++ {
		if w.sortOf(k) == sortPost {
			return k
		}
	}
}
