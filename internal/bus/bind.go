package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
)

// Lag is how far a durable consumer is behind.
type Lag struct {
	// Pending messages are not yet delivered, AckPending ones are delivered and
	// not settled; Redelivered of these were delivered more than once.
	Pending, AckPending, Redelivered uint64
	// AckFloor is the stream sequence up to which everything is settled.
	AckFloor uint64
}

// Lag asks for the lag of a durable consumer.
func (c *Conn) Lag(ctx context.Context, stream, durable string) (Lag, error) {
	ctx, cancel := c.short(ctx)
	defer cancel()
	cons, err := c.js.Consumer(ctx, stream, durable)
	if err != nil {
		return Lag{}, fmt.Errorf("bus: lag of consumer %s of %s: %w", durable, stream, err)
	}
	return lagOf(cons.CachedInfo()), nil
}

func lagOf(i *jetstream.ConsumerInfo) Lag {
	return Lag{
		Pending: i.NumPending, AckPending: uint64(max(i.NumAckPending, 0)),
		Redelivered: uint64(max(i.NumRedelivered, 0)), AckFloor: i.AckFloor.Stream,
	}
}

// consumerMetrics are the Conn's collectors, for one consumer.
type consumerMetrics struct {
	deliveries, redelivered, held, dropped prometheus.Counter
	acked, retried, termed                 prometheus.Counter
	pending, ackPending, overtaken         prometheus.Gauge
}

func (m *metrics) consumer(stream, durable string) *consumerMetrics {
	settled := func(how string) prometheus.Counter { return m.settled.WithLabelValues(stream, durable, how) }
	return &consumerMetrics{
		deliveries: m.deliveries.WithLabelValues(stream, durable), redelivered: m.redelivered.WithLabelValues(stream, durable),
		held: m.held.WithLabelValues(stream, durable), dropped: m.dropped.WithLabelValues(stream, durable),
		acked: settled("ack"), retried: settled("retry"), termed: settled("term"),
		pending: m.pending.WithLabelValues(stream, durable), ackPending: m.ackPending.WithLabelValues(stream, durable),
		overtaken: m.overtaken.WithLabelValues(stream, durable),
	}
}

// snapshot is a stream and its consumer. The stream is read first: what it has
// lost by then the consumer, read later, either has seen or never will.
type snapshot struct {
	stream StreamState
	info   *jetstream.ConsumerInfo
}

func (r *reader) snapshot(ctx context.Context) (snapshot, error) {
	ctx, cancel := r.conn.short(ctx)
	defer cancel()
	stream, err := r.conn.streamState(ctx, r.o.Stream)
	if err != nil {
		return snapshot{}, err
	}
	cons, err := r.conn.js.Consumer(ctx, r.o.Stream, r.o.Durable)
	if err != nil {
		return snapshot{}, fmt.Errorf("bus: find consumer %s of %s: %w", r.o.Durable, r.o.Stream, err)
	}
	return snapshot{stream, cons.CachedInfo()}, nil
}

// gone reports whether err says that the stream or the consumer does not exist.
func gone(err error) bool {
	return errors.Is(err, ErrNoStream) || errors.Is(err, jetstream.ErrConsumerNotFound) ||
		errors.Is(err, jetstream.ErrStreamNotFound)
}

// bind finds the consumer, makes it again if this connection may, and sees
// whether it is the one it was.
func (r *reader) bind(ctx context.Context) error {
	s, err := r.snapshot(ctx)
	if gone(err) {
		s, err = r.heal(ctx)
	}
	if err != nil {
		return err
	}
	if r.in == nil || r.in.epoch != s.stream.Epoch || r.rewound || s.stream.LastSeq < r.in.reached() {
		in := r.in
		r.in = newIncarnation(r.conn, r.o.Stream, s.stream.Epoch, r.metrics)
		if err := r.recall(ctx, s); err != nil {
			r.in = in // it is not bound, and recalls again
			return err
		}
	} else if !s.info.Created.Equal(r.created) {
		if err := r.forward(ctx, s.info); err != nil {
			return err
		}
	}
	r.created, r.rewound = s.info.Created, false
	r.observe(s)
	return nil
}

// heal makes what is missing, as far as this connection and this reader may. A
// durable of its own begins with the stream's first message: whatever the
// stream holds that this reader has settled, forward passes over.
func (r *reader) heal(ctx context.Context) (snapshot, error) {
	r.conn.heal(ctx)
	if r.o.Make != nil {
		if err := r.conn.ensureDurable(ctx, *r.o.Make, false); err != nil {
			return snapshot{}, fmt.Errorf("bus: make consumer %s of %s: %w", r.o.Durable, r.o.Stream, err)
		}
	}
	return r.snapshot(ctx)
}

// forward moves a consumer that was made anew past what was settled before, so
// that history is not worked through again. Never backwards: another member
// may have moved it further.
func (r *reader) forward(ctx context.Context, info *jetstream.ConsumerInfo) error {
	floor := r.in.raise(0)
	if floor <= info.AckFloor.Stream {
		return nil
	}
	ctx, cancel := r.conn.short(ctx)
	defer cancel()
	r.conn.log.Warn("consumer was made anew, go on where the last one was", slog.String("stream", r.o.Stream),
		slog.String("durable", r.o.Durable), slog.Uint64("after", floor))
	if _, err := r.conn.js.ResetConsumerToSequence(ctx, r.o.Stream, r.o.Durable, floor+1); err != nil {
		return fmt.Errorf("bus: move consumer %s of %s to %d: %w", r.o.Durable, r.o.Stream, floor+1, err)
	}
	return nil
}

// watch looks at the stream and the consumer now and then, and after every
// reconnect, and ends the session if they are not those it is bound to.
func (r *reader) watch(ctx context.Context, end func()) {
	tick := time.NewTicker(r.conn.watchEvery)
	defer tick.Stop()
	linked := r.conn.linked.next()
	for {
		select {
		case <-tick.C:
		case <-linked:
			linked = r.conn.linked.next()
		case <-ctx.Done():
			return
		}
		reached := r.in.reached() // before, as the stream grows meanwhile
		s, err := r.snapshot(ctx)
		switch {
		case gone(err), err == nil && (!r.same(s) || s.stream.LastSeq < reached):
			r.in.live.Store(false)
			end()
			return
		case err == nil:
			r.observe(s)
			r.keep(ctx, s)
		}
	}
}

func (r *reader) same(s snapshot) bool {
	return s.stream.Epoch == r.in.epoch && s.info.Created.Equal(r.created)
}

// observe updates what is known about the consumer, and tells what the
// stream's limits took from it.
func (r *reader) observe(s snapshot) {
	lag := lagOf(s.info)
	r.first.Store(s.stream.FirstSeq)
	r.in.raise(lag.AckFloor)
	r.metrics.pending.Set(float64(lag.Pending))
	r.metrics.ackPending.Set(float64(lag.AckPending))
	overtaken := uint64(0)
	if s.stream.FirstSeq > lag.AckFloor+1 {
		overtaken = s.stream.FirstSeq - 1 - lag.AckFloor
	}
	r.metrics.overtaken.Set(float64(overtaken))
	if read := passed(s.info); s.stream.FirstSeq > read+1 {
		r.tellDropped(read+1, s.stream.FirstSeq-1)
	}
}
