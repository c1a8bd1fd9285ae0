package bench

import (
	"fmt"
	"runtime"
	"strings"
	"time"
)

// Half is what one part of a measurement took.
type Half struct {
	// Took is by the clock, CPU by the processor: this process's, all cores.
	Took, CPU time.Duration
	tweets    int
}

// better takes over what was quicker and what was cheaper in another run.
func (h *Half) better(other Half) {
	if h.tweets == 0 {
		*h = other
		return
	}
	h.Took, h.CPU = min(h.Took, other.Took), min(h.CPU, other.CPU)
}

// Rate is tweets per second.
func (h Half) Rate() float64 { return float64(h.tweets) / h.Took.Seconds() }

// CPUMicros is the CPU time of this process per tweet, in microseconds.
func (h Half) CPUMicros() float64 { return float64(h.CPU.Microseconds()) / float64(h.tweets) }

// Report is what Run measured.
type Report struct {
	// Tweets is how many each part read, TweetBytes their mean size.
	Tweets     int
	TweetBytes float64
	// Ack only takes and acknowledges, Enrich does everything, Rules has 20
	// rules besides, Poison is Enrich on tweets of which 1 % are broken, Pair is
	// two replicas in this process, Deep is Enrich with Waiting tweets behind.
	Ack, Enrich, Rules, Poison, Pair, Deep Half
	// Events is how many Enrich stored.
	Events uint64
	// Letters is how many dead letters Poison made, and MostDeliveries how often
	// one of these was delivered at most. Slowest is the longest way of a broken
	// tweet from RAW to DEAD, while nothing waited.
	Letters, MostDeliveries uint64
	Slowest                 time.Duration
	// Waiting is the backlog of Deep; 0 if that was not measured.
	Waiting uint64
	// RSS is the memory the process held after Enrich, DeepRSS the most it held
	// during Deep, in bytes; 0 if unknown.
	RSS, DeepRSS int64
}

// Ratio is the rate of enrich, of that of taking and acknowledging alone.
func (r Report) Ratio() float64 { return r.Enrich.Rate() / r.Ack.Rate() }

// Scale is how many times as much two replicas do as one. byClock is as seen
// here, where they and the server share the cores. byCPU is what follows from
// the CPU time of a tweet where each replica has cores of its own and the
// server has room: twice, less what it costs each that the other is there. A
// tweet may even cost less then, as each has more in one go when cores are
// short; that is not counted.
func (r Report) Scale() (byClock, byCPU float64) {
	return r.Pair.Rate() / r.Enrich.Rate(), min(2, 2*r.Enrich.CPUMicros()/r.Pair.CPUMicros())
}

// change is by how much b is more than a, in percent.
func change(a, b float64) float64 { return 100 * (b/a - 1) }

// String is the report as a person reads it.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d tweets of %.0f bytes, %d events\n", r.Tweets, r.TweetBytes, r.Events)
	fmt.Fprintf(&b, "%-26s %10s %14s %14s\n", "", "tweets/s", "CPU µs/tweet", "of ack alone")
	for _, row := range r.rows() {
		fmt.Fprintf(&b, "%-26s %10.0f %14.1f %14.2f\n", row.name, row.Rate(), row.CPUMicros(), row.Rate()/r.Ack.Rate())
	}
	byClock, byCPU := r.Scale()
	fmt.Fprintf(&b, "\nratio %.2f of taking and acknowledging alone, memory %.0f MB\n", r.Ratio(), float64(r.RSS)/1e6)
	fmt.Fprintf(&b, "20 rules: rate %+.0f %%, CPU %+.0f %%\n", change(r.Enrich.Rate(), r.Rules.Rate()), change(r.Enrich.CPUMicros(), r.Rules.CPUMicros()))
	fmt.Fprintf(&b, "1 %% poison: rate %+.0f %%, CPU %+.0f %%; %d letters of items delivered %d times at most; live, in DEAD after %v at most\n",
		change(r.Enrich.Rate(), r.Poison.Rate()), change(r.Enrich.CPUMicros(), r.Poison.CPUMicros()), r.Letters, r.MostDeliveries, r.Slowest.Round(time.Millisecond/10))
	fmt.Fprintf(&b, "two replicas: %.2fx by the clock (%d cores, shared with the server and each other); %.2fx by the CPU time of a tweet, given cores of their own\n",
		byClock, runtime.NumCPU(), byCPU)
	if r.Waiting > 0 {
		fmt.Fprintf(&b, "%d waiting: CPU %+.0f %%, memory %.0f MB\n", r.Waiting, change(r.Enrich.CPUMicros(), r.Deep.CPUMicros()), float64(r.DeepRSS)/1e6)
	}
	return b.String()
}

// row is a line of the table.
type row struct {
	name string
	Half
}

func (r Report) rows() []row {
	rows := []row{
		{"take and acknowledge", r.Ack},
		{"enrich", r.Enrich},
		{"enrich, 20 rules", r.Rules},
		{"enrich, 1 % poison", r.Poison},
		{"two enrich", r.Pair},
	}
	if r.Waiting > 0 {
		rows = append(rows, row{fmt.Sprintf("enrich, %d waiting", r.Waiting), r.Deep})
	}
	return rows
}
