package bridge

import (
	"context"
	"time"
)

const (
	// firstDelay doubles up to lastDelay between attempts to reach Redis. The
	// last is short: a PING a second costs nobody anything, and old programs
	// wait for the other end.
	firstDelay = 50 * time.Millisecond
	lastDelay  = time.Second
)

// backoff spaces attempts.
type backoff struct{ next time.Duration }

func newBackoff() *backoff { return &backoff{next: firstDelay} }

// wait waits, or until ctx ends.
func (b *backoff) wait(ctx context.Context) {
	t := time.NewTimer(b.next)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
	b.next = min(2*b.next, lastDelay)
}

func (b *backoff) reset() { b.next = firstDelay }
