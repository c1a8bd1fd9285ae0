package simulate

import (
	"fmt"
	"net/url"
	"strconv"
	"time"
)

// FaultKind is what goes wrong on a connection.
type FaultKind string

// The kinds of faults.
const (
	// FaultNone: nothing.
	FaultNone FaultKind = ""
	// FaultStatus: the request is answered with Status; with 420 and 429,
	// x-rate-limit-reset says when Reset is over.
	FaultStatus FaultKind = "status"
	// FaultSilence: no byte any more, not even a keep-alive; the server still
	// notices when the client goes.
	FaultSilence FaultKind = "silence"
	// FaultHalfOpen: as if the server's machine had lost its network: nothing
	// is sent, nothing read, and the client's leaving is not noticed.
	FaultHalfOpen FaultKind = "half-open"
	// FaultEOF: the response ends as it should.
	FaultEOF FaultKind = "eof"
	// FaultCut: the connection breaks in the middle of a message.
	FaultCut FaultKind = "cut"
	// FaultBytes: each byte is written by itself from here on.
	FaultBytes FaultKind = "bytes"
	// FaultHuge: a message of 5 MB comes in between.
	FaultHuge FaultKind = "huge"
	// FaultKeepAlives: nothing but keep-alives any more.
	FaultKeepAlives FaultKind = "keep-alives"
	// FaultMalformed: a message of each malformed sort but Huge comes in
	// between.
	FaultMalformed FaultKind = "malformed"
	// FaultDisconnect: a disconnect message with Code, and then the end; over
	// WebSocket a close frame with it.
	FaultDisconnect FaultKind = "disconnect"
	// FaultDrift: a message with fields, or of a sort, that nobody knows.
	FaultDrift FaultKind = "drift"
	// FaultClamp: the connection begins later than it asked for, without a word;
	// Bluesky only. After says by how many items.
	FaultClamp FaultKind = "clamp"
	// FaultBomb: a compressed message that would fill the memory; Bluesky only,
	// and where compression was asked for.
	FaultBomb FaultKind = "bomb"
)

// Fault is what goes wrong on a connection, and when.
type Fault struct {
	Kind FaultKind
	// After is after how many items of the connection.
	After uint64
	// Status is the HTTP status of a FaultStatus.
	Status int
	// Reset is how long the limit of a status 420 or 429 lasts.
	Reset time.Duration
	// Code is that of a FaultDisconnect.
	Code int
}

// check refuses what no connection can do.
func (f *Fault) check() error {
	switch f.Kind {
	case FaultStatus:
		if f.Status < 400 || f.Status > 599 {
			return fmt.Errorf("simulate: check fault: status %d is no HTTP error, 400 to 599", f.Status)
		}
	case FaultNone, FaultSilence, FaultHalfOpen, FaultEOF, FaultCut, FaultBytes,
		FaultHuge, FaultKeepAlives, FaultMalformed, FaultDisconnect, FaultDrift, FaultClamp, FaultBomb:
	default:
		return fmt.Errorf("simulate: check fault: %q is no kind of fault", f.Kind)
	}
	return nil
}

// ParseFault reads a fault as a request's parameters or a command's argument
// give it: fault=eof&after=10, fault=status&status=429&reset=30s,
// fault=disconnect&code=4.
func ParseFault(query string) (Fault, error) {
	q, err := url.ParseQuery(query)
	if err != nil {
		return Fault{}, fmt.Errorf("simulate: read fault: %w", err)
	}
	return faultOf(q)
}

// faultOf reads a fault among other parameters; without any it is FaultNone.
func faultOf(q url.Values) (Fault, error) {
	f := Fault{Kind: FaultKind(q.Get("fault"))}
	var err error
	if f.After, err = optional(q, "after"); err != nil {
		return f, err
	}
	code, err := optional(q, "code")
	if err != nil {
		return f, err
	}
	status, err := optional(q, "status")
	if err != nil {
		return f, err
	}
	f.Code, f.Status = int(code), int(status)
	if s := q.Get("reset"); s != "" {
		if f.Reset, err = time.ParseDuration(s); err != nil {
			return f, fmt.Errorf("simulate: read parameter reset: %q is not a duration such as 30s", s)
		}
	}
	return f, f.check()
}

// optional reads a parameter that is a small whole number, 0 if it is absent.
func optional(q url.Values, name string) (uint64, error) {
	s := q.Get(name)
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return 0, fmt.Errorf("simulate: read parameter %s: %q is not a whole number", name, s)
	}
	return n, nil
}
