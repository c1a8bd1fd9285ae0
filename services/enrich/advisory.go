package enrich

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/decode"
	"github.com/blipstream/blipstream/internal/feed"
)

// The reasons of letters that the server's advisories are made into.
const (
	reasonMaxDeliveries decode.Reason = "max_deliveries"
	reasonTerminated    decode.Reason = "terminated"
)

// readTimeout bounds the reading of the message an advisory is about.
const readTimeout = 5 * time.Second

// advised makes a dead letter of each message that a consumer of RAW gave up,
// until ctx ends. This service gives nothing up without a letter; an operator
// may (by terminating, or by a limit of deliveries), and so may a consumer of
// somebody else's.
func (l *line) advised(ctx context.Context) error {
	err := l.conn.Consume(ctx, bus.ConsumeOptions{Stream: bus.StreamAdvisories, Durable: bus.DurableAdvisories}, l.advisory)
	if err != nil {
		return fmt.Errorf("enrich: consume %s: %w", bus.StreamAdvisories, err)
	}
	return nil
}

// advisory takes one.
func (l *line) advisory(d *bus.Delivery) {
	a, err := bus.ReadAdvisory(d.Data)
	if err != nil {
		l.log.Warn("advisory cannot be read", slog.Uint64("seq", d.Seq), slog.String("error", err.Error()))
		l.ack(d)
		return
	}
	ctx, cancel := context.WithTimeout(l.work, readTimeout)
	defer cancel()
	m, err := l.conn.Message(ctx, feed.StreamRaw, a.Seq)
	switch {
	case errors.Is(err, bus.ErrNoMessage), err == nil && m.Time.After(a.Time):
		// Removed by the stream's limits, or by a stream made anew.
		l.metrics.dead.WithLabelValues("lost").Inc()
		l.log.Error("message was given up and is gone", slog.String("consumer", a.Consumer), slog.Uint64("seq", a.Seq))
		l.ack(d)
	case err != nil:
		l.settled(d, d.Retry(readTimeout))
	default:
		l.letter(d, &m, a)
	}
}

// letter has the message that a tells of stored in DEAD, and the advisory
// settled then. A letter of this service's own about it is not doubled.
func (l *line) letter(d *bus.Delivery, m *bus.Stored, a bus.Advisory) {
	reason, cause, id := reasonMaxDeliveries, fmt.Errorf("enrich: consumer %s: deliveries used up", a.Consumer), feed.StreamRaw+":"+position(m)
	if a.Terminated {
		reason, cause = reasonTerminated, fmt.Errorf("enrich: consumer %s: terminated: %s", a.Consumer, a.Reason)
	}
	if a.Consumer != bus.DurableEnrich {
		id = a.Consumer + ":" + id
	}
	letters := l.conn.Letters(bus.Dead{
		Stage: a.Consumer, Reason: string(reason), ID: id, Err: cause, Subject: m.Subject, Item: itemName(m),
		Header: m.Header, Data: m.Data, StreamSeq: m.Seq, Deliveries: a.Deliveries,
	})
	err := l.dead.Publish(l.work, letters, func(err error) {
		if errors.Is(err, bus.ErrClosed) {
			l.settled(d, d.Retry(0))
			return
		}
		if err != nil {
			l.log.Error("dead letter was refused", slog.Uint64("seq", m.Seq), slog.String("error", err.Error()))
			reason = "lost"
		}
		l.metrics.dead.WithLabelValues(string(reason)).Inc()
		l.ack(d)
	})
	if err != nil {
		l.settled(d, d.Retry(0))
	}
}
