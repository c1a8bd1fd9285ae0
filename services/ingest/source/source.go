package source

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
)

// Source is one upstream.
type Source interface {
	// Stream opens one upstream connection at from (empty: where the upstream
	// starts by itself) and hands each item to emit, in the upstream's order.
	// emit blocks while the stream cannot take more, so that reading stops; an
	// error from emit must be returned as it is. Stream returns nil only when
	// the source has ended for good (a file that was read), ctx's error when
	// ctx ends, and else an *Error that says how to go on. When it has returned
	// the upstream has no connection any more. It is not called twice at once.
	Stream(ctx context.Context, from feed.Cursor, emit func(feed.Item) error) error
}

// Config is what a source is opened with.
type Config struct {
	// Name is the last token of raw.<name>: the URL's fragment, else its scheme.
	Name string
	// URL is the source's URL as the user gave it.
	URL *url.URL
	// Secret is the credential from the environment; empty if none.
	Secret string
	// Log receives the source's log lines.
	Log *slog.Logger
	// Observer is told what items do not say; see Observe.
	Observer Observer
}

// Observe returns the Observer, or one that ignores everything if none is set.
func (c Config) Observe() Observer {
	if c.Observer == nil {
		return ignore{}
	}
	return c.Observer
}

// Observer is told what the items of a source do not say. It is called from
// within Stream, on the goroutine that calls emit.
type Observer interface {
	// Connected says that the upstream has accepted the connection.
	Connected()
	// Missed says that the upstream held back n items more (a rate limit).
	Missed(n uint64)
	// Reject keeps what cannot be an item. It blocks as emit does, and its
	// error must be returned by Stream as it is.
	Reject(r Rejected) error
}

// GapObserver is an Observer that is also told of gaps; see TellGap.
type GapObserver interface {
	// Gap says that items of the upstream may be missing.
	Gap(g Gap)
}

// Gap is a stretch of an upstream that a source could not get.
type Gap struct {
	// Why is a few words, such as "the upstream keeps no more".
	Why string
	// From and To bound it by the upstream's clock; zero where unknown.
	From, To time.Time
}

// TellGap tells an Observer of a gap, if it wants to know.
func TellGap(o Observer, g Gap) {
	if told, ok := o.(GapObserver); ok {
		told.Gap(g)
	}
}

// BudgetObserver is an Observer that is also told of a budget; see TellBudget.
type BudgetObserver interface {
	// Budget says that used of at most most items were delivered that the
	// upstream charges for.
	Budget(used, most uint64)
}

// TellBudget tells an Observer of a budget, if it wants to know and there is
// one: most is 0 where there is none.
func TellBudget(o Observer, used, most uint64) {
	if told, ok := o.(BudgetObserver); ok && most > 0 {
		told.Budget(used, most)
	}
}

// Keeper is an Observer that can save a cursor at once; see Keep.
type Keeper interface {
	// Keep makes at the cursor behind everything emitted so far. It returns nil
	// once all of that is stored and the cursor is saved; or, when ctx ends
	// before, why it did, and then the cursor is saved with the source's last one.
	Keep(ctx context.Context, at feed.Cursor) error
}

// Keep has an Observer save a cursor that no item carries, if it can. It is for
// what must be known to whoever comes after a process that was killed before it
// goes on, such as how much the upstream may have charged for. While it waits
// nothing is read; Stream must return its error as it is.
func Keep(ctx context.Context, o Observer, at feed.Cursor) error {
	if keeper, ok := o.(Keeper); ok {
		return keeper.Keep(ctx, at)
	}
	return nil
}

// Rejected is upstream data that cannot be an item.
type Rejected struct {
	// Reason is one subject token: too_long, truncated.
	Reason string
	// Err says what is wrong with it.
	Err error
	// Data is its beginning, as much of it as was kept.
	Data []byte
	// Cursor is the position just after it; empty if the source cannot resume.
	Cursor feed.Cursor
}

// The reasons for which sources reject data.
const (
	// ReasonTooLong is for a frame longer than the source's limit.
	ReasonTooLong = "too_long"
	// ReasonTruncated is for a frame whose end never came.
	ReasonTruncated = "truncated"
)

// ignore is the Observer of those who do not want to know.
type ignore struct{}

func (ignore) Connected()            {}
func (ignore) Missed(uint64)         {}
func (ignore) Reject(Rejected) error { return nil }

// Opener makes a Source without connecting. Its error is a configuration that
// cannot work, in one line that says what to change.
type Opener func(Config) (Source, error)

// Cause is why a connection ended, as far as it decides how to go on.
type Cause uint8

// The causes, each with a back-off of its own.
const (
	// CauseClosed: an established connection ended; connect again at once.
	CauseClosed Cause = iota
	// CauseNetwork: the connection could not be made or broke.
	CauseNetwork
	// CauseHTTP: the upstream answered with an error that may pass.
	CauseHTTP
	// CauseRateLimited: the upstream asked to slow down.
	CauseRateLimited
	// CauseFatal: going on makes no sense (bad credentials, no such stream).
	CauseFatal
)

// String is the cause as metrics and log lines name it.
func (c Cause) String() string {
	switch c {
	case CauseClosed:
		return "closed"
	case CauseNetwork:
		return "network"
	case CauseHTTP:
		return "http"
	case CauseRateLimited:
		return "rate_limited"
	case CauseFatal:
		return "fatal"
	default:
		return fmt.Sprintf("cause_%d", uint8(c))
	}
}

// ErrStalled is wrapped by the Error of a connection that was given up because
// nothing, not even a keep-alive, arrived for too long.
var ErrStalled = errors.New("upstream is silent")

// Error is how a Source says why its connection ended.
type Error struct {
	Cause Cause
	// RetryAfter is how long the upstream asked to wait; 0 if it did not say.
	RetryAfter time.Duration
	// Err says what happened.
	Err error
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("source: %v", e.Err) }

// Unwrap returns what happened.
func (e *Error) Unwrap() error { return e.Err }
