package enrich

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
)

const (
	// maxTrials is how often an item may be begun and not seen through. Once is
	// no proof: the process may have been killed just then, by somebody or by
	// another item.
	maxTrials = 3
	// trialRetry is when an item comes again of which it could not be written
	// down that it was begun.
	trialRetry = 30 * time.Second
)

// trials keep, beyond the end of a process, which items were begun and not seen
// through. The number of deliveries does not tell: it grows as well while EVENTS
// takes nothing, and with every restart meanwhile. So it only says whose trial
// is worth two writes. An item that ends the process, or never ends, is one
// whose trials never end; one that waits for the server has passed its own.
type trials struct {
	bucket *bus.Conn
	open   sync.Map // *bus.Delivery to the bus.Value that was written at its beginning
}

// begin notes that an item is begun; it returns how often it was before without
// being seen through.
func (t *trials) begin(ctx context.Context, d *bus.Delivery) (before uint64, err error) {
	had, err := t.bucket.GetValue(ctx, bus.BucketTrial, trialKey(d))
	if err != nil {
		return 0, fmt.Errorf("enrich: begin trial: %w", err)
	}
	before, _ = strconv.ParseUint(string(had.Data), 10, 64) // what is no number is none
	if before >= maxTrials {
		return before, nil
	}
	now := bus.Value{Data: strconv.AppendUint(nil, before+1, 10), Revision: had.Revision}
	if now.Revision, err = t.bucket.PutValue(ctx, bus.BucketTrial, trialKey(d), now); err != nil {
		return 0, fmt.Errorf("enrich: begin trial: %w", err)
	}
	t.open.Store(d, now)
	return before, nil
}

// pass notes that an item was seen through, if it was on trial.
func (t *trials) pass(ctx context.Context, d *bus.Delivery) error {
	v, ok := t.open.LoadAndDelete(d)
	begun, ok2 := v.(bus.Value)
	if !ok || !ok2 {
		return nil
	}
	begun.Data = []byte("0")
	if _, err := t.bucket.PutValue(ctx, bus.BucketTrial, trialKey(d), begun); err != nil {
		return fmt.Errorf("enrich: end trial: %w", err)
	}
	return nil
}

// trialKey names an item: a stream that is made anew has others at its sequences.
func trialKey(d *bus.Delivery) string { return stage + "." + position(&d.Stored) }

// try handles an item that was delivered suspiciously often.
func (l *line) try(d *bus.Delivery) {
	before, err := l.trials.begin(l.work, d)
	switch {
	case err != nil:
		l.log.Warn("item that was delivered often waits: it cannot be noted that it is begun",
			slog.Uint64("seq", d.Seq), slog.String("error", err.Error()))
		l.metrics.items.given.Inc()
		l.settled(d, d.Retry(trialRetry))
	case before >= maxTrials:
		l.bury(d, reasonDeliveries, errDeliveries)
	default:
		l.take(d)
	}
}

// suspect reports whether an item was delivered so often that it is on trial.
func (l *line) suspect(d *bus.Delivery) bool {
	return l.cfg.MaxDeliveries > 0 && d.Deliveries > l.cfg.MaxDeliveries
}

// seenThrough ends the trial of an item, if it is on one: what is left is
// sending, in which all items are alike.
func (l *line) seenThrough(d *bus.Delivery) {
	if !l.suspect(d) {
		return
	}
	if err := l.trials.pass(l.work, d); err != nil {
		l.log.Warn("item passed its trial, which could not be noted", slog.Uint64("seq", d.Seq), slog.String("error", err.Error()))
	}
}
