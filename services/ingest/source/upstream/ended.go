package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/blipstream/blipstream/services/ingest/source"
)

// EmitError carries an error of emit or of an Observer through a connector, to
// be returned by Stream as it is.
type EmitError struct{ Err error }

// Error implements error.
func (e *EmitError) Error() string { return e.Err.Error() }

// Unwrap returns what emit returned.
func (e *EmitError) Unwrap() error { return e.Err }

// Ended tells why a connection is over.
type Ended struct {
	// Who begins the error's text: the package and what it read.
	Who string
	// Stream is the context that Stream was given, Conn the one that the
	// watchdog made of it.
	Stream, Conn context.Context
	// Silence is the cause of a connection that the watchdog ended, and After
	// how long it waited.
	Silence source.Cause
	After   time.Duration
}

// By turns the error that ended the connection into what Stream returns: the
// error of emit, that of the context, an *source.Error that err holds already,
// a stall, or a broken network.
func (e Ended) By(err error) error {
	if passed, ok := errors.AsType[*EmitError](err); ok {
		return passed.Err
	}
	if e.Stream.Err() != nil {
		return e.Stream.Err()
	}
	if errors.Is(context.Cause(e.Conn), source.ErrStalled) {
		return &source.Error{Cause: e.Silence, Err: fmt.Errorf("%s: %w for %v", e.Who, source.ErrStalled, e.After)}
	}
	if told, ok := errors.AsType[*source.Error](err); ok {
		return told
	}
	if of, ok := errors.AsType[*url.Error](err); ok {
		err = fmt.Errorf("connect: %w", of.Err) // it would repeat the whole address in every line of the log
	}
	return &source.Error{Cause: source.CauseNetwork, Err: fmt.Errorf("%s: %w", e.Who, err)}
}
