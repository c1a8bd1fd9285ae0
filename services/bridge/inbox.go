package bridge

import (
	"context"
	"slices"
	"sync"
	"time"
)

const (
	// inboxRoom bounds, in bytes, what waits for the bridge that works: enough
	// to hand over in batches. Where storing is slower, reading waits.
	inboxRoom = 1 << 20
	// inboxKept bounds, in bytes, what a standby keeps, or a bridge that has
	// lost its lease because NATS is away.
	inboxKept = 32 << 20
	// keepFor bounds the same by age. It is many times what a takeover needs,
	// and well below the window in which a stream knows ids again: what the
	// bridge before has stored is not stored twice.
	keepFor = 2 * time.Minute
	// parcelBytes is what a parcel costs beside its payload.
	parcelBytes = 64
)

// parcel is a message of Redis, and when it came.
type parcel struct {
	payload string
	at      time.Time
}

func (p parcel) size() int { return parcelBytes + len(p.payload) }

// inbox holds what came from Redis and is not stored yet. While the bridge
// works, whoever puts waits for room. While it does not, the newest are kept
// and the oldest let go: so a takeover, or an outage of NATS, leaves no gap
// where Redis itself keeps nothing.
type inbox struct {
	mu      sync.Mutex
	parcels []parcel
	bytes   int
	working bool
	// more and room each hold at most one wake-up.
	more, room chan struct{}
}

func newInbox() *inbox {
	return &inbox{more: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

// put adds a parcel. It reports whether it had to wait for room until ctx
// ended; then the parcel is not in. One goroutine puts.
func (b *inbox) put(ctx context.Context, p parcel) (full bool) {
	for !b.tryPut(p) {
		select {
		case <-b.room:
		case <-ctx.Done():
			return true
		}
	}
	return false
}

func (b *inbox) tryPut(p parcel) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.working && len(b.parcels) > 0 && b.bytes+p.size() > inboxRoom {
		return false
	}
	b.parcels = append(b.parcels, p)
	b.bytes += p.size()
	if !b.working {
		b.forget(p.at)
	}
	wake(b.more)
	return true
}

// forget lets go of what is too much or too old. It is called with mu held.
func (b *inbox) forget(now time.Time) {
	n := 0
	for n < len(b.parcels) && (b.bytes > inboxKept || now.Sub(b.parcels[n].at) > keepFor) {
		b.bytes -= b.parcels[n].size()
		b.parcels[n] = parcel{}
		n++
	}
	b.parcels = b.parcels[n:]
}

// work says whether the bridge works.
func (b *inbox) work(working bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.working = working
	b.forget(time.Now())
	wake(b.room)
}

// take hands over all there is. It waits for something, or until ctx ends;
// then there may be nothing. One goroutine takes.
func (b *inbox) take(ctx context.Context) []parcel {
	for {
		if all := b.tryTake(); len(all) > 0 {
			return all
		}
		select {
		case <-b.more:
		case <-ctx.Done():
			return b.tryTake()
		}
	}
}

func (b *inbox) tryTake() []parcel {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.parcels
	b.parcels, b.bytes = nil, 0
	wake(b.room)
	return all
}

// back puts back what was taken and could not be stored, in front.
func (b *inbox) back(parcels []parcel) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.parcels = append(slices.Clip(parcels), b.parcels...)
	for _, p := range parcels {
		b.bytes += p.size()
	}
	wake(b.more)
}
