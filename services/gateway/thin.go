package gateway

import (
	"hash/maphash"
	"math"
	"strconv"
	"time"

	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
	"github.com/blipstream/blipstream/services/gateway/filter"
)

const (
	// thinTick is how often the share that passes is set anew.
	thinTick = 100 * time.Millisecond
	// thinSmooth is the part of the newest tick in the measured rate.
	thinSmooth = 0.2
)

// thinner lets at most rate events a second pass. Which do is decided by a hash
// of the post, so that all posts have the same chance whatever they are and
// wherever they come from, and a post and its position stay together. What is
// left out is counted.
type thinner struct {
	seed maphash.Seed
	rate float64
	// share of the hashes below it passes.
	share uint64
	// seen is how many came since the last tick, average the measured rate.
	seen    int
	average float64
	// credit is how many may still pass, as a tick brings more.
	credit float64
	told   *feedv1.Thinned
}

func newThinner(rate int, seed maphash.Seed) *thinner {
	t := &thinner{seed: seed, rate: float64(rate), share: math.MaxUint64}
	t.credit = t.burst()
	return t
}

// burst is how many may pass at once: half a second's.
func (t *thinner) burst() float64 { return max(1, t.rate/2) }

// pass reports whether an event passes. Removals do always.
func (t *thinner) pass(e *incoming) bool {
	if filter.Removal(e.kind) {
		return true
	}
	t.seen++
	if t.credit < 1 || t.hash(e) > t.share {
		t.leaveOut(e.seq, e.seq, 1)
		return false
	}
	t.credit--
	return true
}

// hash is the same for all events of a post.
func (t *thinner) hash(e *incoming) uint64 {
	if len(e.facts.ID) == 0 {
		return filter.Hash(t.seed, nil, strconv.AppendUint(nil, e.seq, 10))
	}
	return filter.Hash(t.seed, e.facts.Source, e.facts.ID)
}

// leaveOut counts what was left out.
func (t *thinner) leaveOut(from, to, count uint64) {
	if t.told == nil {
		t.told = &feedv1.Thinned{FromSeq: from}
	}
	t.told.ToSeq = to
	t.told.Count += count
}

// tick is called every thinTick.
func (t *thinner) tick() {
	now := float64(t.seen) / thinTick.Seconds()
	t.seen = 0
	t.average += thinSmooth * (now - t.average)
	t.credit = min(t.credit+t.rate*thinTick.Seconds(), t.burst())
	t.share = math.MaxUint64
	if t.average > t.rate {
		t.share = uint64(t.rate / t.average * math.MaxUint64)
	}
}

// take returns what was left out since the last call; nil if nothing was.
func (t *thinner) take() *feedv1.Thinned {
	told := t.told
	t.told = nil
	return told
}
