package ingest

import (
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/blipstream/blipstream/services/ingest/source"
)

// state is what a source is doing.
type state string

// The states of a source.
const (
	// stateStandby: another process holds the lease, or the server is away.
	stateStandby state = "standby"
	// stateConnecting: the lease is held, the upstream has not answered yet.
	stateConnecting state = "connecting"
	// stateLive: the upstream took the connection, or sent an item.
	stateLive state = "live"
	// stateStalled: the upstream fell silent and is being connected to anew.
	stateStalled state = "stalled"
	// stateBackoff: the connection ended, and the next one has to wait.
	stateBackoff state = "backoff"
	// stateFailed: the source has failed for good, and somebody must act.
	stateFailed state = "failed"
	// stateDone: the source has ended, as a file does.
	stateDone state = "done"
)

// states lists the states, for the metric that has a series for each.
func states() []state {
	return []state{stateStandby, stateConnecting, stateLive, stateStalled, stateBackoff, stateFailed, stateDone}
}

// downAfter is how long a source may go without a connection that works before
// the process calls itself not ready.
const downAfter = time.Minute

// status is what is known about a source, for metrics, log and readiness.
type status struct {
	name    string
	log     *slog.Logger
	metrics sourceMetrics

	mu    sync.Mutex
	now   state
	err   error     // why it is not live
	since time.Time // when it was last live, or began to try
	retry time.Time // when it is connected to again; zero if it does not wait
	told  told

	item atomic.Int64 // when the last item came, in Unix milliseconds
	// What happened since the process began: connections that ended, items
	// that the upstream says it held back, and gaps.
	reconnects, missed, gaps atomic.Uint64
}

func newStatus(name string, log *slog.Logger, m sourceMetrics) *status {
	s := &status{name: name, log: log, metrics: m}
	for _, st := range states() {
		m.state.WithLabelValues(string(st)).Set(0)
	}
	return s
}

// set changes the state, and says so if it is a change.
func (s *status) set(to state, err error, attrs ...slog.Attr) { s.tell(levelOf(to), to, err, attrs...) }

// tell changes the state, and says so at a level if it is a change.
func (s *status) tell(level slog.Level, to state, err error, attrs ...slog.Attr) {
	s.mu.Lock()
	from := s.now
	s.now, s.err, s.retry = to, err, time.Time{}
	if to == stateLive || to == stateStandby || s.since.IsZero() {
		s.since = time.Now()
	}
	if to == stateLive {
		s.told = told{}
	}
	if from != "" {
		s.metrics.state.WithLabelValues(string(from)).Set(0)
	}
	s.metrics.state.WithLabelValues(string(to)).Set(1)
	s.mu.Unlock()
	if from != to {
		s.report(level, from, to, err, attrs)
	}
}

// told is the last failure that the log was told of.
type told struct {
	cause source.Cause
	delay time.Duration
	at    time.Time
}

// repeatEvery is how often the log is told of failures of one sort that go on.
const repeatEvery = 5 * time.Minute

// urgency is at which level the log is told that a source backs off: as a
// warning if it is something new, if the wait has doubled since the log was told,
// or if that is long ago. Else an upstream that is away, or a machine without a
// network, would fill the log.
func (s *status) urgency(cause source.Cause, delay time.Duration) slog.Level {
	s.mu.Lock()
	defer s.mu.Unlock()
	last, now := s.told, time.Now()
	if !last.at.IsZero() && cause == last.cause && delay < 2*last.delay && now.Sub(last.at) < repeatEvery {
		return slog.LevelDebug
	}
	s.told = told{cause, delay, now}
	return slog.LevelWarn
}

// live says that the upstream gives a sign of life.
func (s *status) live() {
	s.mu.Lock()
	already := s.now == stateLive
	s.mu.Unlock()
	if !already {
		s.set(stateLive, nil)
	}
}

// waits says until when the state lasts that was just set.
func (s *status) waits(until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.retry = until
}

// is reports whether the source is in a state.
func (s *status) is(st state) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now == st
}

// levelOf is how important a change to a state is by itself.
func levelOf(to state) slog.Level {
	switch to {
	case stateFailed:
		return slog.LevelError
	case stateBackoff, stateStalled:
		return slog.LevelWarn
	default:
		return slog.LevelInfo
	}
}

// report writes the log line of a change.
func (s *status) report(level slog.Level, from, to state, err error, attrs []slog.Attr) {
	args := []any{slog.String("from", string(from)), slog.String("state", string(to))}
	for _, a := range attrs {
		args = append(args, a)
	}
	if err != nil {
		args = append(args, slog.String("error", err.Error()))
	}
	write := map[slog.Level]func(string, ...any){
		slog.LevelDebug: s.log.Debug, slog.LevelInfo: s.log.Info, slog.LevelWarn: s.log.Warn, slog.LevelError: s.log.Error,
	}[level]
	write("source", args...)
}

// ready is the source's readiness check: standing by is being ready, having
// failed is not, and being without a connection for long is not.
func (s *status) ready() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.now {
	case stateFailed:
		return fmt.Errorf("ingest: source %s has failed for good: %w", s.name, s.err)
	case stateBackoff, stateConnecting, stateStalled:
		if down := time.Since(s.since); down > downAfter && s.err != nil {
			return fmt.Errorf("ingest: source %s is down since %s: %w", s.name, s.since.UTC().Format(time.RFC3339), s.err)
		}
	default:
	}
	return nil
}
