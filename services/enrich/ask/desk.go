package ask

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/services/enrich/rules"
)

// Requester asks on a subject; *bus.Conn is one.
type Requester interface {
	Request(ctx context.Context, subject string, header bus.Header, data []byte) ([]byte, error)
}

// Observer hears how questions went. It may be called by several goroutines.
type Observer interface {
	// Asked is told how a question to a service went, and how long it took
	// without its wait for a slot.
	Asked(service string, outcome Outcome, took time.Duration)
	// BreakerChanged is told when a service is no longer asked, and when again.
	BreakerChanged(service string, open bool)
}

// Outcome says how a question went.
type Outcome string

// How a question may go.
const (
	OutcomeAnswered Outcome = "answered"
	OutcomeTimeout  Outcome = "timeout"
	OutcomeNobody   Outcome = "nobody"
	OutcomeFailed   Outcome = "failed"
	// OutcomeOpen is a question that was not sent, because the breaker is open.
	OutcomeOpen Outcome = "open"
)

// ErrOpen is told of a question that was not sent, because the service keeps failing.
var ErrOpen = errors.New("the service keeps failing and is not asked for a while")

// waitingPerSlot is how many questions wait for each that is open. Together
// with the bound on a rule's timeout (5 s) it keeps an item below the 30 s
// after which the server hands it to another replica.
const waitingPerSlot = 4

// Desk has questions answered. Safe for concurrent use.
type Desk struct {
	requester Requester
	observer  Observer

	mu    sync.Mutex
	lanes map[laneKey]*lane
}

// laneKey is what a lane depends on: rules that are loaded again keep theirs.
type laneKey struct {
	name, subject string
	concurrency   int
}

// lane is one service. queue holds those who ask and those who wait for that.
type lane struct {
	queue, slots chan struct{}
	breaker      breaker
}

// NewDesk makes a desk.
func NewDesk(r Requester, o Observer) *Desk {
	return &Desk{requester: r, observer: o, lanes: map[laneKey]*lane{}}
}

// lane finds or makes the lane of a service.
func (d *Desk) lane(s *rules.Service) *lane {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := laneKey{s.Name, s.Subject, s.Concurrency}
	l := d.lanes[key]
	if l == nil {
		l = &lane{
			queue: make(chan struct{}, (1+waitingPerSlot)*s.Concurrency),
			slots: make(chan struct{}, s.Concurrency),
		}
		d.lanes[key] = l
	}
	return l
}

// Ticket is a place in a lane. Use must be called once.
type Ticket struct {
	desk    *Desk
	lane    *lane
	service *rules.Service
}

// Queue waits for a place in the lane of a service, as long as ctx allows.
func (d *Desk) Queue(ctx context.Context, s *rules.Service) (Ticket, error) {
	t := Ticket{d, d.lane(s), s}
	select {
	case t.lane.queue <- struct{}{}:
		return t, nil
	case <-ctx.Done():
		return t, fmt.Errorf("ask: wait for %s: %w", s.Name, context.Cause(ctx))
	}
}

// QueueAll is Queue for all services of an item; the tickets are in the order of
// of. Everybody waits for the lanes in the same order, whatever that of their
// rules: else those who have a place in one lane and those who have one in another
// could wait for each other for ever, around a reload that puts rules in another
// order.
func (d *Desk) QueueAll(ctx context.Context, of []*rules.Service) ([]Ticket, error) {
	order := make([]int, len(of))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(of[a].Name, of[b].Name) })
	tickets := make([]Ticket, len(of))
	for n, i := range order {
		var err error
		if tickets[i], err = d.Queue(ctx, of[i]); err != nil {
			for _, had := range order[:n] {
				tickets[had].Cancel()
			}
			return nil, err
		}
	}
	return tickets, nil
}

// Cancel gives the place back instead of using it.
func (t Ticket) Cancel() { <-t.lane.queue }

// Use sends the question and returns the answer.
func (t Ticket) Use(ctx context.Context, header bus.Header, question []byte) ([]byte, error) {
	defer func() { <-t.lane.queue }()
	select {
	case t.lane.slots <- struct{}{}:
		defer func() { <-t.lane.slots }()
	case <-ctx.Done():
		return nil, fmt.Errorf("ask: wait for %s: %w", t.service.Name, context.Cause(ctx))
	}
	allowed, ok := t.lane.breaker.allow(time.Now())
	if !ok {
		t.desk.observer.Asked(t.service.Name, OutcomeOpen, 0)
		return nil, fmt.Errorf("ask: %s: %w", t.service.Name, ErrOpen)
	}
	return t.send(ctx, allowed, header, question)
}

// send asks, and draws the conclusions.
func (t Ticket) send(ctx context.Context, allowed pass, header bus.Header, question []byte) ([]byte, error) {
	bounded, cancel := context.WithTimeout(ctx, t.service.Timeout)
	defer cancel()
	began := time.Now()
	answer, err := t.desk.requester.Request(bounded, t.service.Subject, header, question)
	now := time.Now()
	if err != nil && ctx.Err() != nil {
		t.lane.breaker.forget(allowed) // we are asked to stop: that says nothing of the service
		return nil, err
	}
	outcome := outcomeOf(err)
	t.desk.observer.Asked(t.service.Name, outcome, now.Sub(began))
	// A service that says it failed is there, and the next item may be better.
	healthy := outcome == OutcomeAnswered || outcome == OutcomeFailed && errors.Is(err, bus.ErrService)
	if changed, open := t.lane.breaker.result(allowed, now, healthy); changed {
		t.desk.observer.BreakerChanged(t.service.Name, open)
	}
	return answer, err
}

func outcomeOf(err error) Outcome {
	switch {
	case err == nil:
		return OutcomeAnswered
	case errors.Is(err, bus.ErrNobody):
		return OutcomeNobody
	case errors.Is(err, context.DeadlineExceeded):
		return OutcomeTimeout
	default:
		return OutcomeFailed
	}
}
