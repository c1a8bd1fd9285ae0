package bench

import (
	"fmt"
	"strings"
	"time"
)

// Half is what one part of a measurement took; of several rounds the best.
type Half struct {
	// Rate is items stored a second.
	Rate float64
	// Own is the CPU time of this process for an item, Server that of the
	// server; 0 where it is not known.
	Own, Server time.Duration
}

// better takes over what was quicker and what was cheaper in another round.
func (h *Half) better(other Half) {
	if h.Rate == 0 {
		*h = other
		return
	}
	h.Rate, h.Own, h.Server = max(h.Rate, other.Rate), min(h.Own, other.Own), min(h.Server, other.Server)
}

// Report is what Run measured.
type Report struct {
	Options
	// Ingest reads from a connection, Bare publishes the same bytes, and Peer
	// is Options.Peer.
	Ingest, Bare, Peer Half
}

// String is the report as a table.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d items of %d bytes into a file stream, best of %d\n\n", r.Items, r.Bytes, r.Rounds)
	fmt.Fprintf(&b, "  %-22s %9s %8s %14s %14s\n", "", "items/s", "MB/s", "own CPU µs", "server CPU µs")
	r.line(&b, "ingest, from HTTP", r.Ingest)
	r.line(&b, "the publisher alone", r.Bare)
	fmt.Fprintf(&b, "  %-22s %9.2f\n", "ratio", r.Ingest.Rate/r.Bare.Rate)
	if r.Options.Peer != nil {
		r.line(&b, r.PeerName, r.Peer)
		fmt.Fprintf(&b, "  %-22s %9.2f\n", "ratio", r.Ingest.Rate/r.Peer.Rate)
	}
	return b.String()
}

func (r *Report) line(b *strings.Builder, name string, h Half) {
	fmt.Fprintf(b, "  %-22s %9.0f %8.0f %14s %14s\n", name, h.Rate, h.Rate*float64(r.Bytes)/1e6, micros(h.Own), micros(h.Server))
}

// micros is a duration in microseconds, - for one that is not known.
func micros(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f", float64(d.Nanoseconds())/1e3)
}
