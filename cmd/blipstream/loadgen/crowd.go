package loadgen

import (
	"fmt"
	"time"
)

// maxMark is the greatest length of Options.Mark.
const maxMark = 32

// Options says who asks for what.
type Options struct {
	// Addr is the server's TCP address, Path what is asked for.
	Addr, Path string
	// Clients is how many read all they get; Dead read nothing, and Slow a byte
	// a second.
	Clients, Dead, Slow int
	// Mark is what each event has once, of at most 32 bytes; empty for what the
	// payloads of this package have.
	Mark string
	// Gzip asks for the compressed form, which is counted and not undone.
	Gzip bool
	// Patience is how long the server may take to answer all; 0 for no limit.
	Patience time.Duration
}

// check refuses what cannot be counted.
func (o Options) check() error {
	if len(o.Mark) > maxMark {
		return fmt.Errorf("loadgen: check mark: it has %d bytes, and at most %d are looked for", len(o.Mark), maxMark)
	}
	return nil
}

// Totals is what the clients that read have got since the last Reset.
type Totals struct {
	// Events and Bytes over all clients. Compressed events are not counted.
	Events, Bytes uint64
	// Least and Most are what the clients with the fewest and the most events
	// have got.
	Least, Most uint64
	// Closed is how many the server has disconnected.
	Closed int
	// P50 and P99 are how long events took, measured on the first of each read.
	P50, P99 time.Duration
}
