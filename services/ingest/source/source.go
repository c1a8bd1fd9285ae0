// Package source is what every upstream looks like to ingest: a Source that
// reads one connection, the Config it is opened with, and the Error by which
// it says how to go on.
package source

import (
	"context"
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
	// ctx ends, and else an *Error that says how to go on.
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
}

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
