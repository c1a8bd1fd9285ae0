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
func (s *Service) serveEvents(w http.ResponseWriter, r *http.Request) {
	s.streams.Add(1)
	defer s.streams.Done()
	req, problem := sse.ParseRequest(r, time.Now())
	if problem != nil {
		s.refuse(w, r, "parameter", problem)
		return
	}
	if r.Method == http.MethodHead {
		streamHeaders(w.Header())
		return
	}
	addr := clientAddr(r, s.cfg.TrustForwarded)
	if reason, problem := s.limits.take(addr); problem != nil {
		s.refuse(w, r, reason, problem)
		return
	}
	s.metrics.clients.Inc()
	c := &client{s: s, req: req, leave: func() {
		s.limits.give(addr)
		s.metrics.clients.Dec()
	}}
	if problem := s.admit(r.Context(), c); problem != nil {
		c.leave()
		s.refuse(w, r, "starting", problem)
		return
	}
	c.serve(w, r)
}

// refuse answers with a problem.
func (s *Service) refuse(w http.ResponseWriter, r *http.Request, reason string, p *sse.Problem) {
	s.metrics.refused.WithLabelValues(reason).Inc()
	p.ServeHTTP(w, r)
}

// admit waits until the gateway can serve and finds where c starts.
func (s *Service) admit(ctx context.Context, c *client) *sse.Problem {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	select {
	case <-s.follower.warm:
	case <-s.closing:
		return unavailable(errStopping)
	case <-ctx.Done():
		return unavailable(errStarting)
	}
	start, err := s.locate(ctx, c.req)
	if err != nil {
		return unavailable(err)
	}
	c.start = start
	return nil
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
}

// locate finds where the stream that req asks for begins.
func (s *Service) locate(ctx context.Context, req sse.Request) (start, error) {
	switch {
	case req.Resume != nil:
		return s.locateID(ctx, *req.Resume)
	case !req.Since.IsZero():
		return s.locateTime(ctx, req.Since)
	default:
		return start{epoch: s.tail.State().Epoch, live: true}, nil
	}
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
		st.gaps = append(st.gaps, &feedv1.Gap{Reason: reasonRecreated})
		return s.bound(st), nil
	}
	st := start{epoch: state.Epoch, next: next, resumed: true}
	if next < first {
		st.skip(reasonTrimmed, first)
	}
	return s.bound(st), nil
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
	return s.bound(st), nil
}

// bound limits what is read from the stream for one client to its newest part.
func (s *Service) bound(st start) start {
	log := s.tail.State()
	most := uint64(s.cfg.MaxReplayEvents)
	if st.epoch == log.Epoch && log.Floor > st.next && log.Floor-st.next > most {
		st.skip(reasonCapped, log.Floor-most)
	}
	return st
}

// skip moves the start to sequence next and tells the gap.
func (st *start) skip(reason string, next uint64) {
	st.gaps = append(st.gaps, &feedv1.Gap{Reason: reason, FromSeq: st.next, ToSeq: next - 1, Count: next - st.next})
	st.next = next
}
