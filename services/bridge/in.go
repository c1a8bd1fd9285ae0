package bridge

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/decode"
	"github.com/blipstream/blipstream/internal/feed"
)

const (
	// inWindow is how many messages may wait to be stored. While NATS is away
	// they pile up to the publisher's 64 MiB; then the inbox fills.
	inWindow = 32768
	// deadWindow is the same for dead letters, which are rare.
	deadWindow = 256
)

// parse turns a payload that arrived at a moment into the message to store. Its
// errors are *decode.IgnoredError and *decode.MalformedError.
type parse func(payload []byte, at time.Time) (bus.Msg, error)

// incoming copies one channel from Redis to a stream. It listens as long as it
// runs, and stores while this bridge is the one that works.
type incoming struct {
	*Service
	*channel
	stream string
	parse  parse

	box       *inbox
	pub, dead *bus.Publisher
}

// addIn makes a channel one that is copied in.
func (s *Service) addIn(c *channel, stream string, p parse) {
	w := &incoming{Service: s, channel: c, stream: stream, parse: p, box: newInbox()}
	c.run = w.store
	s.listeners = append(s.listeners, w)
}

// open makes the publishers. They outlive a lost lease: while NATS is away they
// hold what was taken.
func (w *incoming) open() (err error) {
	if w.pub, err = w.conn.NewPublisher(bus.PublisherOptions{Stream: w.stream, Window: inWindow}); err != nil {
		return fmt.Errorf("bridge: publish to %s: %w", w.stream, err)
	}
	if w.dead, err = w.conn.NewPublisher(bus.PublisherOptions{Stream: feed.StreamDead, Window: deadWindow}); err != nil {
		w.pub.Close()
		return fmt.Errorf("bridge: publish to %s: %w", feed.StreamDead, err)
	}
	return nil
}

// close ends the publishers, that of dead letters first: the other may wait
// for room in it.
func (w *incoming) close() {
	w.dead.Close()
	w.pub.Close()
}

// store is the channel's run: it stores what the inbox holds, and what comes.
func (w *incoming) store(ctx context.Context) error {
	w.box.work(true)
	defer w.box.work(false)
	for ctx.Err() == nil {
		w.takeAll(ctx, w.box.take(ctx))
	}
	if errors.Is(context.Cause(ctx), bus.ErrLeaseLost) {
		return nil // NATS is away, or another bridge works
	}
	// The service stops.
	rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	w.takeAll(rest, w.box.tryTake())
	return w.flush(rest)
}

// takeAll handles parcels. Those for which there is no time any more go back.
func (w *incoming) takeAll(ctx context.Context, parcels []parcel) {
	for i, p := range parcels {
		if w.take(ctx, []byte(p.payload), p.at) != nil {
			w.box.back(parcels[i:])
			return
		}
	}
}

// flush waits for what was taken.
func (w *incoming) flush(ctx context.Context) error {
	if err := errors.Join(w.pub.Flush(ctx), w.dead.Flush(ctx)); err != nil {
		w.log.Warn("messages may not have been stored", slog.String("channel", w.name), slog.String("error", err.Error()))
	}
	return nil
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
		if err == nil {
			w.meter.passed.add(1)
			return
		}
		w.refused(ctx, err, payload, at)
	})
}

// refused handles a payload that the stream did not take. The channel may have
// been left by then, which must not cost the letter its turn: only close ends
// the wait for room.
func (w *incoming) refused(ctx context.Context, cause error, payload []byte, at time.Time) {
	reason, ok := bus.Refusal(cause)
	if !ok {
		return // flush has told of it
	}
	if err := w.bury(context.WithoutCancel(ctx), reason, cause, payload, at); err != nil {
		w.lost(err)
	}
}

// lost tells of a payload that not even DEAD takes.
func (w *incoming) lost(err error) {
	w.meter.dead.WithLabelValues("lost").Inc()
	w.log.Error("dead letter not stored", slog.String("channel", w.name), slog.String("error", err.Error()))
}

// bury keeps a payload in DEAD. It fails only when there is no room until ctx
// ends, or close.
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
			w.lost(err)
			return
		}
		w.meter.dead.WithLabelValues(reason).Inc()
	})
}
