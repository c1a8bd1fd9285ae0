package bridge

import (
	"context"
	"sync"

	"github.com/blipstream/blipstream/internal/bus"
)

// letter is a message on its way out. Without data there is nothing to
// publish, and it only waits for its turn to be settled.
type letter struct {
	delivery *bus.Delivery
	data     []byte
}

// queue holds what was read and not yet published, bounded in bytes.
type queue struct {
	limit int

	mu      sync.Mutex
	letters []letter
	bytes   int
	closed  bool
	// more and room each hold at most one wake-up.
	more, room chan struct{}
}

func newQueue(limit int) *queue {
	return &queue{limit: limit, more: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

// push adds a letter, and waits for room first. After close it does nothing.
// One goroutine pushes.
func (q *queue) push(l letter) {
	for !q.tryPush(l) {
		<-q.room
	}
}

// tryPush reports whether there is no need to wait.
func (q *queue) tryPush(l letter) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return true
	}
	if len(q.letters) > 0 && q.bytes+l.size() > q.limit {
		return false
	}
	q.letters = append(q.letters, l)
	q.bytes += l.size()
	wake(q.more)
	return true
}

// letterBytes is what a letter costs beside its data.
const letterBytes = 512

func (l letter) size() int { return letterBytes + len(l.data) }

// pop takes up to most letters, of up to limit bytes where there are several.
// It waits for one, or until ctx ends. One goroutine pops.
func (q *queue) pop(ctx context.Context, most, limit int) []letter {
	for {
		if batch := q.tryPop(most, limit); len(batch) > 0 {
			return batch
		}
		select {
		case <-q.more:
		case <-ctx.Done():
			return nil
		}
	}
}

func (q *queue) tryPop(most, limit int) []letter {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, size := 0, 0
	for n < min(most, len(q.letters)) {
		size += q.letters[n].size()
		if n > 0 && size > limit {
			size -= q.letters[n].size()
			break
		}
		n++
	}
	batch := q.letters[:n:n]
	q.letters = q.letters[n:]
	q.bytes -= size
	wake(q.room)
	return batch
}

// close lets go of whoever pushes.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed, q.letters = true, nil
	wake(q.room)
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
