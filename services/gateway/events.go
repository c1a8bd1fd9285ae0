package gateway

import (
	"context"
	"net/http"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
	"github.com/blipstream/blipstream/services/gateway/sse"
)

// startTimeout is how long a client waits for a gateway that has just started,
// or has not reached NATS yet, before it is sent away.
const startTimeout = 5 * time.Second

// serveEvents answers GET /events.
func (s *Service) serveEvents(w http.ResponseWriter, r *http.Request) { s.serveStream(w, r, false) }

// serveLive answers GET /live.
func (s *Service) serveLive(w http.ResponseWriter, r *http.Request) { s.serveStream(w, r, true) }

// serveStream answers a request for a stream.
func (s *Service) serveStream(w http.ResponseWriter, r *http.Request, isLive bool) {
	s.streams.Add(1)
	defer s.streams.Done()
	req, problem := sse.ParseRequest(r, time.Now())
	if problem != nil {
		s.refuse(w, r, "parameter", problem)
		return
	}
	allowed := grantOf(r)
	if problem := choose(allowed, &req); problem != nil {
		s.refuse(w, r, "kinds", problem)
		return
	}
	if r.Method == http.MethodHead {
		streamHeaders(w.Header(), req.Gzip)
		return
	}
	addr := clientAddr(r, s.cfg.TrustForwarded)
	if reason, problem := s.limits.take(addr); problem != nil {
		s.refuse(w, r, reason, problem)
		return
	}
	s.metrics.clients.Inc()
	c := &client{s: s, req: req, addr: addr, isLive: isLive, allowed: allowed, leave: func() {
		s.limits.give(addr)
		s.metrics.clients.Dec()
	}}
	if reason, problem := s.admit(r.Context(), c); problem != nil {
		c.leave()
		s.refuse(w, r, reason, problem)
		return
	}
	c.serve(w, r)
}

// refuse answers with a problem.
func (s *Service) refuse(w http.ResponseWriter, r *http.Request, reason string, p *sse.Problem) {
	s.metrics.refused.WithLabelValues(reason).Inc()
	p.ServeHTTP(w, r)
}

// admit waits until the gateway can serve, and finds where c starts and what
// it is served.
func (s *Service) admit(ctx context.Context, c *client) (reason string, problem *sse.Problem) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	select {
	case <-s.follower.warm:
	case <-s.closing:
		return "starting", unavailable(errStopping)
	case <-ctx.Done():
		return "starting", unavailable(errStarting)
	}
	if c.paced() {
		if reason, problem := s.admitPaced(ctx, c); problem != nil {
			return reason, problem
		}
	}
	start, err := s.locate(ctx, c)
	if err != nil {
		return "starting", unavailable(err)
	}
	c.start = start
	if c.req.Run != "" {
		return "", nil // it never comes to the present
	}
	sel := selection{live: c.isLive, allowed: c.allowed.Kinds, kinds: c.req.Kinds, filter: c.req.Filter, rate: c.req.Rate}
	if c.view, problem = s.hub.acquire(sel, c.req.Gzip, c.addr); problem != nil {
		return "filters", problem
	}
	v := c.view // of c itself a client at rest holds nothing
	c.onLeave(func() { s.hub.release(v) })
	return "", nil
}

// onLeave has fn done when the client leaves.
func (c *client) onLeave(fn func()) {
	before := c.leave
	c.leave = func() {
		fn()
		before()
	}
}

// unavailable is the problem of a gateway that cannot serve for now.
func unavailable(err error) *sse.Problem {
	return &sse.Problem{
		Status: http.StatusServiceUnavailable, Title: "Not ready",
		Detail: err.Error(), RetryAfter: time.Second,
	}
}

// start is where a client's stream begins.
type start struct {
	epoch string
	// next is the first sequence to send. live means from now on, wherever
	// that is by the time the stream is opened.
	next    uint64
	live    bool
	resumed bool
	gaps    []*feedv1.Gap
	// first and last are what the stream of a run holds.
	first, last uint64
	// removed is what was removed in the gaps, for a client of /live, whose
	// page must take it down all the same.
	removed []incoming
}

