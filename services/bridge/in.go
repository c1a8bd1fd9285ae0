package bridge

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/decode"
	"github.com/blipstream/blipstream/internal/feed"
)

const (
	// inWindow is how many messages may wait to be stored. While NATS is away
	// they pile up to the publisher's 64 MiB; then reading stops, Redis' own
	// buffer fills, and Redis cuts the bridge off, as it would any reader.
	inWindow = 32768
	// deadWindow is the same for dead letters, which are rare.
	deadWindow = 256
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

// parse turns a payload that arrived at a moment into the message to store. Its
// errors are *decode.IgnoredError and *decode.MalformedError.
type parse func(payload []byte, at time.Time) (bus.Msg, error)

// incoming copies one channel from Redis to a stream.
type incoming struct {
	*Service
	*channel
	stream string
	parse  parse

	pub, dead *bus.Publisher
}

// copyIn is the channel's run.
func (w incoming) copyIn(ctx context.Context) error {
	var err error
	if w.pub, err = w.conn.NewPublisher(bus.PublisherOptions{Stream: w.stream, Window: inWindow}); err != nil {
		return fmt.Errorf("bridge: publish to %s: %w", w.stream, err)
	}
	defer w.pub.Close()
	if w.dead, err = w.conn.NewPublisher(bus.PublisherOptions{Stream: feed.StreamDead, Window: deadWindow}); err != nil {
		return fmt.Errorf("bridge: publish to %s: %w", feed.StreamDead, err)
	}
	defer w.dead.Close()
	delay := newBackoff()
	for ctx.Err() == nil {
		err := w.session(ctx)
		if errors.Is(err, ErrLoop) {
			return err
		}
		if ctx.Err() != nil {
			break
		}
		if w.setDown() {
			delay.reset()
			w.log.Warn("lost redis; what is published there until it is back is lost",
				slog.String("channel", w.name), slog.String("error", err.Error()))
		}
		delay.wait(ctx)
	}
	return w.flush(ctx)
}

// flush waits for what was taken, after ctx has ended.
func (w *incoming) flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	if err := errors.Join(w.pub.Flush(ctx), w.dead.Flush(ctx)); err != nil {
		w.log.Warn("messages may not have been stored", slog.String("channel", w.name), slog.String("error", err.Error()))
	}
	return nil
}

// session subscribes and reads until something is wrong or ctx ends. It reads
// the connection directly: a buffered channel in between drops messages when
// its reader is slow, and a stop here reaches Redis as it should.
func (w *incoming) session(ctx context.Context) error {
	sub := w.redis.Subscribe(ctx, w.name)
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
	var last atomic.Int64
	last.Store(time.Now().UnixNano())
	go watch(ctx, sub, &last, stop)
	return w.read(ctx, sub, &last)
}

// read takes messages until the subscription ends.
func (w *incoming) read(ctx context.Context, sub *redis.PubSub, last *atomic.Int64) error {
	for {
		got, err := sub.Receive(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		now := time.Now()
		last.Store(now.UnixNano())
		m, ok := got.(*redis.Message)
		if !ok {
			continue
		}
		if w.marker.in(m.Payload) {
			return w.loop(w.name)
		}
		if err := w.take(ctx, []byte(m.Payload), now); err != nil {
			return err
		}
		last.Store(time.Now().UnixNano()) // storing may have taken long
	}
}

// watch asks a silent subscription for a sign of life, and ends it if there is
// none: a peer that vanished without a word is found no other way.
func watch(ctx context.Context, sub *redis.PubSub, last *atomic.Int64, end context.CancelCauseFunc) {
	tick := time.NewTicker(watchTick)
	defer tick.Stop()
	asked := false
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		silence := time.Since(time.Unix(0, last.Load()))
		switch {
		case silence < quiet:
			asked = false
		case silence > 2*quiet && asked:
			end(errSilent)
			return
		case !asked:
			asked = true
			_ = sub.Ping(ctx) // the answer counts
		}
	}
}

// take handles one payload. It fails only when ctx ends.
func (w *incoming) take(ctx context.Context, payload []byte, at time.Time) error {
	msg, err := w.parse(payload, at)
	if ignored, ok := errors.AsType[*decode.IgnoredError](err); ok {
		w.meter.ignored.WithLabelValues(ignored.What).Inc()
		return nil
	}
	if bad, ok := errors.AsType[*decode.MalformedError](err); ok {
		return w.bury(ctx, string(bad.Reason), bad.Err, payload, at)
	}
	return w.pub.Publish(ctx, []bus.Msg{msg}, func(err error) {
		switch {
		case err == nil:
			w.meter.passed.add(1)
		case errors.Is(err, bus.ErrTooLarge):
			if err := w.bury(ctx, string(decode.ReasonSize), err, payload, at); err != nil {
				w.meter.dead.WithLabelValues("lost").Inc()
			}
		}
	})
}

// bury keeps a payload in DEAD.
func (w *incoming) bury(ctx context.Context, reason string, cause error, payload []byte, at time.Time) error {
	sum := sha256.Sum256(payload)
	subject := "" // of an event it cannot be told
	if w.stream == feed.StreamRaw {
		subject = feed.RawSubject(w.cfg.Source)
	}
	letters := w.conn.Letters(bus.Dead{
		Subject: subject,
		Stage:   stage, Reason: reason, ID: stage + ":" + w.name + ":" + hex.EncodeToString(sum[:16]), Err: cause,
		Header: bus.Header{feed.HeaderReceived: []string{at.UTC().Format(time.RFC3339Nano)}}, Data: payload,
	})
	return w.dead.Publish(ctx, letters, func(err error) {
		if err != nil {
			reason = "lost"
		}
		w.meter.dead.WithLabelValues(reason).Inc()
	})
}
