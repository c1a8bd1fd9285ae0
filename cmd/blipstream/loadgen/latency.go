package loadgen

import (
	"math"
	"time"
)

const (
	// Latencies are counted in buckets that grow by growth from one
	// microsecond on: what is told is within 3 % of the truth, up to an hour.
	growth  = 1.05
	buckets = 451
)

// latencies is a distribution of durations.
type latencies struct {
	counts [buckets]uint64
	total  uint64
}

// add takes one.
func (l *latencies) add(d time.Duration) {
	i := 0
	if us := float64(d) / float64(time.Microsecond); us > 1 {
		i = min(int(math.Log(us)/math.Log(growth)), buckets-1)
	}
	l.counts[i]++
	l.total++
}

// quantile is what a share of all is below.
func (l *latencies) quantile(share float64) time.Duration {
	if l.total == 0 {
		return 0
	}
	rank, seen := uint64(math.Ceil(float64(l.total)*share)), uint64(0)
	for i, n := range l.counts {
		if seen += n; seen >= rank {
			return time.Duration(math.Pow(growth, float64(i)+0.5) * float64(time.Microsecond))
		}
	}
	return 0
}
