package enrich

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/decode"
	"github.com/blipstream/blipstream/internal/feed"
)

// line is one Run: from a delivery to the moment it is settled.
type line struct {
	*Service
	// work outlives the end of Run's context by drainTimeout.
	work   context.Context
	events *bus.Publisher
	dead   *bus.Publisher
	asking asking
	trials trials
}

// The reasons of dead letters besides those of package decode and bus.Refusal.
const (
	reasonPanic      decode.Reason = "panic"
	reasonDeliveries decode.Reason = "deliveries"
)

var errDeliveries = errors.New("enrich: handle item: begun again and again, and never seen through: it seems to end the process or never to end")

// handle takes one delivery. Whatever it holds, it is settled once: here if
// there is nothing to store, else when that is stored.
func (l *line) handle(d *bus.Delivery) {
	l.metrics.backlog.Set(float64(d.Pending))
	if l.suspect(d) {
		l.try(d)
		return
	}
	l.take(d)
}

// take does the work of handle.
func (l *line) take(d *bus.Delivery) {
	rec, err := l.decode(&d.Stored)
	if err != nil {
		l.reject(d, err)
		return
	}
	if l.names.ask(&rec, func() { l.proceed(d, rec) }) {
		return
	}
	l.proceed(d, rec)
}

// proceed does the rest of take, perhaps on another goroutine.
func (l *line) proceed(d *bus.Delivery, rec feed.Record) {
	out, err := l.derive(&d.Stored, rec)
	if err != nil {
		l.reject(d, err)
		return
	}
	if out.pending != nil && len(out.pending.Questions) > 0 {
		l.ask(d, out)
		return
	}
	l.finish(d, out)
}

// finish takes an item whose events are known.
func (l *line) finish(d *bus.Delivery, out output) {
	l.seenThrough(d)
	if len(out.events) == 0 {
		l.metrics.nothing(&out.rec)
		l.ack(d)
		return
	}
	l.publish(d, out)
}

// publish has an item's events stored, and settles the item then.
func (l *line) publish(d *bus.Delivery, out output) {
	msgs := messages(&d.Stored, &out)
	received := out.rec.Received
	err := l.events.Publish(l.work, msgs, func(err error) {
		if err != nil {
			l.unpublished(d, err)
			return
		}
		l.metrics.stored(msgs, received)
		l.ack(d)
	})
	if err != nil {
		l.giveBack(d)
	}
}

// eventHeader is the headers of the events of m. They share one map, which
// nobody changes: the publisher copies it.
func eventHeader(m *bus.Stored) bus.Header {
	h := bus.Header{feed.HeaderRawSeq: {strconv.FormatUint(m.Seq, 10)}}
	if received, ok := m.Header[feed.HeaderReceived]; ok {
		h[feed.HeaderReceived] = received
	}
	if trace, ok := m.Header[feed.HeaderTraceparent]; ok {
		h[feed.HeaderTraceparent] = trace
	}
	return h
}

// unpublished settles an item whose events could not be stored.
func (l *line) unpublished(d *bus.Delivery, err error) {
	reason, refused := bus.Refusal(err)
	if !refused {
		l.giveBack(d)
		return
	}
	l.bury(d, decode.Reason(reason), err)
}

// reject settles an item that could not be read.
func (l *line) reject(d *bus.Delivery, err error) {
	if ignored, ok := errors.AsType[*decode.IgnoredError](err); ok {
		l.seenThrough(d)
		l.metrics.ignoredItem(ignored.What)
		l.ack(d)
		return
	}
	if bad, ok := errors.AsType[*decode.MalformedError](err); ok {
		l.bury(d, bad.Reason, err)
		return
	}
	if l.metrics.panicked() {
		l.log.Error("item made the code panic", slog.Uint64("seq", d.Seq), slog.String("error", err.Error()))
	}
	l.bury(d, reasonPanic, err)
}

// bury has an item stored in DEAD, and acknowledges it then. It is not
// terminated: that would have the server report it as given up, and its letter
// is written (advisory).
func (l *line) bury(d *bus.Delivery, reason decode.Reason, cause error) {
	l.seenThrough(d)
	letters := l.conn.Letters(bus.Dead{
		Stage: stage, Reason: string(reason), ID: feed.StreamRaw + ":" + position(&d.Stored), Err: cause,
		Subject: d.Subject, Item: itemName(&d.Stored), Header: d.Header, Data: d.Data, StreamSeq: d.Seq, Deliveries: d.Deliveries,
	})
	err := l.dead.Publish(l.work, letters, func(err error) {
		if err != nil {
			l.unburied(d, err)
			return
		}
		l.metrics.deadItem(string(reason))
		l.ack(d)
	})
	if err != nil {
		l.giveBack(d)
	}
}

// unburied settles an item that not even DEAD takes.
func (l *line) unburied(d *bus.Delivery, err error) {
	if errors.Is(err, bus.ErrClosed) {
		l.giveBack(d)
		return
	}
	// Letters are made to fit. If the server refuses one all the same, trying
	// again is no use, and the item itself stays in RAW.
	l.metrics.deadItem("lost")
	l.log.Error("dead letter was refused", slog.Uint64("seq", d.Seq), slog.String("error", err.Error()))
	l.ack(d)
}

// ack settles a delivery that is done with.
func (l *line) ack(d *bus.Delivery) { l.settled(d, d.Ack()) }

// giveBack leaves a delivery to another replica, or to this one's next start.
func (l *line) giveBack(d *bus.Delivery) {
	l.seenThrough(d)
	l.metrics.items.given.Inc()
	l.settled(d, d.Retry(0))
}

// settled notes that a verdict could not be sent. The item comes again then,
// and its events are dropped by their ids.
func (l *line) settled(d *bus.Delivery, err error) {
	if err != nil {
		l.log.Debug("verdict was not sent", slog.Uint64("seq", d.Seq), slog.String("error", err.Error()))
	}
}

// drain waits until everything handed in is settled, as long as work allows.
func (l *line) drain() {
	l.settleAsked()
	// An event that is refused becomes a dead letter, hence this order.
	if err := errors.Join(l.events.Flush(l.work), l.dead.Flush(l.work)); err != nil {
		l.log.Warn("stopped before everything was stored; it is delivered again", slog.String("error", err.Error()))
	}
}

// close gives up what drain did not wait for.
func (l *line) close() {
	l.events.Close()
	l.dead.Close()
}

// position names a message for ever: a stream that is made anew
// counts from 1 again, but not at the same time.
func position(m *bus.Stored) string {
	return strconv.FormatUint(m.Seq, 10) + "-" + strconv.FormatInt(m.Time.UnixNano(), 36)
}

// receivedAt is when an item was received: as its header says, else when it
// was stored.
func receivedAt(m *bus.Stored) time.Time {
	if told := m.Header.Get(feed.HeaderReceived); told != "" {
		if t, err := time.Parse(time.RFC3339Nano, told); err == nil {
			return t
		}
	}
	return m.Time
}
