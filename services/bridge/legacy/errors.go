package legacy

import (
	"fmt"

	"github.com/blipstream/blipstream/internal/decode"
)

// The reasons for dead letters that only this package has; each is the last
// token of a subject, like decode's.
const (
	// ReasonKind: the kind of an event can be no kind here.
	ReasonKind decode.Reason = "kind"
	// ReasonBody: the body of an event is no JSON object in a string.
	ReasonBody decode.Reason = "body"
	// ReasonPosition: a position that is not on Earth.
	ReasonPosition decode.Reason = "position"
)

// UnsafeError says why something must not reach the old readers.
type UnsafeError struct {
	// What is wrong, in one word: "json", "utf8", "depth", "number", "user",
	// "geo", "place", "position", "kind", "empty",
	// "control", or a word of the caller's.
	What string
	// Err says it in full.
	Err error
}

// Error implements error.
func (e *UnsafeError) Error() string { return fmt.Sprintf("legacy: hold back: %v", e.Err) }

// Unwrap returns what is wrong in full.
func (e *UnsafeError) Unwrap() error { return e.Err }

func unsafe(what, format string, args ...any) error {
	return &UnsafeError{What: what, Err: fmt.Errorf(format, args...)}
}

func malformed(r decode.Reason, format string, args ...any) error {
	return &decode.MalformedError{Reason: r, Err: fmt.Errorf(format, args...)}
}
