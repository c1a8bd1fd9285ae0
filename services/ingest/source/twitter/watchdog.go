package twitter

import (
	"context"
	"io"
	"time"

	"github.com/blipstream/blipstream/services/ingest/source"
)

// watchdog gives a connection up that was waited for too long. Time in which
// nobody waits for the upstream, because the bus takes no more, does not count.
type watchdog struct {
	after  time.Duration
	timer  *time.Timer
	cancel context.CancelCauseFunc
}

// newWatchdog makes a watchdog and the context that it ends.
func newWatchdog(ctx context.Context, after time.Duration) (*watchdog, context.Context) {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(after, func() { cancel(source.ErrStalled) })
	timer.Stop()
	return &watchdog{after, timer, cancel}, ctx
}

// watch starts the wait anew.
func (w *watchdog) watch() { w.timer.Reset(w.after) }

// rest ends the wait.
func (w *watchdog) rest() { w.timer.Stop() }

// stop ends the watchdog and its context.
func (w *watchdog) stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// watched is a reader whose reads a watchdog watches.
type watched struct {
	in  io.Reader
	dog *watchdog
}

// Read implements io.Reader.
func (w *watched) Read(p []byte) (int, error) {
	w.dog.watch()
	defer w.dog.rest()
	return w.in.Read(p)
}
