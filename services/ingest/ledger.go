package ingest

import (
	"sync"

	"github.com/blipstream/blipstream/internal/feed"
)

// ledger knows up to where everything that was taken from a source is stored.
// Items are entered in the source's order and settled in any: RAW and DEAD
// answer each at their own pace.
type ledger struct {
	mu      sync.Mutex
	first   uint64 // the number of entries[0]
	entries []ledgerEntry
	stored  feed.Cursor
}

type ledgerEntry struct {
	cursor  feed.Cursor
	settled bool
}

// enter takes the next item's cursor and returns its number.
func (l *ledger) enter(at feed.Cursor) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, ledgerEntry{cursor: at})
	return l.first + uint64(len(l.entries)) - 1
}

// mark takes a cursor that no item carries: the position is at it once all
// before it is stored.
func (l *ledger) mark(at feed.Cursor) { l.settle(l.enter(at)) }

// settle says that the item of number n is stored.
func (l *ledger) settle(n uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries[n-l.first].settled = true
	for len(l.entries) > 0 && l.entries[0].settled {
		if at := l.entries[0].cursor; at != "" {
			l.stored = at
		}
		l.entries = l.entries[1:]
		l.first++
	}
}

// position is the cursor behind the last item before which, and with which,
// everything is stored; empty if that never had one.
func (l *ledger) position() feed.Cursor {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stored
}

// open is how many items are entered and not yet behind the position.
func (l *ledger) open() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.entries)
}
