package decode

import "fmt"

// Reason says in one subject token why an item is malformed.
type Reason string

// The reasons. Each is the last token of a dead letter's subject.
const (
	// ReasonJSON: the text is no whole JSON value, or more than one.
	ReasonJSON Reason = "json"
	// ReasonUTF8: the text is not UTF-8.
	ReasonUTF8 Reason = "utf8"
	// ReasonDepth: the value is nested deeper than MaxDepth.
	ReasonDepth Reason = "depth"
	// ReasonSize: the text is longer than MaxSize.
	ReasonSize Reason = "size"
	// ReasonShape: the object is nothing that its format knows.
	ReasonShape Reason = "shape"
	// ReasonUnsupported: no decoder for the format.
	ReasonUnsupported Reason = "unsupported"
)

// MalformedError says that an item cannot be read and never will be.
type MalformedError struct {
	Reason Reason
	// Err says what exactly is wrong.
	Err error
}

// Error implements error.
func (e *MalformedError) Error() string { return fmt.Sprintf("decode: read item: %v", e.Err) }

// Unwrap returns what exactly is wrong.
func (e *MalformedError) Unwrap() error { return e.Err }

// IgnoredError says that an item is sound and holds nothing: it is blank, or a
// JSON value other than an object.
type IgnoredError struct {
	// What the item is: "blank", "number", "string", "array", "true", "false"
	// or "null".
	What string
}

// Error implements error.
func (e *IgnoredError) Error() string {
	return "decode: read item: nothing in it but " + e.What
}

// malformed makes a MalformedError with a message of its own.
func malformed(r Reason, format string, args ...any) error {
	return &MalformedError{Reason: r, Err: fmt.Errorf(format, args...)}
}
