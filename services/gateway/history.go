package gateway

import (
	"context"
	"math"
	"time"

	"github.com/blipstream/blipstream/services/gateway/filter"
	"github.com/blipstream/blipstream/services/gateway/live"
	"github.com/blipstream/blipstream/services/gateway/sse"
	"github.com/blipstream/blipstream/services/gateway/stats"
	"github.com/blipstream/blipstream/services/gateway/tail"
)

const (
	// liveHistory is how many events a client of /live is told of that it
	// missed; of more it is told a gap, since nobody reads them.
	liveHistory = 2000
	// historyPosts is how many of their posts it is shown.
	historyPosts = 50
	// historySeconds is how many seconds' worth of its rate a client gets of
	// the history.
	historySeconds = 5
	// joinTimeout is how long a log that is made from another may take to come
	// as far as that. It takes a tenth of a second.
	joinTimeout = 5 * time.Second
	// joinLook is how often it is looked at.
	joinLook = 10 * time.Millisecond
)

// history chooses, for one client, among events of the past: what it asked for
// and what has not been removed.
type history struct {
	selection
	facts  filter.Facts
	memory *filter.Memory
	// ring reads the log of all events up to where the client's reader begins.
	ring *tail.Reader
	// thin is set for a client with a rate, frames for one of /live. ration is
	// set where that is shown as it comes, in frames as those of the present.
	thin   *thinner
	frames *live.Framer
	ration *ration
	// book counts, for a client of /live, what a replay at a pace has passed.
	book    *stats.Book
	scratch [][]byte
}

// begin prepares for c's history.
func (h *history) begin(c *client) {
	h.selection = selection{live: c.isLive, kinds: c.req.Kinds, filter: c.req.Filter, rate: c.req.Rate}
	h.remember()
	switch {
	case c.isLive:
		h.frames = live.NewFramer()
		for _, e := range c.start.removed {
			h.frames.Remove(e.kind, e.payload, e.facts)
		}
		if c.req.Speed > 0 || c.req.Run != "" && c.req.Rate > 0 {
			h.ration = &ration{c.req.Rate, 1}
		}
	case c.req.Rate > 0:
		h.thin = newThinner(c.req.Rate, c.s.removals.seed)
		switch {
		case c.req.Speed > 0: // it is thinned as it comes
		case c.req.Run != "":
			h.thinAtOnce(float64(c.start.last+1) - float64(c.start.next))
		default:
			h.thinAtOnce(float64(c.s.tail.State().Next) - float64(c.start.next))
		}
	}
}

// thinAtOnce has the thinner pass what some seconds bring, out of so many
// events that come at once. They are all that wait, the wanted and the others:
// who wants few of them is thinned more than need be, and told so.
func (h *history) thinAtOnce(waiting float64) {
	h.thin.credit = float64(h.rate) * historySeconds
	if waiting > h.thin.credit {
		h.thin.share = uint64(h.thin.credit / waiting * math.MaxUint64)
	}
}

// posts is how many posts the present frame shows.
func (h *history) posts() int {
	if h.ration == nil {
		return historyPosts
	}
	return h.ration.posts()
}

// remember prepares for finding words, which positions have from their posts.
func (h *history) remember() {
	if h.filter.OfPosts() {
		h.memory = filter.NewMemory()
	}
}

// offer takes an event of the past; true if it is to be sent as it is.
func (h *history) offer(s *Service, e *incoming) bool { return h.offerPost(s, e, h.posts()) }

// offerPost is offer with the number of posts that are shown.
func (h *history) offerPost(s *Service, e *incoming, most int) bool {
	h.facts.Read(e.payload)
	e.facts = &h.facts
	if h.memory != nil {
		h.memory.Join(s.removals.seed, e.facts)
	}
	if s.removals.gone(e.kind, e.facts) {
		s.metrics.removed.Inc()
		return false
	}
	if h.book != nil {
		h.book.Count(stats.Event{Kind: e.kind, Facts: e.facts, Stored: e.stored, Latency: -1})
	}
	switch {
	case !h.wants(e.kind, e.facts):
		return false
	case h.frames != nil:
		h.frames.Add(e.seq, e.kind, e.payload, e.facts, most)
		return false
	default:
		return h.thin == nil || h.thin.pass(e)
	}
}