// locate finds where the stream that c asks for begins.
func (s *Service) locate(ctx context.Context, c *client) (st start, err error) {
	switch req := c.req; {
	case req.Run != "":
		if err := s.removals.await(ctx, 1); err != nil { // its posts may be of any time
			return start{}, err
		}
		return s.locateRun(ctx, req)
	case req.Resume != nil:
		st, err = s.locateID(ctx, *req.Resume)
	case !req.Since.IsZero():
		st, err = s.locateTime(ctx, req.Since)
	default:
		return start{epoch: s.tail.State().Epoch, live: true}, nil
	}
	if err == nil {
		err = s.removals.await(ctx, s.earliest(st, c))
	}
	if err != nil {
		return st, err
	}
	return s.bound(st, c), nil
}

// locateID finds the event after id. An id the stream does not know, because
// it is of another stream or was never given out, is answered with all that
// the stream still holds: the client has had none of it.
func (s *Service) locateID(ctx context.Context, id sse.ID) (start, error) {
	log := s.tail.State()
	next := id.Seq + 1
	if id.Epoch == log.Epoch && next >= log.Floor && next <= log.Next {
		return start{epoch: log.Epoch, next: next, resumed: true}, nil
	}
	state, err := s.conn.Stream(ctx, feed.StreamEvents)
	if err != nil {
		return start{}, err
	}
	first := max(state.FirstSeq, 1)
	if id.Epoch != state.Epoch || next > state.LastSeq+1 {
		st := start{epoch: state.Epoch, next: first}
		st.gap(reasonRecreated)
		return st, nil
	}
	st := start{epoch: state.Epoch, next: next, resumed: true}
	if next < first {
		st.skip(reasonTrimmed, first)
	}
	return st, nil
}

// locateTime finds the first event stored at or after a time.
func (s *Service) locateTime(ctx context.Context, since time.Time) (start, error) {
	state, err := s.conn.Stream(ctx, feed.StreamEvents)
	if err != nil {
		return start{}, err
	}
	seq, err := s.conn.SeqAt(ctx, feed.StreamEvents, since)
	if err != nil {
		return start{}, err
	}
	first := max(state.FirstSeq, 1)
	st := start{epoch: state.Epoch, next: max(seq, first)}
	if st.next == first && first > 1 {
		// What was dropped may have been of the time asked for; how much of it
		// nobody knows.
		st.gaps = append(st.gaps, &feedv1.Gap{Reason: reasonTrimmed, ToSeq: first - 1})
	}
	return st, nil
}

// earliest is the first event of the past that c may be sent.
func (s *Service) earliest(st start, c *client) uint64 {
	log := s.tail.State()
	if c.isLive && c.req.Speed == 0 && st.epoch == log.Epoch {
		return max(st.next, log.Next-min(log.Next, liveHistory))
	}
	return st.next
}

// bound limits what is sent of the past for one client to its newest part.
func (s *Service) bound(st start, c *client) start {
	log := s.tail.State()
	if st.epoch != log.Epoch {
		return st
	}
	if trusted := s.removals.trusted(); st.next < trusted {
		st.skip(reasonCapped, trusted) // who knows what of it was removed
	}
	most := uint64(s.cfg.MaxReplayEvents)
	switch {
	case c.req.Speed > 0: // its pace is bound enough
	case c.isLive && log.Next > st.next+liveHistory:
		from := st.next
		st.skip(reasonCapped, log.Next-liveHistory)
		st.removed = s.removals.between(from, st.next-1)
	case log.Floor > st.next && log.Floor-st.next > most:
		st.skip(reasonCapped, log.Floor-most)
	}
	return st
}

// gap tells a gap of unknown length.
func (st *start) gap(reason string) {
	st.gaps = append(st.gaps, &feedv1.Gap{Reason: reason})
}

// skip moves the start to sequence next and tells the gap.
func (st *start) skip(reason string, next uint64) {
	st.gaps = append(st.gaps, &feedv1.Gap{Reason: reason, FromSeq: st.next, ToSeq: next - 1, Count: next - st.next})
	st.next = next
}
