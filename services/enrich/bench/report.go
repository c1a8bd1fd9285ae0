package bench

import (
	"fmt"
	"strings"
	"time"
)

// Half is what one half of a measurement took.
type Half struct {
	// Took is by the clock, CPU by the processor: this process's, all cores.
	Took, CPU time.Duration
	tweets    int
}

// Rate is tweets per second.
func (h Half) Rate() float64 { return float64(h.tweets) / h.Took.Seconds() }

// CPUMicros is the CPU time of this process per tweet, in microseconds.
func (h Half) CPUMicros() float64 { return float64(h.CPU.Microseconds()) / float64(h.tweets) }

// Report is what Run measured.
type Report struct {
	// Tweets is how many each half read, TweetBytes their mean size.
	Tweets     int
	TweetBytes float64
	// Ack only takes and acknowledges, Enrich does everything.
	Ack, Enrich Half
	// Events is how many were stored.
	Events uint64
	// RSS is the memory the process held at the end, in bytes; 0 if unknown.
	RSS int64
}

// Ratio is the rate of enrich, of that of taking and acknowledging alone.
func (r Report) Ratio() float64 { return r.Enrich.Rate() / r.Ack.Rate() }

// String is the report as a person reads it.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d tweets of %.0f bytes, %d events\n", r.Tweets, r.TweetBytes, r.Events)
	fmt.Fprintf(&b, "%-22s %10s %14s\n", "", "tweets/s", "CPU µs/tweet")
	fmt.Fprintf(&b, "%-22s %10.0f %14.1f\n", "take and acknowledge", r.Ack.Rate(), r.Ack.CPUMicros())
	fmt.Fprintf(&b, "%-22s %10.0f %14.1f\n", "enrich", r.Enrich.Rate(), r.Enrich.CPUMicros())
	fmt.Fprintf(&b, "ratio %.2f, memory %.0f MB\n", r.Ratio(), float64(r.RSS)/1e6)
	return b.String()
}
