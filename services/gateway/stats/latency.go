package stats

import (
	"math"
	"time"

	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
)

const (
	// A latency is counted in one of buckets that grow by latencyGrowth, from a
	// tenth of a millisecond on: what is told is within 5 % of the truth, up to
	// ten hours.
	latencyGrowth  = 1.1
	latencyBuckets = 207
	latencyLeast   = 0.1
	// latencySlots are the parts of the minute; the oldest is dropped as a new
	// one begins.
	latencySlots = 12
)

// latency is a distribution of the last minute's latencies.
type latency struct {
	slots [latencySlots][latencyBuckets]uint32
	slot  int64 // number of the newest: its time divided by its length
}

// advance drops what is too old; all of it where the clock was set back by more
// than a minute.
func (l *latency) advance(now time.Time) {
	n := now.UnixNano() / int64(time.Minute/latencySlots)
	if n-l.slot >= latencySlots || l.slot-n >= latencySlots {
		l.slot = n - latencySlots
	}
	for l.slot < n {
		l.slot++
		clear(l.slots[l.slot%latencySlots][:])
	}
}

// add takes one. Less than nothing, from clocks that differ, is nothing.
func (l *latency) add(d time.Duration) {
	i := 0
	if ms := d.Seconds() * 1000 / latencyLeast; ms > 1 {
		i = min(int(math.Log(ms)/math.Log(latencyGrowth)), latencyBuckets-1)
	}
	l.slots[l.slot%latencySlots][i]++
}

// message tells the distribution; nil if nothing is known.
func (l *latency) message() *feedv1.Latency {
	var sum [latencyBuckets]uint64
	count := uint64(0)
	for _, slot := range l.slots {
		for i, n := range slot {
			sum[i] += uint64(n)
			count += uint64(n)
		}
	}
	if count == 0 {
		return nil
	}
	return &feedv1.Latency{P50Ms: quantile(&sum, count, 0.5), P95Ms: quantile(&sum, count, 0.95), Count: count}
}

// quantile returns the middle of the bucket that holds a share of all.
func quantile(sum *[latencyBuckets]uint64, count uint64, share float64) float64 {
	rank := uint64(math.Ceil(float64(count) * share))
	i := 0
	for seen := sum[0]; seen < rank; seen += sum[i] {
		i++
	}
	return math.Round(latencyLeast*math.Pow(latencyGrowth, float64(i)+0.5)*100) / 100
}
