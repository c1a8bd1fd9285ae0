package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"
)

// ErrLeaseLost is the cause of the context that Lease.Run hands to fn, once
// the lease can no longer be proved.
var ErrLeaseLost = errors.New("lease lost")

const (
	// minLeaseTTL keeps renewals apart from the time a request may take.
	minLeaseTTL = 100 * time.Millisecond
	// Parts of the ttl: a lease is renewed every third of it, a renewal that
	// brought no answer is tried again after a twentieth, and a holder that
	// could not renew stops after two thirds. The last third is what fn has to
	// wind up in before anybody else can hold the lease.
	renewPart   = 3
	retryPart   = 20
	provedParts = 2
	// leasePoll is the longest time between two looks at a lease that another
	// holds. A clean release is heard at once; this is for what nobody says.
	leasePoll = 500 * time.Millisecond
	// releaseTimeout bounds giving a lease back.
	releaseTimeout = 2 * time.Second
)

// Lease is the right to be the only one, kept in the KV bucket lease.
//
// The holder writes its key anew every ttl/3, each time on condition that
// nobody else has. A standby takes over on condition that the key is gone, or
// has not been written for a whole ttl by the standby's own monotonic clock; so
// no two clocks are ever compared. The holder counts from the moment it sent
// its last successful write, the standby from a later one, and the holder ends
// its work a third of the ttl earlier. The key carries its ttl for the server
// too, which removes it when nobody is there to take over.
type Lease struct {
	bucket bucket
	key    string
	holder string
	ttl    time.Duration
}

// Lease names a lease. holder is told to others; ttl is how long after the
// holder's death a standby takes over (at least 100 ms).
func (c *Conn) Lease(key, holder string, ttl time.Duration) *Lease {
	return &Lease{c.bucket(bucketLease), key, holder, ttl}
}

// Run waits for the lease, runs fn while holding it, gives it back at once
// when fn returns, and returns fn's error (or ctx's while waiting). fn's ctx
// ends, with cause ErrLeaseLost, before another can hold it; Run then waits
// for fn to return and for the lease again, and calls fn again. A server that
// is away for less than a third of the ttl does not cost the lease. The lease
// is kept until fn has returned also after ctx has ended. token grows with
// every holder.
func (l *Lease) Run(ctx context.Context, fn func(ctx context.Context, token uint64) error) error {
	if err := l.check(); err != nil {
		return fmt.Errorf("bus: run lease: %w", err)
	}
	for {
		t, err := l.acquire(ctx)
		if err != nil {
			return fmt.Errorf("bus: wait for lease %s: %w", l.key, err)
		}
		lost, err := t.hold(ctx, fn)
		if !lost || ctx.Err() != nil {
			return err
		}
	}
}

func (l *Lease) check() error {
	if err := l.bucket.check(l.key); err != nil {
		return err
	}
	if l.ttl < minLeaseTTL {
		return fmt.Errorf("ttl %s is below %s", l.ttl, minLeaseTTL)
	}
	return nil
}

// Holder tells who holds the lease now; "" if nobody. One who died is named
// until the server removes the key, about ttl later.
func (l *Lease) Holder(ctx context.Context) (string, error) {
	e, err := l.bucket.get(ctx, l.key)
	if err != nil {
		return "", fmt.Errorf("bus: holder of lease: %w", err)
	}
	if e.free() {
		return "", nil
	}
	return e.value, nil
}

// standby is one wait for a lease.
type standby struct {
	lease *Lease
	heard signal // somebody wrote the key
	seen  uint64
	since time.Time // when seen was first seen
}

// acquire waits for the lease and takes it.
func (l *Lease) acquire(ctx context.Context) (*term, error) {
	s := &standby{lease: l}
	sub, err := l.bucket.conn.nc.Subscribe(l.bucket.subject(l.key), func(*nats.Msg) { s.heard.fire() })
	if err != nil {
		return nil, err
	}
	defer func() { _ = sub.Unsubscribe() }()
	for {
		heard := s.heard.next()
		t, pause, err := s.try(ctx)
		if t != nil {
			return t, nil
		}
		if err != nil && ctx.Err() == nil {
			l.bucket.conn.log.Debug("read lease", slog.String("lease", l.key), slog.String("error", err.Error()))
			l.bucket.conn.heal(ctx)
			heard = l.bucket.conn.linked.next()
		}
		if !wait(ctx, pause, heard) {
			return nil, context.Cause(ctx)
		}
	}
}

// try takes the lease if it may be taken; otherwise it tells how long to wait.
func (s *standby) try(ctx context.Context) (t *term, pause time.Duration, err error) {
	l := s.lease
	e, err := l.bucket.get(ctx, l.key)
	if err != nil {
		return nil, growing(leasePoll, leasePoll, 0), err
	}
	if e.rev != s.seen || s.since.IsZero() {
		s.seen, s.since = e.rev, time.Now()
	}
	left := l.ttl - time.Since(s.since)
	if !e.free() && left > 0 {
		return nil, min(left, leasePoll), nil
	}
	t, err = l.take(ctx, e.rev)
	if errors.Is(err, errConflict) {
		return nil, 0, nil // another was quicker
	}
	return t, growing(leasePoll, leasePoll, 0), err
}

// take writes the key for the first time.
func (l *Lease) take(ctx context.Context, rev uint64) (*term, error) {
	created, err := l.bucket.conn.created(ctx, l.bucket.stream)
	if err != nil {
		return nil, err
	}
	t := &term{lease: l, id: nuid.Next(), rev: rev}
	if err := t.write(ctx); err != nil {
		return nil, err
	}
	t.token = fencingToken(created, t.rev)
	return t, nil
}

// fencingToken is the revision, above it the second in which the bucket was
// made: a bucket that was deleted counts its revisions from 1 again, and still
// no token may be lower than an earlier one.
func fencingToken(created time.Time, rev uint64) uint64 {
	const revBits = 32
	return uint64(max(created.Unix(), 0))<<revBits | rev&(1<<revBits-1)
}

// created is when a stream was made.
func (c *Conn) created(ctx context.Context, stream string) (time.Time, error) {
	s, err := c.streamState(ctx, stream)
	if err != nil {
		return time.Time{}, err
	}
	n, err := strconv.ParseInt(s.Epoch, 36, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("read epoch: %w", err)
	}
	return time.Unix(0, n), nil
}
