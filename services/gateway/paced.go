package gateway

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/gateway/sse"
)

const (
	// paceTick is how often events that are due are sent: as a frame is.
	paceTick = frameTick
	// runPoll is how often a run is looked after that has no more events yet.
	runPoll = time.Second
)

// admitPaced takes a place for a replay at a pace, or of a run, which keeps a
// goroutine and asks the stream for as long as it lasts.
func (s *Service) admitPaced(ctx context.Context, c *client) (reason string, problem *sse.Problem) {
	select {
	case s.paced <- struct{}{}:
	default:
		return "paced", &sse.Problem{
			Status: http.StatusServiceUnavailable, Title: "Too many replays",
			Detail: "this gateway replays no more at once", RetryAfter: refusedRetry,
		}
	}
	s.metrics.pacing.Inc()
	c.endPace = sync.OnceFunc(func() {
		s.metrics.pacing.Dec()
		<-s.paced
	})
	c.onLeave(c.endPace)
	if c.req.Run == "" {
		return "", nil
	}
	first, err := s.conn.Range(ctx, feed.StreamReplay, 1, 1, feed.ReplaySubjects(c.req.Run))
	if err != nil {
		return "starting", unavailable(err)
	}
	if len(first) == 0 {
		return "parameter", &sse.Problem{
			Status: http.StatusNotFound, Title: "No such run",
			Detail: "there are no events of a run of that name", Parameter: sse.ParamRun,
		}
	}
	return "", nil
}

// locateRun finds where to begin in a run: at its first event, or behind the
// last one the client has had.
func (s *Service) locateRun(ctx context.Context, req sse.Request) (start, error) {
	state, err := s.conn.Stream(ctx, feed.StreamReplay)
	if err != nil {
		return start{}, err
	}
	st := start{epoch: state.Epoch, next: max(state.FirstSeq, 1), first: state.FirstSeq, last: state.LastSeq}
	if req.Resume == nil {
		return st, nil
	}
	if st.resumed = req.Resume.Epoch == state.Epoch; !st.resumed {
		st.gap(reasonRecreated)
	} else {
		st.next = req.Resume.Seq + 1 // what the stream lost is told as it is found
	}
	return st, nil
}

// pacer replays one client's history as it went, faster by its speed. Its
// clock begins with the first event.
type pacer struct {
	c     *client
	batch []bus.Stored
	// first is the oldest sequence the stream held when batch was read.
	first uint64
	// origin is when the first event was stored, began when it was sent here.
	origin, began time.Time
	polled, beat  time.Time
	// ticks counts the turns.
	ticks int
	past  pastStats
}

// newPacer makes one for a client whose history has begun.
func newPacer(c *client, now time.Time) *pacer {
	p := &pacer{c: c, beat: now}
	if told, ok := p.clock(now); ok {
		p.past.begin(p, told)
	}
	return p
}

// paced reports whether the client's history comes at a pace.
func (c *client) paced() bool { return c.req.Speed > 0 || c.req.Run != "" }

// pace sends history at a pace until it has come to the present; a run has no
// present, and goes on until the client leaves.
func (c *client) pace(ctx context.Context) error {
	defer c.endPace()
	defer func() { c.history.book = nil }() // the present has its own
	p := newPacer(c, time.Now())
	ticker := time.NewTicker(paceTick)
	defer ticker.Stop()
	for {
		done, err := p.step(ctx, time.Now())
		if err == nil && !done {
			err = p.turn(ctx, time.Now())
		}
		if err != nil || done {
			return err
		}
		select {
		case <-ticker.C:
		case <-c.s.closing:
			return c.byeLeft()
		case <-ctx.Done():
			return c.left(ctx)
		}
	}
}

// step sends what is due; done says that the present is reached.
func (p *pacer) step(ctx context.Context, now time.Time) (done bool, err error) {
	for !done {
		if len(p.batch) == 0 {
			if done, err = p.fetch(ctx, now); err != nil || len(p.batch) == 0 {
				break
			}
		}
		if !p.due(p.batch[0].Time, now) {
			break
		}
		if err = p.c.sendStored(&p.batch[0], p.first); err != nil {
			return false, err
		}
		p.batch = p.batch[1:]
	}
	if err == nil {
		err = p.flush(now)
	}
	return done, err
}

// due reports whether an event of that time is to be sent by now.
func (p *pacer) due(at, now time.Time) bool {
	if p.c.req.Speed == 0 {
		return true
	}
	if p.origin.IsZero() {
		p.origin, p.began = at, now
		p.past.begin(p, at)
	}
	return float64(at.Sub(p.origin)) <= float64(now.Sub(p.began))*p.c.req.Speed
}

// fetch reads on. Where there is no more, the present is reached, or the run
// has to be waited for.
func (p *pacer) fetch(ctx context.Context, now time.Time) (done bool, err error) {
	c := p.c
	if c.req.Run != "" && now.Sub(p.polled) < runPoll {
		return false, nil
	}
	batch, state, err := c.fetch(ctx)
	if err != nil {
		c.historyFailed(ctx, err)
		return false, err
	}
	if state.Epoch != c.start.epoch {
		p.origin = time.Time{}
		return false, c.otherStream(state)
	}
	p.batch, p.first = batch, state.FirstSeq
	if len(batch) == 0 {
		p.polled = now
	}
	return len(batch) == 0 && c.req.Run == "", nil
}

// clock is the time that is replayed; ok is false before that is known. A run
// without a pace comes as fast as it can, and has no other clock than ours.
func (p *pacer) clock(now time.Time) (told time.Time, ok bool) {
	switch {
	case p.c.req.Speed == 0:
		return now, true
	case p.origin.IsZero():
		return now, false
	default:
		return p.origin.Add(time.Duration(float64(now.Sub(p.began)) * p.c.req.Speed)), true
	}
}

// turn moves a client's rate on, and adds what is told each second. It is sent
// with the next turn.
func (p *pacer) turn(ctx context.Context, now time.Time) error {
	if p.c.history.thin != nil {
		p.c.history.thin.tick()
	}
	p.past.readBack(ctx, p)
	if p.ticks++; p.ticks%framesPerSecond != 1 {
		return nil
	}
	if err := p.c.addThinned(); err != nil {
		return err
	}
	return p.past.tell(p, now)
}

// flush sends what was collected; a heartbeat if there was nothing for long.
func (p *pacer) flush(now time.Time) error {
	c := p.c
	if r := c.history.ration; r != nil {
		r.spend(c.history.frames.Shown())
		r.tick()
	}
	if f := c.history.frames; f != nil && !f.Empty() {
		told, _ := p.clock(now)
		c.buf = appendFrame(c.buf, c.at(), f, told)
	}
	if len(c.buf) > 0 {
		p.beat = now
	} else if now.Sub(p.beat) >= c.s.cfg.Heartbeat {
		p.beat = now
		c.buf = sse.AppendHB(c.buf, c.at(), now)
	}
	return c.flush()
}
