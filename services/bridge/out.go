package bridge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/services/bridge/legacy"
)

const (
	// outPrefetch is the pull window in messages: two batches and some.
	outPrefetch = 2000
	// outPending bounds what is delivered and not settled: the window, the
	// queue and a batch on its way.
	outPending = 10_000
	// ackWait is far above what a batch may take. After an outage nothing waits
	// for it, because the consumer is restarted.
	ackWait = time.Minute
	// queueBytes bounds what is read and not published.
	queueBytes = 16 << 20
	// batchSize and batchBytes bound one pipeline. 512 messages make the round
	// trip cheap; 1 MiB keeps the wait of the first of them short.
	batchSize  = 512
	batchBytes = 1 << 20
	// tellEvery spaces log lines about what is skipped or unheard.
	tellEvery = 10 * time.Second
)

// convert turns a delivery into what is published; rewritten is whether that
// says less, or says it in another way. Its errors are *legacy.UnsafeError.
type convert func(d *bus.Delivery) (data []byte, rewritten bool, err error)

// outgoing copies a stream to one channel of Redis.
type outgoing struct {
	*Service
	*channel
	durable  bus.Durable
	convert  convert
	audience audience
	// away is whether a session has ended because of Redis.
	away bool
	tell teller
}

// addOut makes a channel one that is copied out.
func (s *Service) addOut(c *channel, convert convert, d bus.Durable) {
	d.AckWait, d.MaxAckPending, d.Since = ackWait, outPending, s.began
	w := outgoing{Service: s, channel: c, durable: d, convert: convert}
	w.audience = audience{redis: s.redis, channel: c.name}
	c.run = w.copyOut
}

// copyOut is the channel's run.
func (w outgoing) copyOut(ctx context.Context) error {
	delay := newBackoff()
	for ctx.Err() == nil {
		err := w.session(ctx)
		if ctx.Err() == nil && w.trouble() {
			delay.reset()
			w.log.Warn("stopped copying; the stream keeps the backlog",
				slog.String("channel", w.name), slog.Any("error", err))
		}
		delay.wait(ctx)
	}
	return nil
}

// errBroken ends a session that NATS has left: what was on its way here would
// come again long after what is newer.
var errBroken = errors.New("bridge: the connection to nats broke")

// trouble notes that a session has ended; first is whether that is news.
func (w *outgoing) trouble() (first bool) {
	if w.away {
		return w.setDown()
	}
	return w.complain() // Redis is not to blame
}

// session copies until something is wrong or ctx ends. Every session begins
// behind the last settled message, so that after an outage of Redis or NATS, or
// after another bridge, everything comes in order.
func (w *outgoing) session(ctx context.Context) error {
	broken := w.conn.Broken()
	// The durable comes first: it holds what is stored while Redis is away.
	if err := w.conn.EnsureDurable(ctx, w.durable); err != nil {
		return err
	}
	node, err := w.node(ctx)
	if err != nil {
		w.away = true
		return err
	}
	if err := w.restart(ctx); err != nil {
		return err
	}
	if w.away {
		w.awaitSubscriber(ctx)
	}
	w.away = false
	reading, end := context.WithCancelCause(ctx)
	defer end(nil)
	go func() {
		select {
		case <-broken:
			end(errBroken)
		case <-reading.Done():
		}
	}()
	go w.watchInside(reading, node, end)
	err = w.pump(reading, node)
	w.away = w.away || errors.Is(err, errOutside)
	return err
}

// pump publishes what the durable brings until something is wrong or ctx ends.
func (w *outgoing) pump(ctx context.Context, node redis.Cmdable) error {
	reading, stop := context.WithCancel(ctx)
	defer stop()
	q := newQueue(queueBytes)
	sent := make(chan error, 1)
	go func() {
		err := w.send(reading, node, q)
		stop()
		q.close()
		sent <- err
	}()
	err := w.conn.Consume(reading, bus.ConsumeOptions{
		Stream: w.durable.Stream, Durable: w.durable.Name, Prefetch: outPrefetch, Make: &w.durable,
		Dropped: func(from, to uint64) { w.meter.missed.add(to - from + 1) },
	}, func(d *bus.Delivery) { w.take(q, d) })
	stop()
	q.close()
	if failed := <-sent; failed != nil {
		w.away = true
		return errors.Join(failed, err)
	}
	return errors.Join(context.Cause(ctx), err)
}

// node is the server to publish to, found alive. In a cluster any node would
// do, but always the same one keeps the order.
func (w *outgoing) node(ctx context.Context) (redis.Cmdable, error) {
	cluster, ok := w.redis.(*redis.ClusterClient)
	if !ok {
		return w.redis, w.redis.Ping(ctx).Err()
	}
	master, err := cluster.MasterForKey(ctx, w.name)
	if err == nil {
		err = inside(ctx, master)
	}
	if err != nil {
		refresh(ctx, cluster) // another may have taken its place
		return nil, err
	}
	return master, nil
}

