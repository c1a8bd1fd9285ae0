package gateway

import (
	"container/list"
	"errors"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/blipstream/blipstream/services/gateway/sse"
)

const (
	// shareWindow is the time that a share is for.
	shareWindow = time.Minute
	// maxAskers bounds the addresses that are remembered, at about 300 bytes
	// each; who was longest quiet is forgotten.
	maxAskers = 16384
)

// errQueries ends a query of an address that has had its share.
var errQueries = errors.New("this address asks too often")

// shares bounds how often an address asks for something: it may ask as often at
// once as in a whole window, and then goes on at that rate. Who has asked nothing
// for a window has all of its share again.
type shares struct {
	most  int // in a window; 0 for any number
	mu    sync.Mutex
	known map[netip.Addr]*list.Element
	order list.List // of *asker, the longest quiet first
}

// asker is an address that has asked lately.
type asker struct {
	addr netip.Addr
	last time.Time
	left *rate.Limiter
}

func newShares(most int) *shares {
	return &shares{most: most, known: map[netip.Addr]*list.Element{}}
}

// take counts what addr asks. If it has had its share, that is not counted, and
// wait is how long it has to.
func (s *shares) take(addr netip.Addr, now time.Time) (wait time.Duration) {
	if s.most == 0 {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.asker(addr, now).left.ReserveN(now, 1)
	if wait = one.DelayFrom(now); wait > 0 {
		one.CancelAt(now)
	}
	return wait
}

// asker finds an address, and notes that it asks. It is called with mu held.
func (s *shares) asker(addr netip.Addr, now time.Time) *asker {
	e, ok := s.known[addr]
	if !ok {
		limit := rate.Limit(float64(s.most) / shareWindow.Seconds())
		e = s.order.PushBack(&asker{addr: addr, left: rate.NewLimiter(limit, s.most)})
		s.known[addr] = e
	}
	s.order.MoveToBack(e)
	askerOf(e).last = now
	s.forget(now)
	return askerOf(e)
}

// forget lets go of who has all of its share again, or is one too many. It is
// called with mu held.
func (s *shares) forget(now time.Time) {
	for {
		e := s.order.Front()
		if e == nil || now.Sub(askerOf(e).last) < shareWindow && s.order.Len() <= maxAskers {
			return
		}
		delete(s.known, askerOf(e).addr)
		s.order.Remove(e)
	}
}

// askerOf is the asker of an element.
func askerOf(e *list.Element) *asker {
	a, _ := e.Value.(*asker) // it holds no other
	return a
}

// overdrawn counts a query; the problem tells that there were too many.
func (s *Service) overdrawn(r *http.Request, now time.Time) *sse.Problem {
	wait := s.queries.take(clientAddr(r, s.cfg.TrustForwarded), now)
	if wait == 0 {
		return nil
	}
	return &sse.Problem{
		Status: http.StatusTooManyRequests, Title: "Too many requests",
		Detail: errQueries.Error(), RetryAfter: wait,
	}
}
