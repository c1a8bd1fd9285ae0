package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source"
)

const (
	// stage names this service in the subjects of dead letters.
	stage = "ingest"
	// saveTimeout bounds one saving of the cursor: a request that is refused
	// for want of a permission is never answered.
	saveTimeout = 2 * time.Second
	// keepRetry is when a cursor that has to be saved at once is tried again.
	keepRetry = 200 * time.Millisecond
)

// session is one tenure of a source's lease. Stream, and so emit and the
// methods of source.Observer, run on one goroutine.
type session struct {
	*worker
	ctx    context.Context
	end    context.CancelCauseFunc
	cursor *bus.Cursor
	ledger ledger
	// at is behind the last item that was taken, where the next connection
	// goes on; saved is the position that was saved last.
	at, saved feed.Cursor
	saver     sync.Mutex // guards saved, and keeps savings in their order
	// connected and items tell how the current connection went.
	connected bool
	items     int
}

// supervise keeps a connection to the upstream until the source ends (nil),
// fails for good, or ctx ends.
func (s *session) supervise(ctx context.Context) error {
	var b backoff
	for {
		a, err := s.attempt(ctx)
		if err == nil || ctx.Err() != nil || a.cause == source.CauseFatal || errors.Is(err, bus.ErrClosed) {
			return err
		}
		s.status.reconnects.Add(1)
		s.metrics.reconnects.WithLabelValues(a.cause.String()).Inc()
		delay := b.next(a, rand.Float64())
		if err := s.pause(ctx, delay, a, err); err != nil {
			return err
		}
	}
}

// attempt makes one connection and reads it to its end.
func (s *session) attempt(ctx context.Context) (attempt, error) {
	s.connected, s.items = false, 0
	began := time.Now()
	err := s.src.Stream(ctx, s.at, s.emit)
	a := attempt{cause: source.CauseNetwork, connected: s.connected, progressed: s.items > 0, lasted: time.Since(began)}
	if told := (*source.Error)(nil); errors.As(err, &told) {
		a.cause, a.asked = told.Cause, told.RetryAfter
	}
	return a, err
}

// pause waits for the next attempt.
func (s *session) pause(ctx context.Context, delay time.Duration, a attempt, err error) error {
	until := time.Now().Add(delay)
	switch {
	case errors.Is(err, source.ErrStalled):
		s.status.set(stateStalled, err)
	case delay > 0:
		s.status.tell(s.status.urgency(a.cause, delay), stateBackoff, err, slog.String("cause", a.cause.String()),
			slog.Duration("retry_in", delay.Round(time.Millisecond)), slog.Time("retry_at", until))
	default:
		s.log.Info("reconnecting", slog.String("cause", a.cause.String()), slog.String("error", err.Error()))
	}
	s.status.waits(until)
	s.metrics.retryAt.Set(float64(until.UnixMilli()) / 1e3)
	defer s.metrics.retryAt.Set(0)
	if ended := wait(ctx, delay); ended != nil {
		return ended
	}
	if !s.status.is(stateStalled) {
		s.status.tell(slog.LevelDebug, stateConnecting, err) // it was told when that would be
	}
	return nil
}

// emit takes one item. It blocks while the window is full, and fails when the
// session ends.
func (s *session) emit(it feed.Item) error {
	s.items++
	s.status.live()
	s.metrics.items.Inc()
	s.metrics.bytes.Add(float64(len(it.Data)))
	s.status.item.Store(it.Received.UnixMilli())
	s.metrics.lastItem.Set(float64(it.Received.UnixMilli()) / 1e3)
	slot, err := s.out.enter(s.ctx, it.Data)
	if err != nil {
		return err
	}
	n := s.take(it.Cursor)
	m := message(s.name, it)
	err = s.out.raw.Publish(s.ctx, []bus.Msg{m}, func(err error) { s.settled(n, m, slot, err) })
	if err != nil {
		s.out.leave(slot)
		s.metrics.unstored.Dec()
	}
	return err
}