// restart puts the durable where reading goes on.
func (w *outgoing) restart(ctx context.Context) error {
	var notBefore time.Time
	if w.cfg.MaxAge > 0 {
		notBefore = time.Now().Add(-w.cfg.MaxAge)
	}
	passed, err := w.conn.RestartDurable(ctx, w.durable.Stream, w.durable.Name, notBefore)
	if err != nil {
		return err
	}
	w.meter.missed.add(passed.Removed)
	w.meter.skipped.add(passed.Old)
	if passed != (bus.Passed{}) {
		w.log.Warn("passed over messages that waited too long", slog.String("channel", w.name),
			slog.Uint64("older_than_max_age", passed.Old), slog.Duration("max_age", w.cfg.MaxAge),
			slog.Uint64("removed_by_limits", passed.Removed))
	}
	return nil
}

// awaitSubscriber gives old programs, which lost Redis as well, a moment to
// come back before what waited is sent.
func (w *outgoing) awaitSubscriber(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, w.cfg.Grace)
	defer cancel()
	tick := time.NewTicker(countPoll)
	defer tick.Stop()
	for {
		if n, err := w.audience.count(ctx); err != nil || n > 0 {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// take converts a delivery and queues it in its place.
func (w *outgoing) take(q *queue, d *bus.Delivery) {
	data, rewritten, err := w.convert(d)
	if err != nil {
		what := "unknown"
		if unsafe, ok := errors.AsType[*legacy.UnsafeError](err); ok {
			what = unsafe.What
		}
		w.meter.held.WithLabelValues(what).Inc()
		w.log.Debug("held back", slog.String("channel", w.name), slog.Uint64("stream_seq", d.Seq), slog.String("error", err.Error()))
	} else if rewritten {
		w.meter.rewritten.add(1)
	}
	q.push(letter{d, data})
}

// send publishes what is queued, a batch at a time, until ctx ends or Redis fails.
func (w *outgoing) send(ctx context.Context, node redis.Cmdable, q *queue) error {
	// A batch that was begun is finished: nobody would know how far it came.
	work := context.WithoutCancel(ctx)
	marked := time.Time{} // so that the first thing sent is a marker
	began := false
	for ctx.Err() == nil {
		wait, cancel := context.WithDeadline(ctx, marked.Add(markEvery))
		batch := q.pop(wait, batchSize, batchBytes)
		cancel()
		pipe := node.Pipeline()
		if time.Since(marked) >= markEvery {
			marked = time.Now()
			pipe.Publish(work, w.name, w.marked(w.marker))
		}
		if err := w.publish(work, pipe, batch); err != nil {
			return fmt.Errorf("bridge: publish on %q: %w", w.name, err)
		}
		if !began {
			began = true
			w.begin()
		}
	}
	return nil
}

// begin notes that Redis has taken what was published. That it answers says
// little: it may be one that lets nobody publish here.
func (w *outgoing) begin() {
	w.setUp()
	w.meter.sessions.add(1)
}

// publish sends a batch, and settles it when Redis has answered for all of it.
func (w *outgoing) publish(ctx context.Context, pipe redis.Pipeliner, batch []letter) error {
	oldest := time.Time{}
	if w.cfg.MaxAge > 0 {
		oldest = time.Now().Add(-w.cfg.MaxAge)
	}
	skipped := uint64(0)
	counts := make([]*redis.IntCmd, 0, len(batch))
	for _, l := range batch {
		switch {
		case l.data == nil:
		case l.delivery.Time.Before(oldest):
			skipped++
		default:
			counts = append(counts, pipe.Publish(ctx, w.name, l.data))
		}
	}
	if pipe.Len() > 0 {
		if _, err := pipe.Exec(ctx); err != nil {
			return err
		}
	}
	for _, l := range batch {
		if err := l.delivery.Ack(); err != nil {
			w.log.Debug("settle message", slog.String("error", err.Error())) // it comes again
		}
	}
	w.account(ctx, batch, counts, skipped)
	return nil
}

// account counts a batch that was published.
func (w *outgoing) account(ctx context.Context, batch []letter, counts []*redis.IntCmd, skipped uint64) {
	unheard, left := uint64(0), uint64(0)
	for _, c := range counts {
		n, gone := w.audience.heard(ctx, c.Val())
		left += gone
		if n == 0 {
			unheard++
		}
	}
	w.meter.passed.add(uint64(len(counts)))
	w.meter.unheard.add(unheard)
	w.meter.left.add(left)
	w.meter.skipped.add(skipped)
	if len(counts) > 0 {
		w.meter.receivers.Set(float64(w.audience.last))
		w.meter.behind.Set(time.Since(batch[len(batch)-1].delivery.Time).Seconds())
	}
	w.tell.add(w.log, w.name, unheard, skipped)
}

// teller logs what was lost on old readers, some seconds' worth in one line.
type teller struct {
	unheard, skipped uint64
	last             time.Time
}

func (t *teller) add(log *slog.Logger, channel string, unheard, skipped uint64) {
	t.unheard += unheard
	t.skipped += skipped
	if t.unheard+t.skipped == 0 || time.Since(t.last) < tellEvery {
		return
	}
	log.Warn("messages did not reach old programs", slog.String("channel", channel),
		slog.Uint64("nobody_subscribed", t.unheard), slog.Uint64("too_old", t.skipped))
	*t = teller{last: time.Now()}
}
