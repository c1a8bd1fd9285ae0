package tail

import "sync/atomic"

// Signal wakes everyone who waits for it, any number of times.
type Signal struct{ ch atomic.Pointer[chan struct{}] }

// NewSignal makes a signal.
func NewSignal() *Signal {
	s := &Signal{}
	ch := make(chan struct{})
	s.ch.Store(&ch)
	return s
}

// Wait returns a channel that is closed when the signal is fired next.
func (s *Signal) Wait() <-chan struct{} { return *s.ch.Load() }

// Fire wakes all that wait now.
func (s *Signal) Fire() {
	ch := make(chan struct{})
	close(*s.ch.Swap(&ch))
}
