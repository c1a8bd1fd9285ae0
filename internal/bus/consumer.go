package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	defaultPrefetch = 500
	// heartbeat is how often the server says that a pull request still stands;
	// after twice that without a word the reader binds again.
	heartbeat = 5 * time.Second
	// drainWait bounds the wait for each message while draining. Without a server
	// what is buffered comes at once, and the drain may never end by itself; one
	// that is there ends it, and only a starved machine needs as long.
	drainWait       = time.Second
	drainWaitLinked = 3 * time.Second
	// rebind spaces the attempts to bind again.
	rebindDelay    = 100 * time.Millisecond
	rebindDelayMax = 5 * time.Second
)

// ConsumeOptions says what Consume reads.
type ConsumeOptions struct {
	Stream, Durable string
	// Prefetch is the pull window, in messages. Default 500.
	Prefetch int
	// WindowBytes bounds the bytes of what is in the pull window and of what was
	// handed out and is not settled, together. Default 64 MiB. One message comes
	// through whatever its size.
	WindowBytes int64
	// Dropped is told which sequences the stream's limits removed before the
	// consumer read them (first_seq > ack_floor + 1 and never delivered), each
	// range once. It may be called from another goroutine than handle. Optional.
	Dropped func(from, to uint64)
	// Place, if not empty, is the key in the bucket cursor under which every
	// reader keeps how far everything is settled. A consumer that was made anew
	// while nobody read begins there, and not with the whole stream.
	Place string
	// Make, if not nil, is made where it is found missing while Consume runs.
	// Its Stream and Name must be those above. Call EnsureDurable before.
	Make *Durable
}

// reader is one Consume.
type reader struct {
	conn    *Conn
	o       ConsumeOptions
	handle  func(*Delivery)
	metrics *consumerMetrics
	in      *incarnation
	created time.Time // the consumer's
	rewound bool      // the stream was seen to have lost its end
	run     run
	kept    place         // as of the last look
	first   atomic.Uint64 // sequence of the stream's first message, as of the last look
}

// Consume hands messages to handle, one at a time in the stream's order, until
// ctx ends; then it hands out what is already buffered and returns nil. A
// deleted consumer or stream, or a server that is away, is bound again with
// back-off. Where the stream lived on, a consumer made anew goes on after the
// last message that this process knew to be settled. handle must not keep the
// goroutine longer than the consumer's AckWait. A redelivery of a message that
// this Consume has handed out and that is not settled is not handed out again.
func (c *Conn) Consume(ctx context.Context, o ConsumeOptions, handle func(*Delivery)) error {
	if err := errors.Join(validStream(o.Stream), validStream(o.Durable)); err != nil {
		return fmt.Errorf("bus: consume: %w", err)
	}
	if o.Prefetch <= 0 {
		o.Prefetch = defaultPrefetch
	}
	if o.Place != "" {
		if err := c.bucket(bucketCursor).check(o.Place); err != nil {
			return fmt.Errorf("bus: consume: %w", err)
		}
	}
	r := &reader{conn: c, o: o, handle: handle, metrics: c.metrics.consumer(o.Stream, o.Durable)}
	c.supervise(ctx, o.Stream, r.session, func() bool { return false })
	return nil
}

