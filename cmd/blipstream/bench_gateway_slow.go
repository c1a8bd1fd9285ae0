package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/blipstream/blipstream/cmd/blipstream/loadgen"
)

const (
	// The clients get slowRate events of slowSize bytes a second: enough to fill
	// the buffers of one that does not read well within a minute, and little
	// enough that two cores have time for ten thousand and for their generator.
	slowRate, slowSize = 5, 2000
	// One in badShare clients reads nothing, and another a byte a second.
	badShare = 100
)

// slow compares the latency of good clients with and without bad ones: without
// before and after, so that a machine that grows busier or calmer does not pass
// for what the bad ones do.
func (b *gatewayBench) slow() error {
	bad := b.Held / badShare
	b.print("\n%d clients, %d events of %d bytes a second, without others, with %d more that read nothing and %d that read a byte a second, and without",
		b.Held, slowRate, slowSize, bad, bad)
	b.print("%-8s %7s %9s %9s %6s %10s %10s %6s %8s %9s", "", "for", "p50", "p99", "gaps", "RSS before", "after", "cut", "skipped", "no room")
	return b.with("gateway", func(s *subject) error {
		good, err := b.crowd(s, loadgen.Options{Clients: b.Held})
		if err != nil {
			return err
		}
		defer good.Close()
		var p99 [3]time.Duration
		for i, bad := range []int{0, bad, 0} {
			d := b.Slow
			if bad == 0 {
				d /= 2
			}
			if p99[i], err = b.stretch(s, good, bad, d); err != nil {
				return err
			}
		}
		b.print("p99 with against without: %+.1f %%", 100*(2*float64(p99[1])/float64(p99[0]+p99[2])-1))
		return nil
	})
}

// stretch measures the good clients for a time beside bad ones, and prints it.
func (b *gatewayBench) stretch(s *subject, good *loadgen.Crowd, bad int, d time.Duration) (time.Duration, error) {
	others, err := b.crowd(s, loadgen.Options{Dead: bad, Slow: bad})
	if err != nil {
		return 0, err
	}
	defer others.Close()
	earlier, err := s.trouble(b.p.ctx)
	if err != nil {
		return 0, err
	}
	before, err := s.memory()
	if err != nil {
		return 0, err
	}
	m, err := b.measure(s, good, slowRate, d, slowSize)
	if err != nil {
		return 0, err
	}
	after, err := s.memory()
	if err != nil {
		return 0, err
	}
	now, err := s.trouble(b.p.ctx)
	if err != nil {
		return 0, err
	}
	name := "without"
	if bad > 0 {
		name = "with"
	}
	b.print("%-8s %7s %9s %9s %6d %10s %10s %6.0f %8.0f %9.0f", name, d, short(m.P50), short(m.P99),
		m.published-min(m.published, m.Least), mebibytes(before), mebibytes(after),
		now.cut-earlier.cut, now.skipped-earlier.skipped, now.stalled)
	return m.P99, nil
}

// mebibytes is a size in few digits.
func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

// trouble is what a gateway's metrics tell of clients that do not read.
type trouble struct{ cut, skipped, stalled float64 }

// metricsTimeout bounds the reading of a gateway's metrics.
const metricsTimeout = 10 * time.Second

// trouble reads the gateway's metrics.
func (s *subject) trouble(ctx context.Context) (t trouble, err error) {
	ctx, cancel := context.WithTimeout(ctx, metricsTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.addr+"/metrics", nil)
	if err != nil {
		return t, fmt.Errorf("bench: read metrics: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return t, fmt.Errorf("bench: read metrics: %w", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return t, fmt.Errorf("bench: read metrics: %w", err)
	}
	return trouble{
		cut:     sample(string(text), `blipstream_gateway_slow_total{outcome="cut"}`),
		skipped: sample(string(text), `blipstream_gateway_slow_total{outcome="skipped"}`),
		stalled: sample(string(text), `blipstream_gateway_stalled_clients`),
	}, nil
}

// sample finds the value of a series in the text form of metrics; 0 if it is
// not there yet.
func sample(text, series string) float64 {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, series+" "); ok {
			v, _ := strconv.ParseFloat(strings.TrimSpace(rest), 64) // it was made by a library
			return v
		}
	}
	return 0
}
