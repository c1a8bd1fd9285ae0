package gateway

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/blipstream/blipstream/internal/feed"
	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
	"github.com/blipstream/blipstream/services/gateway/sse"
)

const (
	// maxHistory is the longest window of /api/history.
	maxHistory = 7 * 24 * time.Hour
	// maxSteps is how many counts a history holds at most.
	maxSteps = 300
	// marksKept bounds how many marks are kept.
	marksKept = 10000
	// markSettled is after what time nothing is stored any more that would
	// belong before a mark.
	markSettled = 2 * time.Second
)

// marks knows which sequence came first at or after a time. How many events
// lie between two times is the difference: the stream itself is the index, as
// far back as it goes, and nothing has to be counted in advance.
type marks struct {
	mu    sync.Mutex
	epoch string
	seqs  map[int64]uint64 // by Unix seconds
}

// serveHistory answers GET /api/history.
func (s *Service) serveHistory(w http.ResponseWriter, r *http.Request) {
	if grantOf(r).Limited() { // the stream is counted, not its kinds
		s.refuse(w, r, "kinds", notAllowed("counts of all kinds", ""))
		return
	}
	st, problem := parseSteps(r)
	if problem != nil {
		s.refuse(w, r, "parameter", problem)
		return
	}
	if problem := s.overdrawn(r, time.Now()); problem != nil {
		s.refuse(w, r, "queries", problem)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), startTimeout)
	defer cancel()
	m, err := s.history(ctx, st, time.Now())
	if err != nil {
		s.refuse(w, r, "starting", unavailable(err))
		return
	}
	s.answer(w, r, m)
}

// history counts what was stored in each step up to now.
func (s *Service) history(ctx context.Context, st steps, now time.Time) (*feedv1.History, error) {
	s.marks.mu.Lock()
	defer s.marks.mu.Unlock()
	state, err := s.conn.Stream(ctx, feed.StreamEvents)
	if err != nil {
		return nil, err
	}
	if s.marks.epoch != state.Epoch || len(s.marks.seqs) > marksKept {
		s.marks.epoch, s.marks.seqs = state.Epoch, map[int64]uint64{}
	}
	last := now.Truncate(st.step)
	n := int(st.window / st.step)
	m := &feedv1.History{
		Epoch: state.Epoch, StepSeconds: uint32(st.step / time.Second),
		From: timestamppb.New(last.Add(-time.Duration(n-1) * st.step)),
	}
	at, err := s.mark(ctx, m.GetFrom().AsTime(), now)
	if err != nil {
		return nil, err
	}
	for i := n - 2; i >= 0; i-- {
		next, err := s.mark(ctx, last.Add(-time.Duration(i)*st.step), now)
		if err != nil {
			return nil, err
		}
		m.Counts = append(m.Counts, next-min(at, next))
		at = next
	}
	m.Counts = append(m.Counts, max(state.LastSeq+1, at)-at)
	return m, nil
}

// mark is the first sequence that was stored at or after a time.
func (s *Service) mark(ctx context.Context, at, now time.Time) (uint64, error) {
	if seq, ok := s.marks.seqs[at.Unix()]; ok {
		return seq, nil
	}
	seq, err := s.conn.SeqAt(ctx, feed.StreamEvents, at)
	if err == nil && now.Sub(at) > markSettled {
		s.marks.seqs[at.Unix()] = seq
	}
	return seq, err
}

// steps is what a request for a history asks for.
type steps struct {
	window, step time.Duration
}

// parseSteps reads window and step.
func parseSteps(r *http.Request) (steps, *sse.Problem) {
	st := steps{time.Hour, time.Minute}
	for name, values := range r.URL.Query() {
		var to *time.Duration
		switch name {
		case "window":
			to = &st.window
		case "step":
			to = &st.step
		default:
			return st, sse.BadParam(name, "is not a parameter of this resource; it knows window and step")
		}
		d, err := time.ParseDuration(values[0])
		if err != nil || len(values) != 1 || d < time.Second || d > maxHistory || d%time.Second != 0 {
			return st, sse.BadParam(name, "is a duration in whole seconds such as 60s or 2h, up to 168h")
		}
		*to = d
	}
	if st.window < st.step || st.window/st.step > maxSteps {
		return st, sse.BadParam("step", "divides window into 1 to "+strconv.Itoa(maxSteps)+" parts")
	}
	return st, nil
}