// supervise runs session again and again, with back-off while it keeps
// failing, until ctx ends or over says so.
func (c *Conn) supervise(ctx context.Context, stream string, session func(context.Context) error, over func() bool) {
	delay := backoff{base: rebindDelay, limit: rebindDelayMax}
	for ctx.Err() == nil && !over() {
		began, linked := time.Now(), c.linked.next()
		err := session(ctx)
		if ctx.Err() != nil || over() {
			return
		}
		if time.Since(began) > rebindDelayMax {
			delay.reset()
		}
		c.log.Warn("bind to stream again", slog.String("stream", stream), slog.String("error", errText(err)))
		c.metrics.rebinds.WithLabelValues(stream).Inc()
		wait(ctx, delay.next(), linked)
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// session binds and reads until something is wrong or ctx ends.
func (r *reader) session(ctx context.Context) error {
	if err := r.bind(ctx); err != nil {
		return err
	}
	p, err := r.conn.pull(r.o.Stream, r.o.Durable, pullWindow{r.o.Prefetch, r.o.WindowBytes}, r.in.work.Load)
	if err != nil {
		return err
	}
	defer p.stop()
	r.in.from.Store(p)
	r.run = run{}
	r.in.live.Store(true)
	// Until ctx ends normally, what is in work may belong to what is gone.
	defer func() {
		if ctx.Err() == nil {
			r.in.live.Store(false)
		}
	}()
	watching, stop := context.WithCancel(ctx)
	defer stop()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		r.watch(watching, p.stop)
	}()
	err = r.read(ctx, p)
	stop()
	<-watched
	return err
}

// read hands out messages until the pull ends; when ctx ends it drains.
func (r *reader) read(ctx context.Context, p *pull) error {
	for {
		m, err := p.next(ctx)
		if ctx.Err() != nil {
			if err == nil {
				err = r.deliver(p, m)
			}
			if errors.Is(err, errRewound) {
				return err
			}
			return r.drain(ctx, p)
		}
		if err == nil {
			err = r.deliver(p, m)
		}
		if err != nil {
			return err
		}
	}
}

// drain takes no more from the server and hands out what has come.
func (r *reader) drain(ctx context.Context, p *pull) error {
	p.drain()
	for {
		wait := drainWait
		if r.conn.nc.IsConnected() {
			wait = drainWaitLinked
		}
		m, err := p.nextWithin(ctx, wait)
		if err == nil {
			err = r.deliver(p, m)
		}
		if err != nil {
			return err
		}
	}
}

// deliver hands m out, unless it is in work here already. It fails where
// nothing that is in work may be settled any more.
func (r *reader) deliver(p *pull, m *nats.Msg) error {
	md, err := m.Metadata()
	if err != nil {
		r.conn.log.Error("read metadata of message", slog.String("subject", m.Subject), slog.String("error", err.Error()))
		return nil
	}
	if from, to, ok := r.run.gap(md); ok && from <= r.removed(to) {
		r.tellDropped(from, r.removed(to))
	}
	fresh, err := r.in.hold(md.Sequence.Stream, md.Timestamp, m.Size())
	if err != nil {
		r.rewound = true
		r.in.live.Store(false)
		p.giveBack(m)
		return err
	}
	if !fresh {
		r.metrics.held.Inc()
		return nil
	}
	r.metrics.deliveries.Inc()
	if md.NumDelivered > 1 {
		r.metrics.redelivered.Inc()
	}
	r.handle(&Delivery{
		Stored: Stored{
			Subject: m.Subject, Header: m.Header, Data: m.Data,
			Seq: md.Sequence.Stream, Time: md.Timestamp,
		},
		Deliveries: md.NumDelivered, Pending: md.NumPending,
		reply: m.Reply, in: r.in,
	})
	return nil
}

// run follows the numbers of deliveries, to find sequences that the consumer
// skipped because the stream no longer had them. Only between deliveries that
// follow each other can it know: what lies between others may have gone to
// another member of the consumer.
type run struct{ delivery, frontier uint64 }

func (r *run) gap(md *nats.MsgMetadata) (from, to uint64, ok bool) {
	seq := md.Sequence.Stream
	last := *r
	r.delivery = md.Sequence.Consumer
	switch {
	case md.Sequence.Consumer != last.delivery+1 || last.frontier == 0:
		r.frontier = 0
		if md.NumDelivered == 1 {
			r.frontier = seq
		}
		return 0, 0, false
	case seq <= last.frontier:
		return 0, 0, false
	}
	r.frontier = seq
	return last.frontier + 1, seq - 1, seq > last.frontier+1
}

// removed is to, or the last sequence before it that the stream is known to
// have removed: what a consumer with a filter skips may just be of no concern
// to it. What is removed later than the last look, the next look tells.
func (r *reader) removed(to uint64) uint64 {
	if r.o.Make == nil || len(r.o.Make.Subjects) == 0 {
		return to
	}
	return min(to, max(r.first.Load(), 1)-1)
}

// tellDropped reports a range once.
func (r *reader) tellDropped(from, to uint64) {
	from, ok := r.in.untold(from, to)
	if !ok {
		return
	}
	r.metrics.dropped.Add(float64(to - from + 1))
	r.conn.log.Error("messages were removed before they were read: the stream's limits are too small or the consumer too slow",
		slog.String("stream", r.o.Stream), slog.String("durable", r.o.Durable),
		slog.Uint64("from", from), slog.Uint64("to", to))
	if r.o.Dropped != nil {
		r.o.Dropped(from, to)
	}
}
