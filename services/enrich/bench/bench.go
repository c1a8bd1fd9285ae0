package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/simulate"
	"github.com/blipstream/blipstream/internal/usage"
	"github.com/blipstream/blipstream/services/enrich"
)

// Options say what is measured.
type Options struct {
	// Tweets is how many each part reads; 0 stands for 60,000.
	Tweets int
	// Rounds is how often each part is measured, in turns, of which the best
	// counts: whatever else the machine does can only make it slower. 0 is once.
	Rounds int
	// Backlog is how many wait when the cost with a backlog is measured; 0
	// leaves that out. A million takes 3 GB of the server's disk and a minute.
	Backlog int
	// Seed tells simulated worlds apart.
	Seed uint64
	// Layout is what RAW and EVENTS are made with; the zero value stands for
	// the default one.
	Layout bus.Layout
	// Config is enrich's; the zero value stands for the default one.
	Config enrich.Config
	// Log receives what goes on; nil discards it.
	Log *slog.Logger
}

const (
	defaultTweets = 60_000
	// pollEvery is how often the backlog is looked at, and so the most by which
	// a time is too long: under 1 % of what the default number takes.
	pollEvery = 20 * time.Millisecond
	// source is where the items claim to come from.
	source = "bench"
)

func (o Options) withDefaults() Options {
	if o.Tweets <= 0 {
		o.Tweets = defaultTweets
	}
	o.Rounds = max(o.Rounds, 1)
	if o.Layout == (bus.Layout{}) {
		o.Layout = bus.DefaultLayout()
	}
	if o.Config.Prefetch == 0 {
		o.Config = enrich.DefaultConfig()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// run is one measurement.
type run struct {
	o     Options
	url   string
	conn  *bus.Conn
	world *simulate.World
	// filled is how many positions of the world are in RAW, or were.
	filled uint64
}

// Run measures. The server at natsURL should be one of its own: what waits in
// its RAW is read first, and tweets stay there afterwards.
func Run(ctx context.Context, natsURL string, o Options) (Report, error) {
	o = o.withDefaults()
	// Ids count from the epoch, so that no earlier run's events are duplicates.
	world, err := simulate.NewWorld(simulate.WorldOptions{
		Seed: o.Seed, Geo: simulate.DefaultGeo, Epoch: time.Now().Truncate(time.Second),
	})
	if err != nil {
		return Report{}, fmt.Errorf("bench: make tweets: %w", err)
	}
	conn, err := bus.Connect(bus.Options{URL: natsURL, Name: "bench", Log: o.Log, Layout: &o.Layout})
	if err != nil {
		return Report{}, fmt.Errorf("bench: %w", err)
	}
	defer closeConn(ctx, conn)
	r := &run{o: o, url: natsURL, conn: conn, world: world}
	return r.measure(ctx)
}

func closeConn(ctx context.Context, conn *bus.Conn) {
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = conn.Close(ending) // there is nothing left to lose
}

// measure runs everything, each part on tweets of its own.
func (r *run) measure(ctx context.Context) (rep Report, err error) {
	if err := r.conn.Ensure(ctx, r.o.Layout); err != nil {
		return rep, fmt.Errorf("bench: %w", err)
	}
	if _, err := r.timed(ctx, always(r.ackAll)); err != nil { // what others left
		return rep, err
	}
	type part func(context.Context, *Report) error
	parts := []part{r.livePoison}
	for range r.o.Rounds {
		parts = append(parts, r.ackAlone, r.enrichAlone, r.withPoison, r.withRules, r.together)
	}
	for _, part := range append(parts, r.fromBacklog) {
		if err := part(ctx, &rep); err != nil {
			return rep, err
		}
	}
	return rep, nil
}

// fill puts the next n tweets into RAW, each of which whose number broken
// divides is not JSON (0: none); it returns how many bytes they have.
func (r *run) fill(ctx context.Context, n int, broken uint64) (bytes int64, err error) {
	p, err := r.conn.NewPublisher(bus.PublisherOptions{Stream: feed.StreamRaw})
	if err != nil {
		return 0, fmt.Errorf("bench: fill RAW: %w", err)
	}
	defer p.Close()
	var failure atomic.Pointer[error]
	header := bus.Header{feed.HeaderFormat: {string(feed.FormatTwitterV1)}}
	for range n {
		data := r.world.Append(nil, r.filled)
		if broken > 0 && r.filled%broken == 0 {
			data = data[:len(data)-1]
		}
		bytes += int64(len(data))
		msg := bus.Msg{
			Subject: feed.RawSubject(source), ID: feed.RawID(source, strconv.FormatUint(r.world.ID(r.filled), 10)),
			Header: header, Data: data,
		}
		r.filled++
		err := p.Publish(ctx, []bus.Msg{msg}, func(err error) {
			if err != nil {
				failure.Store(&err)
			}
		})
		if err != nil {
			return 0, fmt.Errorf("bench: fill RAW: %w", err)
		}
	}
	if err := p.Flush(ctx); err != nil {
		return 0, fmt.Errorf("bench: fill RAW: %w", err)
	}
	if err := failure.Load(); err != nil {
		return 0, fmt.Errorf("bench: fill RAW: %w", *err)
	}
	return bytes, nil
}

// half is one part of a measurement: what it returns reads RAW until its
// context ends. What it does before is not measured: a program starts once.
type half func() (func(context.Context) error, error)

// always is a half that needs no preparation.
func always(run func(context.Context) error) half {
	return func() (func(context.Context) error, error) { return run, nil }
}

// timed runs a half until RAW has no backlog.
func (r *run) timed(ctx context.Context, half half) (Half, error) {
	return r.timedUntil(ctx, half, emptied)
}

// timedUntil runs a half until enough is true of the backlog.
func (r *run) timedUntil(ctx context.Context, half half, enough func(bus.Lag) bool) (Half, error) {
	read, err := half()
	if err != nil {
		return Half{}, fmt.Errorf("bench: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cpu, start := usage.CPU(), time.Now()
	done := make(chan error, 1)
	go func() { done <- read(ctx) }()
	waited := make(chan error, 1)
	go func() { waited <- r.wait(ctx, enough) }()
	var h Half
	select {
	case err := <-done:
		if err == nil {
			err = errStopped
		}
		return Half{}, fmt.Errorf("bench: %w", err)
	case err := <-waited:
		h = Half{Took: time.Since(start), CPU: usage.CPU() - cpu, tweets: r.o.Tweets}
		cancel()
		return h, errors.Join(err, <-done)
	}
}

var errStopped = errors.New("stopped before the backlog was read")

// emptied reports whether there is neither a backlog nor an unsettled item.
func emptied(lag bus.Lag) bool { return lag.Pending == 0 && lag.AckPending == 0 }

// wait waits until enough is true of the backlog.
func (r *run) wait(ctx context.Context, enough func(bus.Lag) bool) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		lag, err := r.conn.Lag(ctx, feed.StreamRaw, bus.DurableEnrich)
		if err != nil {
			return fmt.Errorf("bench: %w", err)
		}
		if enough(lag) {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("bench: wait for the backlog: %w", context.Cause(ctx))
		}
	}
}

// ackAll takes items and acknowledges them.
func (r *run) ackAll(ctx context.Context) error {
	o := bus.ConsumeOptions{Stream: feed.StreamRaw, Durable: bus.DurableEnrich, Prefetch: r.o.Config.Prefetch}
	return r.conn.Consume(ctx, o, func(d *bus.Delivery) {
		// A verdict that is lost brings the item again, and the wait lasts longer.
		_ = d.Ack()
	})
}
