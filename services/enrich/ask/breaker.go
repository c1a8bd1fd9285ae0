package ask

import (
	"sync"
	"time"
)

const (
	// breakAfter is how many failures in a row open the breaker: fewer could be
	// a restart of one of several instances.
	breakAfter = 10
	// coolDown is how long it stays open the first time; twice as long each
	// time the question that finds out fails as well, up to maxCoolDown.
	coolDown    = time.Second
	maxCoolDown = 30 * time.Second
)

// breaker keeps those from waiting who would wait in vain. The zero value is
// ready, and closed.
type breaker struct {
	mu       sync.Mutex
	failures int
	open     bool
	until    time.Time
	wait     time.Duration
	// probing is true while the one question that finds out is on its way.
	probing bool
}

// pass says how a question was allowed.
type pass struct {
	// probe says that it is the one that finds out.
	probe bool
}

// allow reports whether a question may be sent. While the breaker is open and
// its time is over, one may; its result decides.
func (b *breaker) allow(now time.Time) (p pass, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.open {
		return pass{}, true
	}
	if b.probing || now.Before(b.until) {
		return pass{}, false
	}
	b.probing = true
	return pass{probe: true}, true
}

// forget takes back what allow has noted for a question without a result.
func (b *breaker) forget(p pass) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p.probe {
		b.probing = false
	}
}

// result notes how a question went that was allowed. It reports whether the
// breaker has opened or closed by that. Questions that were on their way when it
// opened say nothing new if they fail as well: there may be hundreds, and each
// would lengthen the wait.
func (b *breaker) result(p pass, now time.Time, healthy bool) (changed, open bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	was := b.open
	if p.probe {
		b.probing = false
	}
	switch {
	case healthy:
		b.failures, b.open, b.wait = 0, false, 0
		return was, false
	case was && !p.probe:
		return false, true
	}
	b.failures++
	if b.failures < breakAfter && !was {
		return false, false
	}
	if b.wait = min(2*b.wait, maxCoolDown); b.wait == 0 {
		b.wait = coolDown
	}
	b.open, b.until = true, now.Add(b.wait)
	return !was, true
}
