package gateway

import (
	"context"
	"log/slog"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/services/gateway/sse"
	"github.com/blipstream/blipstream/services/gateway/stats"
)

// maxReadBack is how many events from before a replay's beginning are counted,
// so that its windows do not begin empty.
const maxReadBack = 100_000

// pastStats are the statistics of a replay at a pace on /live: of the time that
// is replayed, as those of the present are of now. What was removed since then
// is not in them, as it is not in the replay.
type pastStats struct {
	// told is the replay's time of the last statistics with rates.
	told time.Time
	// before is the sequence that events are yet to be read back from; 0 if they
	// are not, or are enough.
	before uint64
	read   int
}

// begin begins to count at a time of the replay, its next event. A run has
// nothing before its first event.
func (t *pastStats) begin(p *pacer, at time.Time) {
	c := p.c
	if !c.isLive {
		return
	}
	c.history.book = stats.NewPastBook(at)
	*t = pastStats{told: at}
	if c.req.Run == "" {
		t.before = c.start.next
	}
}

// readBack counts one batch from before the beginning, the newest first: the
// shortest window is whole first.
func (t *pastStats) readBack(ctx context.Context, p *pacer) {
	if t.before == 0 {
		return
	}
	c := p.c
	from := max(p.first, c.s.removals.trusted()) // it never is 0
	if t.before <= from {
		t.before = 0
		return
	}
	from = max(from, t.before-min(t.before, pastBatch))
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	batch, err := c.s.conn.Range(ctx, feed.StreamEvents, from, int(t.before-from))
	if err != nil { // the windows stay marked as not complete
		c.s.log.Debug("count what was before a replay", slog.String("error", err.Error()))
		t.before = 0
		return
	}
	countBatch(c.history.book, batch, t.before, c.s.removals.gone)
	oldest := t.told
	if len(batch) > 0 && batch[0].Seq < t.before {
		oldest = batch[0].Time
		c.history.book.Complete(oldest)
	}
	t.before = from
	if t.read += pastBatch; t.read >= maxReadBack || t.told.Sub(oldest) > stats.Longest {
		t.before = 0
	}
}

// tell adds the statistics of the second replayed. How the line is at present
// is not of that time, and is left out.
func (t *pastStats) tell(p *pacer, now time.Time) (err error) {
	c := p.c
	told, ok := p.clock(now)
	if !ok || !c.isLive {
		return nil
	}
	book := c.history.book
	// The first statistics come at once, and have no second to judge rates by.
	if elapsed := told.Sub(t.told); p.ticks > 1 && elapsed > 0 {
		book.Tick(told, elapsed)
		t.told = told
	}
	m := book.Message(told)
	m.Version = service.Version()
	m.Clients = uint32(c.s.limits.count())
	m.LastSeq = c.at().Seq
	c.buf, err = sse.AppendStats(c.buf, stats.Limit(m, c.allowed.Kinds))
	return err
}