// end adds what sums the history up. reached is the last sequence of it.
func (h *history) end(c *client, reached uint64) (err error) {
	if h.frames != nil && !h.frames.Empty() {
		c.buf = appendFrame(c.buf, sse.ID{Epoch: c.start.epoch, Seq: reached}, h.frames, time.Now())
	}
	err = c.addThinned()
	*h = history{}
	return err
}

// addThinned adds what the client's rate has left out of the history.
func (c *client) addThinned() (err error) {
	if c.history.thin == nil {
		return nil
	}
	told := c.history.thin.take()
	if told == nil {
		return nil
	}
	c.s.metrics.thinned.Add(float64(told.GetCount()))
	c.buf, err = sse.AppendThinned(c.buf, told)
	return err
}

// catchUp sends what the log of all events holds up to where the client's own
// log takes over.
func (c *client) catchUp(ctx context.Context) error {
	h := &c.history
	if h.ring == nil {
		return c.flush()
	}
	for done := false; !done; {
		end, err := c.await(ctx)
		if err != nil {
			return err
		}
		if done, err = c.drainRing(ctx, end); err != nil {
			return err
		}
	}
	if err := h.end(c, c.reader.Position()); err != nil {
		return err
	}
	return c.flush()
}

// await waits until the client's log has come as far as the client, and takes
// a reader of it; end is the sequence just before that. Where the log is of
// another stream by now, the present one is read to its end first.
func (c *client) await(ctx context.Context) (end uint64, err error) {
	limit := time.NewTimer(joinTimeout)
	defer limit.Stop()
	for {
		reader := c.log().Live(c.kinds())
		ring := c.history.ring
		if reader.Epoch() != ring.Epoch() {
			return math.MaxUint64, nil
		}
		if reader.Position() >= ring.Position() {
			c.reader = reader
			return reader.Position(), nil
		}
		look := time.NewTimer(joinLook)
		select {
		case <-look.C:
		case <-limit.C:
			return 0, errLeft
		case <-ctx.Done():
			return 0, c.left(ctx)
		case <-c.s.closing:
			return 0, c.byeLeft()
		}
	}
}

// byeLeft says bye to a client whose history is not over.
func (c *client) byeLeft() error {
	_ = c.bye(byeShutdown) // it ends either way
	return errLeft
}

// drainRing sends the log of all events up to sequence end; done is false if
// the log starts over before that.
func (c *client) drainRing(ctx context.Context, end uint64) (done bool, err error) {
	ring := c.history.ring
	for ring.Position() < end {
		changed, generation := ring.Tail().Changed(), ring.Generation()
		chunk, gap := ring.Next(c.history.scratch)
		switch {
		case gap != nil:
			c.buf, err = c.s.appendSlow(c.buf, ring, gap)
		case chunk.Bytes == 0 && ring.Position() >= end:
		case chunk.Bytes == 0:
			err = c.awaitRing(ctx, changed)
		default:
			c.history.scratch = chunk.Runs
			err = c.offerChunk(chunk, end)
		}
		if err != nil {
			return false, err
		}
		if ring.Generation() != generation {
			c.start.epoch = ring.Epoch()
			return false, nil
		}
	}
	return true, nil
}

// awaitRing sends what there is, and waits for more.
func (c *client) awaitRing(ctx context.Context, changed <-chan struct{}) error {
	if err := c.flush(); err != nil {
		return err
	}
	select {
	case <-changed:
		return nil
	case <-ctx.Done():
		return c.left(ctx)
	case <-c.s.closing:
		return c.byeLeft()
	}
}

// offerChunk sends what the client wants of a chunk, up to sequence end.
func (c *client) offerChunk(chunk tail.Chunk, end uint64) error {
	for e := range c.history.ring.Entries(chunk) {
		notice := e.Kind == ""
		if notice && e.Seq-1 > end || !notice && e.Seq > end {
			break
		}
		if notice || c.history.offer(c.s, &incoming{seq: e.Seq, kind: e.Kind, payload: sse.Data(e.Bytes)}) {
			c.buf = append(c.buf, e.Bytes...)
		}
		if len(c.buf) >= replayFlush {
			if err := c.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}
