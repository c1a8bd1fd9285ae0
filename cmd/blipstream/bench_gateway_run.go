package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/blipstream/blipstream/cmd/blipstream/loadgen"
)

const (
	// Rates grow by rateGrowth from firstRate deliveries a second on, until one
	// cannot be held.
	firstRate, rateGrowth = 50_000, 1.4
	// heldShare is which part of what was due has to be published for a rate
	// to be held, and drainTime how long the last of it may take to arrive.
	heldShare, drainTime = 0.93, time.Second
	// joinTimeout is how long clients may take to be answered.
	joinTimeout = time.Minute
)

// contenders are the servers that are measured beside each other.
func contenders() []string { return []string{"gateway", "r3labs", "bare"} }

// benchParts are what is measured, in this order.
func benchParts() []string { return []string{"saturation", "latency", "idle", "slow", "live"} }

// gatewayBench is one run of bench gateway.
type gatewayBench struct {
	*benchGatewayCmd
	p *proc
	// best is what each server held, by number of clients.
	best map[string]map[int]float64
}

// Run measures and prints.
func (c *benchGatewayCmd) Run(p *proc) error {
	b := &gatewayBench{benchGatewayCmd: c, p: p, best: map[string]map[int]float64{}}
	return b.parts()
}

// parts measures what is asked for.
func (b *gatewayBench) parts() error {
	run := map[string]func() error{
		"saturation": b.saturation, "latency": b.latency, "idle": b.idle, "slow": b.slow, "live": b.live,
	}
	for _, part := range benchParts() {
		if len(b.Only) > 0 && !slices.Contains(b.Only, part) {
			continue
		}
		if err := run[part](); err != nil {
			return fmt.Errorf("bench: measure %s: %w", part, err)
		}
	}
	return nil
}

// print prints a line.
func (b *gatewayBench) print(format string, args ...any) {
	fmt.Fprintf(b.p.stdout, format+"\n", args...)
}

// each starts each of the servers in turn.
func (b *gatewayBench) each(run func(s *subject) error) error {
	for _, name := range contenders() {
		if err := b.with(name, run); err != nil {
			return err
		}
	}
	return nil
}

// start starts a server. A gateway gets a NATS server of its own, with empty
// streams: what it reads of the past after its start must not be measured.
func (b *gatewayBench) start(name string) (*subject, error) {
	if name != "gateway" {
		return startSubject(b.p, name, nil)
	}
	feeder, err := startFeeder(b.p)
	if err != nil {
		return nil, err
	}
	s, err := startSubject(b.p, name, feeder)
	if err != nil {
		feeder.stop()
		return nil, err
	}
	if err := s.ready(b.p.ctx); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// with starts a server for the time of run.
func (b *gatewayBench) with(name string, run func(s *subject) error) error {
	s, err := b.start(name)
	if err != nil {
		return err
	}
	defer s.stop()
	return run(s)
}

// crowd has clients join; the server has to send something for some of them to
// be answered.
func (b *gatewayBench) crowd(s *subject, o loadgen.Options) (*loadgen.Crowd, error) {
	o.Addr = s.addr
	if o.Path == "" {
		o.Path = s.path
	}
	ctx, cancel := context.WithCancel(b.p.ctx)
	nudged := make(chan error, 1)
	go func() {
		var err error
		for s.feeder == nil && ctx.Err() == nil && err == nil {
			_, err = s.publish(ctx, 10, 300*time.Millisecond, b.Size)
		}
		nudged <- err
	}()
	o.Patience = joinTimeout
	c, err := loadgen.Join(b.p.ctx, o)
	cancel()
	if e := <-nudged; err == nil && e != nil {
		c.Close()
		return nil, e
	}
	return c, err
}

// measured is one stretch of sending.
type measured struct {
	loadgen.Totals
	published uint64
	took, cpu time.Duration
	complete  bool
}

// measure sends at a rate and waits until all have it.
func (b *gatewayBench) measure(s *subject, c *loadgen.Crowd, rate float64, d time.Duration, size int) (m measured, err error) {
	c.Reset()
	cpu, began := s.cpu(), time.Now()
	if m.published, err = s.publish(b.p.ctx, rate, d, size); err != nil {
		return m, err
	}
	limit := time.After(drainTime)
	for m.Totals = c.Totals(); m.Least < m.published; m.Totals = c.Totals() {
		select {
		case <-limit:
			m.took, m.cpu = time.Since(began), s.cpu()-cpu
			return m, nil
		case <-time.After(5 * time.Millisecond):
		}
	}
	m.took, m.cpu, m.complete = time.Since(began), s.cpu()-cpu, true
	return m, nil
}

// saturation finds the most deliveries a second without a gap.
func (b *gatewayBench) saturation() error {
	b.print("Most deliveries a second, %d-byte events, no gap", b.Size)
	b.print("%-8s %8s %12s %12s %9s %9s", "server", "clients", "delivered/s", "CPU µs/event", "p50", "p99")
	err := b.each(func(s *subject) error {
		for _, n := range b.Clients {
			if err := b.saturate(s, n); err != nil {
				return err
			}
		}
		return nil
	})
	for _, n := range b.Clients {
		ours := b.best["gateway"][n]
		b.print("%d clients: %.1f times r3labs, %.1f times the bare loop", n, ours/b.best["r3labs"][n], ours/b.best["bare"][n])
	}
	return err
}

// saturate raises the rate for n clients of a server until it cannot be held.
func (b *gatewayBench) saturate(s *subject, n int) error {
	c, err := b.crowd(s, loadgen.Options{Clients: n})
	if err != nil {
		return err
	}
	defer c.Close()
	var best measured
	for rate := float64(firstRate); ; rate *= rateGrowth {
		m, err := b.measure(s, c, rate/float64(n), b.Step, b.Size)
		if err != nil {
			return err
		}
		if !m.complete || float64(m.published) < heldShare*rate/float64(n)*b.Step.Seconds() {
			break
		}
		best = m
	}
	held := float64(best.Events) / max(best.took.Seconds(), b.Step.Seconds())
	if b.best[s.name] == nil {
		b.best[s.name] = map[int]float64{}
	}
	b.best[s.name][n] = held
	b.print("%-8s %8d %12.0f %12.2f %9s %9s", s.name, n, held, perEvent(best), short(best.P50), short(best.P99))
	return nil
}

// perEvent is the server's CPU time for an event, in microseconds.
func perEvent(m measured) float64 {
	return float64(m.cpu.Microseconds()) / float64(max(m.Events, 1))
}

// short is a duration in few digits.
func short(d time.Duration) string { return d.Round(100 * time.Microsecond).String() }
