package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/usage"
)

// SteadyOptions say how a source is read for a while.
type SteadyOptions struct {
	// Source is the source's URL, of an upstream that sends Items items of Bytes
	// bytes or so, as many a second as there are to it, and then none.
	Source string
	Items  uint64
	Bytes  int
	// For is how long that takes at the upstream's pace.
	For time.Duration
	// ServerCPU and ServerMemory are the CPU time that the server has used and
	// the bytes that it holds; nil if unknown.
	ServerCPU    func() time.Duration
	ServerMemory func() int64
	// Log receives the log lines of what is measured.
	Log *slog.Logger
}

// Moment is how things stood at some time.
type Moment struct {
	// At is how long the source had been read by then.
	At time.Duration
	// Stored is how many items were stored.
	Stored float64
	// Own and Server are the memory of this process and of the server, in bytes.
	Own, Server int64
}

// SteadyReport is what Steady measured.
type SteadyReport struct {
	SteadyOptions
	Moments []Moment
	// Read is how many items came, InRaw how many messages are in RAW.
	Read  float64
	InRaw uint64
	// OwnCPU and UsedByServer are the CPU time for an item.
	OwnCPU, UsedByServer time.Duration
}

// String is the report as a table.
func (r SteadyReport) String() string {
	const mib = 1 << 20
	var b strings.Builder
	fmt.Fprintf(&b, "%d items in %v, %.0f a second\n\n", r.Items, r.For, float64(r.Items)/r.For.Seconds())
	fmt.Fprintf(&b, "  %8s %10s %16s %16s\n", "after", "stored", "ingest holds MiB", "server holds MiB")
	for _, m := range r.Moments {
		fmt.Fprintf(&b, "  %8s %10.0f %16.1f %16.1f\n", m.At.Round(time.Second), m.Stored, float64(m.Own)/mib, float64(m.Server)/mib)
	}
	fmt.Fprintf(&b, "\n  sent %d, read %.0f, in RAW %d, missing %d\n", r.Items, r.Read, r.InRaw, int64(r.Items)-int64(r.InRaw))
	fmt.Fprintf(&b, "  CPU an item: ingest %s µs, server %s µs\n", micros(r.OwnCPU), micros(r.UsedByServer))
	return b.String()
}

// steadyMarks is how often it is looked, in parts of the time.
const steadyMarks = 6

// drainLimit bounds how long the last items may take to be stored.
const drainLimit = 30 * time.Second

// Steady reads a source into RAW on a server that nobody else uses, and looks at
// the memory of this process now and then.
func Steady(ctx context.Context, server string, o SteadyOptions) (SteadyReport, error) {
	r := SteadyReport{SteadyOptions: o}
	l := layout(int64(o.Items), int64(o.Bytes))
	conn, err := bus.Connect(bus.Options{URL: server, Name: "bench", Log: o.Log, Layout: &l})
	if err != nil {
		return r, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // what was measured is known
	if err := conn.Ensure(ctx, l); err != nil {
		return r, err
	}
	own, theirs := usage.CPU(), known(o.ServerCPU)
	reader, err := read(ctx, conn, o.Source, o.Log)
	if err != nil {
		return r, err
	}
	err = errors.Join(r.watch(ctx, reader), reader.stop())
	r.OwnCPU, r.UsedByServer = (usage.CPU()-own)/time.Duration(o.Items), (known(o.ServerCPU)-theirs)/time.Duration(o.Items)
	if err != nil {
		return r, err
	}
	state, err := conn.Stream(ctx, feed.StreamRaw)
	r.InRaw = state.Messages
	return r, err
}

// known is what f says, nothing without one.
func known[T int64 | time.Duration](f func() T) (value T) {
	if f != nil {
		value = f()
	}
	return value
}

// watch looks at the marks, and waits for the last items.
func (r *SteadyReport) watch(ctx context.Context, in *reader) error {
	began := time.Now()
	tick := time.NewTicker(r.For / steadyMarks)
	defer tick.Stop()
	for range steadyMarks {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		n, err := in.stored()
		if err != nil {
			return err
		}
		r.Moments = append(r.Moments, Moment{time.Since(began), n, usage.Resident(), known(r.ServerMemory)})
	}
	ctx, cancel := context.WithTimeout(ctx, drainLimit)
	defer cancel()
	err := in.await(ctx, float64(r.Items))
	if errors.Is(err, context.DeadlineExceeded) {
		err = nil // the report says what is missing
	}
	var unread error
	r.Read, unread = in.value("blipstream_ingest_items_total")
	return errors.Join(err, unread)
}
