package gateway

import (
	"context"
	"errors"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/feed"
	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
	"github.com/blipstream/blipstream/services/gateway/tail"
)

const (
	// replayBatch is how many messages are asked of the stream at once.
	replayBatch = 500
	// replayFlush is the size from which collected history is sent.
	replayFlush = 64 << 10
	// replayWait is how long a client waits for others to finish reading.
	replayWait = 15 * time.Second
	// replayPause is the wait for the log where it has not come as far as the
	// stream.
	replayPause = 50 * time.Millisecond
	// replayTimeout bounds a replay; whoever reads so slowly that it takes
	// longer is sent away, and goes on from where it was when it returns.
	replayTimeout = 2 * time.Minute
)

// The outcomes of a replay.
const (
	replayJoined = "joined" // went over to the live events
	replayFailed = "failed" // the stream could not be read
	replayBusy   = "busy"   // too many others; the rest was told as a gap
	replayLeft   = "left"   // the client or the gateway left
)

var errLeft = errors.New("gateway: send history: the stream ended")

// replay sends the events from c.start on, out of the stream as far as the log
// does not reach back, and leaves c.reader behind them.
func (c *client) replay(ctx context.Context) error {
	if c.join() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, replayTimeout)
	defer cancel()
	outcome, err := c.replayOutcome(ctx)
	c.s.metrics.replays.WithLabelValues(outcome).Inc()
	if outcome == replayFailed {
		c.historyFailed(ctx, err)
	}
	return err
}

// replayOutcome waits for a place and reads the history.
func (c *client) replayOutcome(ctx context.Context) (string, error) {
	wait := time.NewTimer(replayWait)
	defer wait.Stop()
	select {
	case c.s.replays <- struct{}{}:
	case <-wait.C:
		return replayBusy, c.giveUp()
	case <-c.s.closing:
		return replayLeft, c.byeLeft()
	case <-ctx.Done():
		return replayLeft, c.left(ctx)
	}
	c.s.metrics.replaying.Inc()
	defer func() {
		c.s.metrics.replaying.Dec()
		<-c.s.replays
	}()
	return c.readHistory(ctx)
}

// readHistory reads batch after batch until the log has what comes next. The
// stream may lose its oldest messages meanwhile: after each batch it is asked
// what it still has, and what a batch lacks below that is told as a gap.
func (c *client) readHistory(ctx context.Context) (string, error) {
	for served := 0; !c.join(); {
		select {
		case <-c.s.closing:
			return replayLeft, c.byeLeft()
		default:
		}
		// A log that moves on faster than we read must not be chased for ever.
		if served > 2*c.s.cfg.MaxReplayEvents {
			return replayJoined, c.giveUp()
		}
		before := c.s.tail.State()
		batch, state, err := c.fetch(ctx)
		switch {
		case err != nil:
			return replayFailed, err
		case state.Epoch != c.start.epoch:
			err = c.otherStream(state)
		case len(batch) == 0:
			err = c.nothing(ctx, before, state.FirstSeq)
		default:
			err = c.sendBatch(batch, state.FirstSeq)
		}
		if err != nil {
			return replayLeft, err
		}
		served += len(batch)
	}
	return replayJoined, nil
}

// nothing handles an empty batch: of what the log had copied from the stream
// before it was asked, the client wants nothing more.
func (c *client) nothing(ctx context.Context, before tail.State, first uint64) error {
	if err := c.lost(first); err != nil {
		return err
	}
	if before.Epoch == c.start.epoch {
		c.start.next = max(c.start.next, before.Next)
	} else {
		c.pause(ctx)
	}
	return c.flush()
}

// join finds what comes next in memory: in the client's own log, where that can
// be sent as it is, else in the log of all events.
func (c *client) join() bool {
	if !c.isLive && !c.zip.on && c.req.Rate == 0 && !c.s.removals.since(c.start.next) {
		if reader, ok := c.log().From(c.start.epoch, c.start.next, c.req.Kinds); ok {
			c.reader = reader
			return true
		}
	}
	var kinds []string
	if !c.isLive {
		kinds = c.req.Kinds
	}
	ring, ok := c.s.tail.From(c.start.epoch, c.start.next, kinds)
	if ok {
		c.history.ring = ring
	}
	return ok
}

