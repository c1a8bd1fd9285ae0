package bus

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// signal tells any number of waiters that something has happened since they
// asked. The zero value is ready.
type signal struct {
	mu sync.Mutex
	ch chan struct{}
}

// next is closed by the first fire after this call.
func (s *signal) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch == nil {
		s.ch = make(chan struct{})
	}
	return s.ch
}

// fire wakes all who wait.
func (s *signal) fire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch != nil {
		close(s.ch)
		s.ch = nil
	}
}

// backoff doubles a delay from base to limit. Half of each delay is random, so
// that processes that failed together do not try again together.
type backoff struct {
	base, limit time.Duration
	tries       int
}

func (b *backoff) reset() { b.tries = 0 }

// next is the delay before the next try.
func (b *backoff) next() time.Duration {
	d := growing(b.base, b.limit, b.tries)
	b.tries++
	return d
}

// growing is the jittered delay after so many tries.
func growing(base, limit time.Duration, tries int) time.Duration {
	d := limit
	// 30 doublings exceed any limit in use and cannot overflow.
	if tries < 30 && base<<tries < limit {
		d = base << tries
	}
	return d/2 + rand.N(d/2+1)
}

// wait waits for d, for wake or for the end of ctx; it reports whether ctx
// still lives.
func wait(ctx context.Context, d time.Duration, wake <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-wake:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}
