package demo

import (
	"time"

	"github.com/blipstream/blipstream/internal/simulate/dice"
)

const (
	// tickEvery is how often items are emitted: often enough that a page seems
	// to flow, seldom enough to cost nothing.
	tickEvery = 20 * time.Millisecond
	// maxDebt is how much of the time during which emit blocked is made up for.
	// What an upstream would have sent in the rest is gone, as it would be.
	maxDebt = time.Second
	// burstCycle is how long each cycle is, of which burstLength is a burst.
	burstCycle  = 10 * time.Second
	burstLength = time.Second
)

// pace decides how many items are due.
type pace struct {
	seed  uint64
	base  float64 // items a second outside bursts
	burst float64
	began time.Time
	last  time.Time
	dice  dice.Dice
}

func newPace(o options, now time.Time) *pace {
	// The mean over a cycle is the rate asked for.
	duty := float64(burstLength) / float64(burstCycle)
	return &pace{
		seed: o.seed, base: o.rate / (1 + duty*(o.burst-1)), burst: o.burst,
		began: now, last: now, dice: dice.Of(o.seed, uint64(now.UnixNano()), 0),
	}
}

// due throws how many items arrive between the last call and now.
func (p *pace) due(now time.Time) int {
	passed := min(now.Sub(p.last), maxDebt)
	p.last = now
	return p.dice.Poisson(p.rate(now) * passed.Seconds())
}

// rate is how many items a second arrive at a moment.
func (p *pace) rate(now time.Time) float64 {
	age := now.Sub(p.began)
	d := dice.Of(p.seed, uint64(age/burstCycle), 0)
	begin := time.Duration(d.Float() * float64(burstCycle-burstLength))
	if at := age % burstCycle; at >= begin && at < begin+burstLength {
		return p.base * p.burst
	}
	return p.base
}