// giveUp leaves out what the log does not hold, and tells it.
func (c *client) giveUp() error {
	for !c.join() {
		log := c.s.tail.State()
		if log.Epoch != c.start.epoch {
			c.start.epoch, c.start.next = log.Epoch, log.Floor
			if err := c.addGap(&feedv1.Gap{Reason: reasonRecreated}); err != nil {
				return err
			}
			continue
		}
		gap := &feedv1.Gap{Reason: reasonCapped, FromSeq: c.start.next, ToSeq: log.Floor - 1, Count: log.Floor - c.start.next}
		c.start.next = log.Floor
		if err := c.addGap(gap); err != nil {
			return err
		}
	}
	return c.flush()
}

// fetch reads a batch from the stream, and then what the stream holds.
func (c *client) fetch(ctx context.Context) ([]bus.Stored, bus.StreamState, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	stream, subjects := c.source()
	batch, err := c.s.conn.Range(ctx, stream, c.start.next, replayBatch, subjects...)
	if err != nil {
		return nil, bus.StreamState{}, err
	}
	state, err := c.s.conn.Stream(ctx, stream)
	return batch, state, err
}

// source is where the history is: the stream, and which of its subjects. The
// stream filters by one subject at a time.
func (c *client) source() (stream string, subjects []string) {
	switch {
	case c.req.Run != "":
		return feed.StreamReplay, []string{feed.ReplaySubjects(c.req.Run)}
	case len(c.req.Kinds) == 1 && !c.isLive:
		return feed.StreamEvents, []string{feed.EventSubject(feed.Kind(c.req.Kinds[0]))}
	default:
		return feed.StreamEvents, nil
	}
}

// otherStream goes over to a stream that was made anew meanwhile.
func (c *client) otherStream(state bus.StreamState) error {
	c.start.epoch, c.start.next = state.Epoch, max(state.FirstSeq, 1)
	return c.addGap(&feedv1.Gap{Reason: reasonRecreated})
}

// sendBatch sends the messages the client wants. first is the oldest sequence
// the stream held after they were read.
func (c *client) sendBatch(batch []bus.Stored, first uint64) error {
	for i := range batch {
		if err := c.sendStored(&batch[i], first); err != nil {
			return err
		}
	}
	return c.flush()
}

// sendStored sends a message that the client wants, together with others.
func (c *client) sendStored(m *bus.Stored, first uint64) error {
	if err := c.lost(min(m.Seq, first)); err != nil {
		return err
	}
	c.start.next = m.Seq + 1
	c.offerStored(m)
	if len(c.buf) < replayFlush {
		return nil
	}
	return c.flush()
}

// offerStored adds a message of the stream, if the client wants it.
func (c *client) offerStored(m *bus.Stored) {
	kind := feed.KindOf(m.Subject)
	if !kind.Valid() || len(m.Data) == 0 {
		return
	}
	if c.history.offer(c.s, &incoming{seq: m.Seq, kind: string(kind), payload: m.Data, stored: m.Time}) {
		c.buf, _, _ = appendStored(c.buf, c.start.epoch, m)
	}
}

// lost tells that the stream dropped what lies before sequence next, if the
// client has not had it.
func (c *client) lost(next uint64) error {
	if next <= c.start.next {
		return nil
	}
	gap := &feedv1.Gap{Reason: reasonTrimmed, FromSeq: c.start.next, ToSeq: next - 1, Count: next - c.start.next}
	c.start.next = next
	return c.addGap(gap)
}

// pause waits a little for the log to find out that its stream is another one.
func (c *client) pause(ctx context.Context) {
	wait := time.NewTimer(replayPause)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-c.s.closing:
	case <-ctx.Done():
	}
}
