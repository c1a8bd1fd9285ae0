package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/services/ingest"
	"github.com/blipstream/blipstream/services/ingest/source"
)

// Options say what to measure.
type Options struct {
	// Items is how many items each half stores, Bytes how long one is.
	Items, Bytes int
	// Rounds is how often both halves are measured; the best of each counts.
	Rounds int
	// Log receives the log lines of what is measured.
	Log *slog.Logger
}

// Report is what was measured, in items a second.
type Report struct {
	Options
	Ingest, Bare float64
}

// String is the report as a table.
func (r Report) String() string {
	mb := func(perSecond float64) float64 { return perSecond * float64(r.Bytes) / 1e6 }
	var b strings.Builder
	fmt.Fprintf(&b, "%d items of %d bytes into a file stream, best of %d\n\n", r.Items, r.Bytes, r.Rounds)
	fmt.Fprintf(&b, "  %-22s %9.0f items/s %7.0f MB/s\n", "ingest", r.Ingest, mb(r.Ingest))
	fmt.Fprintf(&b, "  %-22s %9.0f items/s %7.0f MB/s\n", "the publisher alone", r.Bare, mb(r.Bare))
	fmt.Fprintf(&b, "  %-22s %9.2f\n", "ratio", r.Ingest/r.Bare)
	return b.String()
}

// Run measures on a server that nobody else uses.
func Run(ctx context.Context, url string, o Options) (Report, error) {
	r := Report{Options: o}
	layout := o.layout()
	conn, err := bus.Connect(bus.Options{URL: url, Name: "bench", Log: o.Log, Layout: &layout})
	if err != nil {
		return r, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // what was measured is known
	if err := conn.Ensure(ctx, layout); err != nil {
		return r, err
	}
	for round := range o.Rounds {
		bare, err := r.bare(ctx, conn, round)
		if err != nil {
			return r, fmt.Errorf("bench: publish: %w", err)
		}
		ingested, err := r.ingest(ctx, conn, round)
		if err != nil {
			return r, fmt.Errorf("bench: ingest: %w", err)
		}
		r.Bare, r.Ingest = max(r.Bare, bare), max(r.Ingest, ingested)
	}
	return r, nil
}

// layout makes RAW large enough for one round, and the others small.
func (o Options) layout() bus.Layout {
	const headers, small = 1 << 10, 16 << 20
	l := bus.DefaultLayout()
	l.Raw.MaxBytes = max(small, 2*int64(o.Items)*int64(o.Bytes+headers))
	for _, other := range []*bus.Limits{&l.Events, &l.Replay, &l.Dead} {
		other.MaxBytes = small
	}
	return l
}

// perSecond is how many items a second were stored since began.
func (r *Report) perSecond(began time.Time) float64 {
	return float64(r.Items) / time.Since(began).Seconds()
}

// item makes the bytes of an item, some of which differ from item to item.
func (r *Report) item(n int) []byte {
	head := fmt.Appendf(nil, `{"id_str":"%d","text":"`, 1_000_000+n)
	const end = `"}`
	words := []byte("a text as people write it, with words that come again ")
	body := bytes.Repeat(words, r.Bytes/len(words)+1)[:max(0, r.Bytes-len(head)-len(end))]
	return append(append(head, body...), end...)
}

// bare publishes the items.
func (r *Report) bare(ctx context.Context, conn *bus.Conn, round int) (float64, error) {
	p, err := conn.NewPublisher(bus.PublisherOptions{Stream: feed.StreamRaw})
	if err != nil {
		return 0, err
	}
	defer p.Close()
	data, prefix := r.item(0), "bare:"+strconv.Itoa(round)+":"
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
	return r.perSecond(began), nil
}

// made is a source of items that are made before they are measured.
type made struct {
	name string
	r    *Report
}

// Stream implements source.Source.
func (m *made) Stream(_ context.Context, _ feed.Cursor, emit func(feed.Item) error) error {
	data := m.r.item(0)
	for n := range m.r.Items {
		id := strconv.Itoa(n)
		it := feed.Item{ID: id, Source: m.name, Format: feed.FormatTwitterV1, Received: time.Now(), Cursor: feed.Cursor(id), Data: data}
		if err := emit(it); err != nil {
			return err
		}
	}
	return nil
}

// ingest has the service read the items.
func (r *Report) ingest(ctx context.Context, conn *bus.Conn, round int) (float64, error) {
	reg := prometheus.NewRegistry()
	svc, err := ingest.New(ingest.Config{
		Sources: []string{"bench:#bench" + strconv.Itoa(round)},
		Schemes: map[string]source.Opener{"bench": func(c source.Config) (source.Source, error) { return &made{c.Name, r}, nil }},
	}, conn, service.Env{Log: r.Log, Metrics: reg, Health: service.NewHealth()})
	if err != nil {
		return 0, err
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	began := time.Now()
	go func() { ended <- svc.Run(running) }()
	err = r.await(ctx, reg)
	rate := r.perSecond(began)
	stop()
	return rate, errors.Join(err, <-ended)
}

// await waits until the items are stored.
func (r *Report) await(ctx context.Context, reg prometheus.Gatherer) error {
	const every = 5 * time.Millisecond
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		families, err := reg.Gather()
		if err != nil {
			return err
		}
		for _, f := range families {
			if f.GetName() == "blipstream_ingest_stored_total" && f.GetMetric()[0].GetCounter().GetValue() >= float64(r.Items) {
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
