package ingest

import (
	"context"
	"time"

	"github.com/blipstream/blipstream/services/ingest/source"
)

// The waits before a connection is made again, as the operators of streams
// ask for them (Twitter's guidance for v1.1 and v2 is the same).
const (
	networkStep = 250 * time.Millisecond
	networkMax  = 16 * time.Second
	httpFirst   = 5 * time.Second
	httpMax     = 320 * time.Second
	limitFirst  = time.Minute
	limitMax    = 16 * time.Minute
	// shortLife is how long a connection must have lasted for its end to be
	// answered at once: one that always ends sooner would be a hot loop.
	shortLife = time.Second
	// jitterPart is the most that chance adds to a wait, as a part of it, so
	// that many clients of one upstream do not come back together. It never
	// takes anything away: nobody comes earlier than was asked.
	jitterPart = 0.1
)

// attempt is how a connection went.
type attempt struct {
	cause source.Cause
	// asked is how long the upstream asked to wait; 0 if it did not.
	asked time.Duration
	// connected says that the upstream took the connection, progressed that an
	// item came over it.
	connected, progressed bool
	lasted                time.Duration
}

// backoff decides how long to wait between connections. The zero value is ready.
type backoff struct {
	network, http, limit int // failures in a row, each of its cause
	barren, short        int // closed in a row: without an item, and too soon
}

// next is how long to wait after an attempt. chance is from 0 to 1.
func (b *backoff) next(a attempt, chance float64) time.Duration {
	b.forget(a)
	wait := max(b.wait(a), a.asked)
	return wait + time.Duration(float64(wait)*jitterPart*chance)
}

// forget starts the series over that an attempt's success has ended.
func (b *backoff) forget(a attempt) {
	if a.connected || a.progressed {
		b.network, b.http, b.limit = 0, 0, 0
	}
	if a.progressed {
		b.barren = 0
	}
	if a.lasted >= shortLife {
		b.short = 0
	}
}

// wait is the wait that the attempt's cause asks for.
func (b *backoff) wait(a attempt) time.Duration {
	switch a.cause {
	case source.CauseClosed:
		return b.closed(a)
	case source.CauseHTTP:
		b.http++
		return doubled(httpFirst, httpMax, b.http)
	case source.CauseRateLimited:
		b.limit++
		return doubled(limitFirst, limitMax, b.limit)
	default:
		b.network++
		return min(time.Duration(b.network)*networkStep, networkMax)
	}
}

// closed is nothing after a connection worth the name; connections without an
// item wait longer each time, and short ones with items at least a moment.
func (b *backoff) closed(a attempt) time.Duration {
	if !a.progressed {
		b.barren++
		return min(time.Duration(b.barren-1)*networkStep, networkMax)
	}
	if a.lasted < shortLife {
		b.short++
	}
	if b.short > 1 {
		return networkStep
	}
	return 0
}

// doubled is first, doubled for each failure after the first, limit at most.
func doubled(first, limit time.Duration, failures int) time.Duration {
	wait := first
	for range failures - 1 {
		if wait *= 2; wait >= limit {
			return limit
		}
	}
	return wait
}

// wait waits for d; when ctx ends before, it returns why.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
