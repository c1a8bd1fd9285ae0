package main

import (
	"slices"
	"time"

	"github.com/blipstream/blipstream/cmd/blipstream/loadgen"
)

const (
	// At latencyClients clients times latencyRate events a second latencies are
	// measured, for latencyTime at a time.
	latencyClients, latencyRate = 1000, 20
	latencyTime                 = 4 * time.Second
)

// contender is a server and what was measured of it, round by round.
type contender struct {
	*subject
	crowd  *loadgen.Crowd
	rounds []measured
}

// latency measures how long events take at a rate that all servers hold. They
// take turns, so that what else the machine does is shared among them, and the
// middle one of the rounds counts.
func (b *gatewayBench) latency() error {
	b.print("\n%d clients x %d events a second, the middle one of %d rounds", latencyClients, latencyRate, b.Rounds)
	b.print("%-8s %9s %9s %19s %12s %6s", "server", "p50", "p99", "best and worst p99", "CPU µs/event", "gaps")
	var all []*contender
	for _, name := range contenders() {
		c, err := b.contender(name)
		if err != nil {
			return err
		}
		defer c.stop()
		defer c.crowd.Close()
		all = append(all, c)
	}
	for range b.Rounds {
		for _, c := range all {
			m, err := b.measure(c.subject, c.crowd, latencyRate, latencyTime, b.Size)
			if err != nil {
				return err
			}
			c.rounds = append(c.rounds, m)
		}
	}
	for _, c := range all {
		b.printLatency(c)
	}
	return nil
}

// contender starts a server and has clients join it.
func (b *gatewayBench) contender(name string) (*contender, error) {
	s, err := b.start(name)
	if err != nil {
		return nil, err
	}
	crowd, err := b.crowd(s, loadgen.Options{Clients: latencyClients})
	if err != nil {
		s.stop()
		return nil, err
	}
	return &contender{subject: s, crowd: crowd}, nil
}

// printLatency prints the line of a server.
func (b *gatewayBench) printLatency(c *contender) {
	var p50, p99 []time.Duration
	var sum measured
	var gaps uint64
	for _, m := range c.rounds {
		p50, p99 = append(p50, m.P50), append(p99, m.P99)
		sum.Events += m.Events
		sum.cpu += m.cpu
		gaps += m.published - min(m.published, m.Least)
	}
	slices.Sort(p50)
	slices.Sort(p99)
	b.print("%-8s %9s %9s %19s %12.2f %6d", c.name, short(middle(p50)), short(middle(p99)),
		short(p99[0])+" "+short(p99[len(p99)-1]), perEvent(sum), gaps)
}

// middle is the middle one of what is sorted; the greater of two.
func middle(sorted []time.Duration) time.Duration { return sorted[len(sorted)/2] }

// idle measures the memory of connections where nothing happens.
func (b *gatewayBench) idle() error {
	b.print("\nMemory of %d idle connections", b.Idle)
	return b.each(func(s *subject) error {
		before, err := s.memory()
		if err != nil {
			return err
		}
		c, err := b.crowd(s, loadgen.Options{Clients: b.Idle})
		if err != nil {
			return err
		}
		defer c.Close()
		after, err := s.memory()
		if err != nil {
			return err
		}
		b.print("%-8s %6.1f KiB each", s.name, float64(after-before)/1024/float64(b.Idle))
		return nil
	})
}
