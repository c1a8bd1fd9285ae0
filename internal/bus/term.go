package bus

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// term is the time one holder holds a lease.
type term struct {
	lease *Lease
	id    string // tells this term's writes from those of any other
	rev   uint64
	token uint64
	// proof is when the last write that succeeded was sent.
	proof time.Time
}

// write renews the lease: it succeeds only if nobody else has written the key.
func (t *term) write(ctx context.Context) error {
	sent := time.Now()
	// The server counts whole seconds, one at least, and must not be earlier
	// than a standby.
	ttl := (t.lease.ttl + time.Second - 1).Truncate(time.Second)
	e := kvEntry{value: t.lease.holder, header: Header{headerTerm: {t.id}}}
	rev, err := t.lease.bucket.put(ctx, t.lease.key, t.rev, e, ttl)
	if err != nil {
		return err
	}
	t.rev, t.proof = rev, sent
	return nil
}

// proved is until when this term may act as the holder.
func (t *term) proved() time.Time {
	return t.proof.Add(t.lease.ttl * provedParts / renewPart)
}

// hold runs fn and renews the lease until fn returns; it returns fn's error.
// lost tells whether the lease was lost before.
func (t *term) hold(ctx context.Context, fn func(context.Context, uint64) error) (lost bool, err error) {
	l := t.lease
	c := l.bucket.conn
	held := c.metrics.leaseHeld.WithLabelValues(l.key)
	held.Set(1)
	defer held.Set(0)
	c.log.Info("lease taken", slog.String("lease", l.key), slog.String("holder", l.holder), slog.Uint64("token", t.token))

	working, end := context.WithCancelCause(ctx)
	defer end(nil)
	// A timer, so that the end comes on time whatever the renewals wait for.
	deadline := time.AfterFunc(time.Until(t.proved()), func() { end(ErrLeaseLost) })
	defer deadline.Stop()
	done := make(chan error, 1)
	go func() { done <- fn(working, t.token) }()
	for {
		select {
		case err := <-done:
			if errors.Is(context.Cause(working), ErrLeaseLost) {
				return true, err
			}
			t.release(ctx)
			return false, err
		case <-time.After(t.pause()):
		}
		if errors.Is(context.Cause(working), ErrLeaseLost) || !t.renew(ctx, deadline) {
			end(ErrLeaseLost)
			c.metrics.leaseLost.WithLabelValues(l.key).Inc()
			c.log.Warn("lease lost", slog.String("lease", l.key), slog.String("holder", l.holder))
			return true, <-done
		}
	}
}

// pause is the time until the next renewal.
func (t *term) pause() time.Duration {
	next := time.Until(t.proof.Add(t.lease.ttl / renewPart))
	return max(next, t.lease.ttl/retryPart)
}

// renew tries once; false means that the lease is lost for certain. It goes on
// while ctx has ended, because fn has not.
func (t *term) renew(ctx context.Context, deadline *time.Timer) bool {
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), t.proved())
	defer cancel()
	err := t.write(ctx)
	if errors.Is(err, errConflict) {
		return t.adopt(ctx)
	}
	if err != nil {
		t.lease.bucket.conn.log.Warn("renew lease", slog.String("lease", t.lease.key), slog.String("error", err.Error()))
		return true // unknown: the deadline decides
	}
	// A timer that has fired already has ended the work; it must stay ended.
	if !deadline.Stop() {
		return false
	}
	deadline.Reset(time.Until(t.proved()))
	return true
}

// adopt finds out whether a conflict is with a renewal of this very term whose
// answer was lost. That proves nothing new about the time, but it is the
// revision to renew from.
func (t *term) adopt(ctx context.Context) bool {
	e, err := t.lease.bucket.get(ctx, t.lease.key)
	if err != nil {
		return true // unknown, as before
	}
	if e.free() || e.header.Get(headerTerm) != t.id {
		return false
	}
	t.rev = e.rev
	return true
}

// release gives the lease back: whoever waits hears it at once.
func (t *term) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	l := t.lease
	e := kvEntry{header: Header{headerOperation: {deleted}}}
	if _, err := l.bucket.put(ctx, l.key, t.rev, e, 0); err != nil {
		l.bucket.conn.log.Warn("release lease", slog.String("lease", l.key), slog.String("error", err.Error()))
		return
	}
	l.bucket.conn.log.Info("lease given back", slog.String("lease", l.key))
}
