package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source"
)

const (
	// drainTimeout bounds how long items may take to be stored after the
	// service was asked to stop. A process has 5 s for its whole stop; what is
	// not stored by then is read again, where the source can resume.
	drainTimeout = 2 * time.Second
	// lastSaveTimeout bounds the last saving of the cursor, for the same reason.
	lastSaveTimeout = 500 * time.Millisecond
	// handOver is how long a lease is kept after the connection was closed, so
	// that the upstream has noticed when the next process opens its own.
	handOver = 150 * time.Millisecond
	// fencedPause is how long a process that finds its cursor claimed stays
	// away: two that fight for one cursor must not do so at full speed.
	fencedPause = time.Minute
)

// worker looks after one source. Workers share nothing but the connection.
type worker struct {
	spec
	cfg     Config
	conn    *bus.Conn
	holder  string
	log     *slog.Logger
	src     source.Source
	status  *status
	metrics sourceMetrics
	out     *outlet
	current *session // set while Stream may run; used on its goroutine only
}

var (
	_ source.Observer    = (*worker)(nil)
	_ source.GapObserver = (*worker)(nil)

	_ source.BudgetObserver = (*worker)(nil)
	_ source.Keeper         = (*worker)(nil)
)

// run works until ctx ends, or the source ends or fails for good.
func (w *worker) run(ctx context.Context) error {
	out, err := newOutlet(w.conn, w.cfg.Window)
	if err != nil {
		return err
	}
	defer out.close()
	w.out = out
	for ctx.Err() == nil {
		if w.tenure(ctx) {
			return nil
		}
	}
	return nil
}

// tenure waits for the lease and reads the source while it is held. It reports
// whether the source needs no more of that.
func (w *worker) tenure(ctx context.Context) (over bool) {
	w.status.set(stateStandby, nil, slog.String("lease", w.leaseKey()))
	lease := w.conn.Lease(w.leaseKey(), w.holder, w.cfg.LeaseTTL)
	err := lease.Run(ctx, func(leased context.Context, token uint64) error { return w.lead(ctx, leased, token) })
	told := (*source.Error)(nil)
	switch {
	case ctx.Err() != nil:
		return true
	case err == nil:
		w.status.set(stateDone, nil)
		return true
	case errors.As(err, &told) && told.Cause == source.CauseFatal:
		w.status.set(stateFailed, err)
		return true
	case errors.Is(err, bus.ErrFenced):
		w.metrics.fenced.Inc()
	}
	w.status.set(stateBackoff, err, slog.Duration("retry_in", fencedPause))
	w.status.waits(time.Now().Add(fencedPause))
	_ = wait(ctx, fencedPause) // run sees the end of ctx
	return false
}

// lead reads the source while leased lives, which ends with ctx or with the lease.
func (w *worker) lead(ctx, leased context.Context, token uint64) error {
	w.status.set(stateConnecting, nil, slog.String("holder", w.holder))
	cursor, at, err := w.conn.ClaimCursor(leased, w.cursorKey(), token)
	if err != nil {
		return fmt.Errorf("ingest: lead %s: %w", w.name, err)
	}
	w.log.Info("reading", slog.String("cursor", brief(at)))
	reading, end := context.WithCancelCause(leased)
	defer end(nil)
	s := &session{worker: w, ctx: reading, end: end, cursor: cursor, at: at, saved: at}
	w.current = s
	saving, stop := context.WithCancel(reading)
	defer stop()
	var saver sync.WaitGroup
	saver.Go(func() { s.saving(saving) })
	err = s.supervise(reading)
	closed := time.NewTimer(handOver)
	defer closed.Stop()
	if fenced := context.Cause(reading); errors.Is(fenced, bus.ErrFenced) {
		err = fmt.Errorf("ingest: lead %s: %w", w.name, fenced)
	}
	if !errors.Is(err, bus.ErrFenced) {
		err = errors.Join(err, w.windUp(ctx, reading, s))
	}
	stop()
	saver.Wait()
	s.finish(ctx)
	if s.connected && reading.Err() != nil {
		<-closed.C
	}
	return err
}

// brief is a cursor as a log tells it: some sources keep a table in theirs.
func brief(c feed.Cursor) string {
	const longest = 80 // bytes
	line, _, more := strings.Cut(string(c), "\n")
	if len(line) > longest {
		line, more = strings.ToValidUTF8(line[:longest], ""), true
	}
	if !more {
		return line
	}
	return fmt.Sprintf("%s… (%d bytes)", line, len(c))
}

// windUp waits until what was read is stored: as long as it takes if the
// source has ended, for a moment if the process is to stop, and not at all if
// the lease is lost, because then another reads the source already.
func (w *worker) windUp(ctx, reading context.Context, s *session) error {
	wait := reading
	if ctx.Err() != nil {
		var cancel context.CancelFunc
		wait, cancel = context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
		defer cancel()
	} else if reading.Err() != nil {
		w.status.set(stateStandby, context.Cause(reading))
		return nil
	}
	if err := w.out.flush(wait); err != nil {
		w.log.Warn("stopped before everything was stored", slog.Int("items", s.ledger.open()), slog.String("error", err.Error()))
		return err
	}
	return nil
}

// finish saves the last position.
func (s *session) finish(ctx context.Context) {
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastSaveTimeout)
	defer cancel()
	s.save(last)
	s.log.Info("stopped reading", slog.String("cursor", brief(s.saved)), slog.Int("unstored", s.ledger.open()))
}

// Connected implements source.Observer.
func (w *worker) Connected() {
	w.current.connected = true
	w.status.live()
}

// Missed implements source.Observer.
func (w *worker) Missed(n uint64) {
	w.status.missed.Add(n)
	w.metrics.missed.Add(float64(n))
	w.log.Warn("upstream held items back", slog.Uint64("items", n))
}

// Budget implements source.BudgetObserver.
func (w *worker) Budget(used, most uint64) {
	w.metrics.budget.WithLabelValues("used").Set(float64(used))
	w.metrics.budget.WithLabelValues("most").Set(float64(most))
}

// Keep implements source.Keeper.
func (w *worker) Keep(ctx context.Context, at feed.Cursor) error { return w.current.keep(ctx, at) }

// Gap implements source.GapObserver.
func (w *worker) Gap(g source.Gap) {
	w.status.gaps.Add(1)
	w.metrics.gaps.Inc()
	w.log.Warn("items of the upstream may be missing", slog.String("why", g.Why), slog.Time("from", g.From), slog.Time("to", g.To))
}

// Reject implements source.Observer.
func (w *worker) Reject(r source.Rejected) error { return w.current.reject(r) }
