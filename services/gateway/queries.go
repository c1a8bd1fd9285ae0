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
	// queryWindow is the time that MaxQueriesPerAddr is for. Who has asked
	// nothing for as long has all of it again.
	queryWindow = time.Minute
	// maxAskers bounds the addresses that are remembered, at about 300 bytes
	// each; who was longest quiet is forgotten.
	maxAskers = 16384
)

// errQueries ends a query of an address that has had its share.
var errQueries = errors.New("this address asks too often")

// queries bounds how often an address asks for what is made for it alone: an
// address may ask as often at once as in a whole window, and then goes on at
// that rate.
type queries struct {
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

func newQueries(most int) *queries {
	return &queries{most: most, known: map[netip.Addr]*list.Element{}}
}

// take counts a query of addr. If it has had its share, that is not counted, and
// wait is how long it has to.
func (q *queries) take(addr netip.Addr, now time.Time) (wait time.Duration) {
	if q.most == 0 {
		return 0
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	one := q.asker(addr, now).left.ReserveN(now, 1)
	if wait = one.DelayFrom(now); wait > 0 {
		one.CancelAt(now)
	}
	return wait
}

// asker finds an address, and notes that it asks. It is called with mu held.
func (q *queries) asker(addr netip.Addr, now time.Time) *asker {
	e, ok := q.known[addr]
	if !ok {
		limit := rate.Limit(float64(q.most) / queryWindow.Seconds())
		e = q.order.PushBack(&asker{addr: addr, left: rate.NewLimiter(limit, q.most)})
		q.known[addr] = e
	}
	q.order.MoveToBack(e)
	askerOf(e).last = now
	q.forget(now)
	return askerOf(e)
}

// forget lets go of who has all of its share again, or is one too many. It is
// called with mu held.
func (q *queries) forget(now time.Time) {
	for {
		e := q.order.Front()
		if e == nil || now.Sub(askerOf(e).last) < queryWindow && q.order.Len() <= maxAskers {
			return
		}
		delete(q.known, askerOf(e).addr)
		q.order.Remove(e)
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
