package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/internal/usage"
	"github.com/blipstream/blipstream/services/ingest"
)

// Options say what to measure.
type Options struct {
	// Items is how many items each part stores, Bytes how long one is.
	Items, Bytes int
	// Rounds is how often all parts are measured; the best of each counts.
	Rounds int
	// Upstream is where an Upstream serves, in another process so that its work
	// is nobody's here, as host and port.
	Upstream string
	// ServerCPU is the CPU time that the server has used so far; nil if unknown.
	ServerCPU func() time.Duration
	// Peer publishes as many items of as many bytes by other means and returns
	// items a second; nil for none. PeerName says what it is.
	Peer     func(ctx context.Context) (rate float64, err error)
	PeerName string
	// Log receives the log lines of what is measured.
	Log *slog.Logger
}

// Run measures on a server that nobody else uses.
func Run(ctx context.Context, server string, o Options) (Report, error) {
	r := &Report{Options: o}
	layout := layout(int64(o.Items), int64(o.Bytes))
	conn, err := bus.Connect(bus.Options{URL: server, Name: "bench", Log: o.Log, Layout: &layout})
	if err != nil {
		return *r, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // what was measured is known
	if err := conn.Ensure(ctx, layout); err != nil {
		return *r, err
	}
	for round := range o.Rounds {
		for _, part := range []struct {
			name string
			into *Half
			run  func() (time.Duration, error)
		}{
			{"publish", &r.Bare, func() (time.Duration, error) { return r.bare(ctx, conn, round) }},
			{"ingest", &r.Ingest, func() (time.Duration, error) { return r.ingest(ctx, conn, round) }},
			{o.PeerName, &r.Peer, func() (time.Duration, error) { return r.peer(ctx) }},
		} {
			if err := r.measure(part.into, part.run); err != nil {
				return *r, fmt.Errorf("bench: %s: %w", part.name, err)
			}
		}
	}
	r.Peer.Own = 0 // what others use is not known
	return *r, nil
}

// layout makes RAW large enough for two parts, and the others small.
func layout(items, size int64) bus.Layout {
	const headers, small = 1 << 10, 16 << 20
	l := bus.DefaultLayout()
	l.Raw.MaxBytes = max(small, 2*items*(size+headers))
	for _, other := range []*bus.Limits{&l.Events, &l.Replay, &l.Dead} {
		other.MaxBytes = small
	}
	return l
}

// measure measures one part; run returns how long its items took.
func (r *Report) measure(into *Half, run func() (time.Duration, error)) error {
	own, server := usage.CPU(), r.serverCPU()
	took, err := run()
	if err != nil || took == 0 {
		return err
	}
	n := time.Duration(r.Items)
	into.better(Half{Rate: float64(r.Items) / took.Seconds(), Own: (usage.CPU() - own) / n, Server: (r.serverCPU() - server) / n})
	return nil
}

func (r *Report) serverCPU() time.Duration {
	if r.ServerCPU == nil {
		return 0
	}
	return r.ServerCPU()
}

// bare publishes the items.
func (r *Report) bare(ctx context.Context, conn *bus.Conn, round int) (time.Duration, error) {
	p, err := conn.NewPublisher(bus.PublisherOptions{Stream: feed.StreamRaw})
	if err != nil {
		return 0, err
	}
	defer p.Close()
	data, prefix := appendItem(nil, r.Items, r.Bytes), "bare:"+strconv.Itoa(round)+":"
	began := time.Now()
	for i := range r.Items {
		m := bus.Msg{Subject: feed.RawSubject("bare"), ID: prefix + strconv.Itoa(i), Data: data}
		if err := p.Publish(ctx, []bus.Msg{m}, func(error) {}); err != nil {
			return 0, err
		}
	}
	if err := p.Flush(ctx); err != nil {
		return 0, err
	}
	return time.Since(began), nil
}

// peer has the items published by other means.
func (r *Report) peer(ctx context.Context) (time.Duration, error) {
	if r.Options.Peer == nil {
		return 0, nil
	}
	rate, err := r.Options.Peer(ctx)
	if err != nil || !(rate > 0) {
		return 0, fmt.Errorf("no rate was told (%v): %w", rate, err)
	}
	return time.Duration(float64(r.Items) / rate * float64(time.Second)), nil
}

// ingest has the service read the items from the upstream.
func (r *Report) ingest(ctx context.Context, conn *bus.Conn, round int) (time.Duration, error) {
	q := url.Values{"items": {strconv.Itoa(r.Items)}, "bytes": {strconv.Itoa(r.Bytes)}, "from": {strconv.Itoa((round + 1) * r.Items)}}
	began := time.Now()
	reader, err := read(ctx, conn, "twitter+http://"+r.Upstream+"/?"+q.Encode()+"#bench"+strconv.Itoa(round), r.Log)
	if err != nil {
		return 0, err
	}
	err = reader.await(ctx, float64(r.Items))
	took := time.Since(began)
	return took, errors.Join(err, reader.stop())
}

// reader is a service that is running.
type reader struct {
	metrics *prometheus.Registry
	cancel  context.CancelFunc
	ended   chan error
}

// read starts the service on one source; stop it.
func read(ctx context.Context, conn *bus.Conn, src string, log *slog.Logger) (*reader, error) {
	r := &reader{metrics: prometheus.NewRegistry(), ended: make(chan error, 1)}
	svc, err := ingest.New(ingest.Config{Sources: []string{src}}, conn, service.Env{Log: log, Metrics: r.metrics, Health: service.NewHealth()})
	if err != nil {
		return nil, err
	}
	ctx, r.cancel = context.WithCancel(ctx)
	go func() { r.ended <- svc.Run(ctx) }()
	return r, nil
}

// stop stops the service.
func (r *reader) stop() error {
	r.cancel()
	return <-r.ended
}

// stored is how many items the service says are stored.
func (r *reader) stored() (float64, error) { return r.value("blipstream_ingest_stored_total") }

// value is a metric of the one source; 0 while there is none.
func (r *reader) value(name string) (float64, error) {
	families, err := r.metrics.Gather()
	if err != nil {
		return 0, err
	}
	for _, f := range families {
		if f.GetName() == name && len(f.GetMetric()) > 0 {
			return f.GetMetric()[0].GetCounter().GetValue(), nil
		}
	}
	return 0, nil
}

// await waits until the items are stored.
func (r *reader) await(ctx context.Context, items float64) error {
	const every = 5 * time.Millisecond
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if n, err := r.stored(); err != nil || n >= items {
			return err
		}
		select {
		case <-tick.C:
		case err := <-r.ended:
			r.ended <- err
			return errors.Join(errors.New("bench: the service has ended"), err)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
