package bridge

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// quiet is how long a subscription may be silent before it is asked for a
	// sign of life; it has as long again to give one.
	quiet = 3 * time.Second
	// watchTick is how often that is looked at.
	watchTick = 500 * time.Millisecond
)

var (
	errSilent  = errors.New("redis gave no sign of life")
	errNoReply = errors.New("redis did not confirm the subscription")
)

// Run keeps the channel subscribed until ctx ends, whether this bridge works or
// waits. Its error is ErrLoop.
func (w *incoming) Run(ctx context.Context) error {
	delay := newBackoff()
	for {
		err := w.session(ctx)
		switch {
		case errors.Is(err, ErrLoop):
			return err
		case ctx.Err() != nil:
			return nil //nolint:nilerr // it was asked to stop
		case w.setDown():
			delay.reset()
			w.log.Warn("lost redis; what is published there until it is back is lost",
				slog.String("channel", w.name), slog.String("error", err.Error()))
		}
		delay.wait(ctx)
	}
}

// session subscribes and reads until something is wrong or ctx ends. It reads
// the connection directly: a buffered channel in between drops messages when
// its reader is slow, and a stop here reaches Redis as it should.
func (w *incoming) session(ctx context.Context) error {
	server, err := w.hearing(ctx, w.name)
	if err != nil {
		return err
	}
	sub := server.Subscribe(ctx, w.name)
	defer func() { _ = sub.Close() }()
	confirmed, err := sub.ReceiveTimeout(ctx, redisTimeout)
	if err != nil {
		return err
	}
	if _, ok := confirmed.(*redis.Subscription); !ok {
		return errNoReply
	}
	w.setUp()
	w.meter.sessions.add(1)
	w.log.Info("subscribed", slog.String("channel", w.name))

	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	defer context.AfterFunc(ctx, func() { _ = sub.Close() })()
	p := &pulse{began: time.Now()}
	go p.watch(ctx, sub, stop)
	go w.watchInside(ctx, server, stop)
	return w.read(ctx, sub, p)
}

// read takes messages until the subscription ends.
func (w *incoming) read(ctx context.Context, sub *redis.PubSub, p *pulse) error {
	for {
		got, err := sub.Receive(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		p.beat()
		m, ok := got.(*redis.Message)
		if !ok {
			continue
		}
		if w.marker.in(m.Payload) {
			return w.loop(w.name)
		}
		// While there is no room the bridge is slow, not Redis.
		p.held.Store(true)
		if w.box.put(ctx, parcel{m.Payload, time.Now()}) {
			return context.Cause(ctx)
		}
		p.beat()
		p.held.Store(false)
	}
}

// pulse is when a subscription last gave a sign of life.
type pulse struct {
	began time.Time
	last  atomic.Int64 // since began, which no change of the clock disturbs
	// held is whether what came last still waits for room.
	held atomic.Bool
}

func (p *pulse) beat() {
	p.last.Store(int64(time.Since(p.began)))
}

func (p *pulse) silence() time.Duration {
	return time.Since(p.began) - time.Duration(p.last.Load())
}

// pinger is a subscription that can be asked for a sign of life.
type pinger interface {
	Ping(ctx context.Context, payload ...string) error
}

// watch asks a silent subscription for a sign of life, and ends it if there is
// none: a peer that vanished without a word is found no other way.
func (p *pulse) watch(ctx context.Context, sub pinger, end context.CancelCauseFunc) {
	tick := time.NewTicker(watchTick)
	defer tick.Stop()
	var asked time.Time
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		switch {
		case p.held.Load() || p.silence() < quiet:
			asked = time.Time{}
		case asked.IsZero():
			asked = time.Now()
			_ = sub.Ping(ctx) // the answer counts
		case time.Since(asked) > quiet:
			end(errSilent)
			return
		}
	}
}
