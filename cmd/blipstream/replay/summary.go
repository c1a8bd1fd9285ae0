package replay

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"
)

// Summary is what a replay did.
type Summary struct {
	// From and To are the sequences of RAW that were asked for, Last the one
	// worked on last.
	From, To, Last uint64
	// Items were read; Bad of these would be dead letters, or come again.
	Items, Bad uint64
	// Events were stored, Known ones were there already, Refused are too large.
	Events, Known, Refused uint64
	// Missed items were removed by the limits of RAW before they were read.
	Missed uint64
	// Waiting items were left to enrich, which has not settled them yet. Beyond
	// are items of a time that EVENTS no longer reaches back to.
	Waiting, Beyond uint64
	// Dropped is how many of its messages the target's limits removed already.
	Dropped uint64
	// Took is how long the work took.
	Took time.Duration
	// Resume is where to begin to go on after an interruption or a failure; 0 if
	// nothing had begun.
	Resume uint64
	// Interrupted says that it was asked to stop before it was done.
	Interrupted bool
}

// String is the summary as a person reads it.
func (s Summary) String() string {
	var b strings.Builder
	rate := 0.0
	if s.Took > 0 {
		rate = float64(s.Items) / s.Took.Seconds()
	}
	fmt.Fprintf(&b, "%d items of RAW in %s (%.0f/s): %d events stored, %d were there already\n",
		s.Items, s.Took.Round(time.Millisecond), rate, s.Events, s.Known)
	for _, l := range []struct {
		n    uint64
		text string
	}{
		{s.Bad, "%d items yield nothing: they cannot be read, or a service that rules ask gave no answer\n"},
		{s.Refused, "%d events are larger than the server takes\n"},
		{s.Missed, "%d items were removed by the limits of RAW before they were read\n"},
		{s.Waiting, "%d items are left to enrich, which has not settled them yet\n"},
		{s.Beyond, "%d items are older than what EVENTS still holds; --refill takes them, too\n"},
		{s.Dropped, "%d of the first messages were dropped again: the stream's limits are too small (blipstream ensure)\n"},
	} {
		if l.n > 0 {
			fmt.Fprintf(&b, l.text, l.n)
		}
	}
	return b.String()
}

// meter tells how far it is.
type meter struct {
	out         io.Writer
	began, told time.Time
}

// tellEvery spaces the lines about progress.
const tellEvery = 2 * time.Second

func (m *meter) tell(j *job) {
	if m.out == nil || time.Since(m.began) < tellEvery || time.Since(m.told) < tellEvery {
		return
	}
	m.told = time.Now()
	spent := m.told.Sub(m.began)
	done := j.sum.Last + 1 - j.span.from
	left := time.Duration(float64(spent) / float64(done) * float64(j.span.size()-done))
	// A line that cannot be printed is no reason to stop.
	_, _ = fmt.Fprintf(m.out, "%d of %d (%.0f %%), %.0f items/s, %s left, %d events\n", done, j.span.size(),
		100*float64(done)/float64(j.span.size()), float64(j.sum.Items)/spent.Seconds(), left.Round(time.Second), j.stored.Load())
}

// pace lets items pass as fast as they came, or so many times as fast.
type pace struct {
	speed        float64
	first, began time.Time
}

// wait waits until what was stored then is due.
func (p *pace) wait(ctx context.Context, stored time.Time) error {
	if p.speed == 0 {
		return ctx.Err()
	}
	if p.began.IsZero() {
		p.first, p.began = stored, time.Now()
	}
	due := p.began.Add(time.Duration(float64(stored.Sub(p.first)) / p.speed))
	pause := time.NewTimer(time.Until(due))
	defer pause.Stop()
	select {
	case <-pause.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