// take enters an item into the ledger.
func (s *session) take(at feed.Cursor) uint64 {
	if at != "" {
		s.at = at
	}
	s.metrics.unstored.Inc()
	return s.ledger.enter(at)
}

// settled is told what became of an item.
func (s *session) settled(n uint64, m bus.Msg, slot bool, err error) {
	if err == nil {
		s.out.leave(slot)
		s.store(n)
		return
	}
	reason, refused := bus.Refusal(err)
	if !refused { // it is not stored, and the cursor stays before it
		s.out.leave(slot)
		s.metrics.unstored.Dec()
		return
	}
	go func() {
		defer s.out.leave(slot)
		s.bury(n, bus.Dead{
			Stage: stage, Reason: reason, ID: m.ID, Err: err, Header: m.Header, Data: m.Data,
			Subject: m.Subject, Item: strings.TrimPrefix(m.ID, feed.RawID(s.name, "")),
		})
	}()
}

// store says that an item is kept in a stream.
func (s *session) store(n uint64) {
	s.ledger.settle(n)
	s.metrics.stored.Inc()
	s.metrics.unstored.Dec()
}

// bury keeps an item as a dead letter and waits until that is done, or the
// outlet is closed. It may outlast the session, as items do.
func (s *session) bury(n uint64, d bus.Dead) {
	done := make(chan error, 1)
	err := s.out.dead.Publish(context.WithoutCancel(s.ctx), s.conn.Letters(d), func(err error) { done <- err })
	if err == nil {
		err = <-done
	}
	if err != nil {
		s.metrics.unstored.Dec()
		s.log.Error("dead letter not stored", slog.String("reason", d.Reason), slog.String("id", d.ID), slog.String("error", err.Error()))
		return
	}
	s.metrics.rejected.WithLabelValues(d.Reason).Inc()
	s.log.Warn("dead letter", slog.String("reason", d.Reason), slog.String("id", d.ID), slog.Int("bytes", len(d.Data)))
	s.store(n)
}

// reject keeps what is no item as a dead letter.
func (s *session) reject(r source.Rejected) error {
	n := s.take(r.Cursor)
	sum := sha256.Sum256(r.Data)
	d := bus.Dead{
		Stage: stage, Reason: r.Reason, ID: feed.RawID(s.name, hex.EncodeToString(sum[:])), Err: r.Err, Data: r.Data,
		Subject: feed.RawSubject(s.name),
		Header:  bus.Header{feed.HeaderReceived: {time.Now().UTC().Format(time.RFC3339Nano)}},
	}
	slot, err := s.out.enter(s.ctx, r.Data)
	if err != nil {
		return err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer s.out.leave(slot)
		s.bury(n, d)
	}()
	select {
	case <-done:
		return nil
	case <-s.ctx.Done():
		return context.Cause(s.ctx)
	}
}

// saving saves the position now and then until ctx ends.
func (s *session) saving(ctx context.Context) {
	tick := time.NewTicker(s.cfg.SaveEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.save(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// keep enters a cursor that no item carries and waits until it is saved.
func (s *session) keep(ctx context.Context, at feed.Cursor) error {
	s.at = at
	s.ledger.mark(at)
	for {
		if err := s.out.flush(ctx); err != nil {
			return err
		}
		if s.save(ctx) == at {
			return nil
		}
		if err := wait(ctx, keepRetry); err != nil {
			return err
		}
	}
}

// save saves the position, if it has moved, and returns the one that is saved
// now. Another process that has claimed the cursor ends the session.
func (s *session) save(ctx context.Context) feed.Cursor {
	s.saver.Lock()
	defer s.saver.Unlock()
	at := s.ledger.position()
	if at == "" || at == s.saved {
		return s.saved
	}
	ctx, cancel := context.WithTimeout(ctx, saveTimeout)
	defer cancel()
	err := s.cursor.Save(ctx, at)
	switch {
	case err == nil:
		s.saved = at
	case errors.Is(err, bus.ErrFenced):
		s.end(err)
	default: // the next tick tries again
		s.log.Debug("cursor not saved", slog.String("error", err.Error()))
	}
	return s.saved
}
