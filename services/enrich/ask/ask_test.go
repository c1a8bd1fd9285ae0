package ask_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/services/enrich/ask"
	"github.com/blipstream/blipstream/services/enrich/rules"
)

// wire is a service that answers as it is told to. It implements ask.Requester
// and ask.Observer.
type wire struct {
	mu       sync.Mutex
	answer   func(ctx context.Context) ([]byte, error)
	asked    int
	now, max int
	outcomes map[ask.Outcome]int
	breaker  []bool
}

// Request implements ask.Requester.
func (w *wire) Request(ctx context.Context, _ string, _ bus.Header, _ []byte) ([]byte, error) {
	w.mu.Lock()
	w.asked++
	w.now++
	w.max = max(w.max, w.now)
	answer := w.answer
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		w.now--
		w.mu.Unlock()
	}()
	return answer(ctx)
}

// Asked implements ask.Observer.
func (w *wire) Asked(_ string, o ask.Outcome, _ time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.outcomes[o]++
}

// BreakerChanged implements ask.Observer.
func (w *wire) BreakerChanged(_ string, open bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.breaker = append(w.breaker, open)
}

func (w *wire) answers(f func(ctx context.Context) ([]byte, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answer = f
}

func newWire() *wire { return &wire{outcomes: map[ask.Outcome]int{}} }

func nobody(context.Context) ([]byte, error) { return nil, bus.ErrNobody }
func sound(context.Context) ([]byte, error)  { return []byte("{}"), nil }
func never(ctx context.Context) ([]byte, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func mood(concurrency int) *rules.Service {
	return &rules.Service{Name: "mood", Subject: "mood", Timeout: time.Second, Concurrency: concurrency}
}

// once asks one question.
func once(t *testing.T, d *ask.Desk, s *rules.Service) error {
	t.Helper()
	ticket, err := d.Queue(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	_, err = ticket.Use(t.Context(), nil, nil)
	return err
}

func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		d, s := ask.NewDesk(w, w), mood(1)
		w.answers(nobody)
		for range 100 {
			if err := once(t, d, s); err == nil {
				t.Fatal("an answer of nobody")
			}
		}
		if w.asked != 10 || w.outcomes[ask.OutcomeOpen] != 90 {
			t.Errorf("asked %d times, kept back %d, want 10 and 90", w.asked, w.outcomes[ask.OutcomeOpen])
		}
		<-time.After(time.Second)
		if err := once(t, d, s); !errors.Is(err, bus.ErrNobody) || w.asked != 11 {
			t.Errorf("after a second: %v, asked %d times", err, w.asked)
		}
		<-time.After(time.Second) // the second wait is longer
		if err := once(t, d, s); !errors.Is(err, ask.ErrOpen) {
			t.Errorf("error %v, want that it is kept back", err)
		}
		w.answers(sound)
		<-time.After(time.Second)
		if err := errors.Join(once(t, d, s), once(t, d, s)); err != nil {
			t.Errorf("the service is back: %v", err)
		}
		if len(w.breaker) != 2 || !w.breaker[0] || w.breaker[1] {
			t.Errorf("told %v, want open and closed", w.breaker)
		}
	})
}

// Questions that were on their way when the breaker opened fail as well: they
// neither lengthen its wait nor let a second question find out.
func TestStragglersSayNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 64
		w := newWire()
		d, s := ask.NewDesk(w, w), mood(n)
		w.answers(never)
		fail := func(questions int) {
			var all sync.WaitGroup
			for range questions {
				all.Go(func() { _ = once(t, d, s) })
			}
			all.Wait()
		}
		fail(n)
		if w.asked != n {
			t.Fatalf("asked %d times at once, want %d", w.asked, n)
		}
		<-time.After(time.Second)
		fail(n)
		if w.asked != n+1 || w.outcomes[ask.OutcomeOpen] != n-1 {
			t.Errorf("%d found out after a second, %d were kept back; want 1 and %d", w.asked-n, w.outcomes[ask.OutcomeOpen], n-1)
		}
		w.answers(sound)
		<-time.After(2 * time.Second)
		if err := once(t, d, s); err != nil {
			t.Errorf("two seconds later: %v", err)
		}
	})
}

// A service that says that it failed is there.
func TestServiceErrorsOpenNothing(t *testing.T) {
	w := newWire()
	d, s := ask.NewDesk(w, w), mood(1)
	w.answers(func(context.Context) ([]byte, error) { return nil, bus.ErrService })
	for range 50 {
		_ = once(t, d, s)
	}
	if w.asked != 50 {
		t.Errorf("asked %d times, want 50", w.asked)
	}
}

func TestConcurrencyAndDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		d, s := ask.NewDesk(w, w), mood(2)
		w.answers(never)
		began := time.Now()
		var all sync.WaitGroup
		for range 10 { // 2 are open and 8 wait
			ticket, err := d.Queue(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			all.Go(func() {
				if _, err := ticket.Use(t.Context(), nil, nil); err == nil {
					t.Error("an answer of one who never answers")
				}
			})
		}
		full, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		if _, err := d.Queue(full, s); err == nil {
			t.Error("the eleventh has a place")
		}
		all.Wait()
		if w.max != 2 || time.Since(began) != 5*time.Second || w.outcomes[ask.OutcomeTimeout] != 10 {
			t.Errorf("%d at a time, %s, %v; want 2 and 5s", w.max, time.Since(began), w.outcomes)
		}
		ticket, err := d.Queue(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		ticket.Cancel()
	})
}

// Two rules that ask the same two services the other way round, as before and
// after a reload, never wait for each other.
func TestLanesInOneOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const places = 5 // one that asks, four that wait
		w := newWire()
		w.answers(sound)
		d := ask.NewDesk(w, w)
		a, b := mood(1), mood(1)
		a.Name, b.Name = "a", "b"
		full := func(s *rules.Service) (free func()) {
			var had []ask.Ticket
			for range places {
				ticket, err := d.Queue(t.Context(), s)
				if err != nil {
					t.Fatal(err)
				}
				had = append(had, ticket)
			}
			return func() {
				for _, ticket := range had {
					ticket.Cancel()
				}
				synctest.Wait()
			}
		}
		freeA, freeB := full(a), full(b)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var all sync.WaitGroup
		for i := range 2 * places {
			order := []*rules.Service{a, b}
			if i >= places {
				order = []*rules.Service{b, a}
			}
			all.Go(func() { both(ctx, t, d, order) })
		}
		synctest.Wait()
		freeA()
		freeB()
		all.Wait()
	})
}

// both asks two services of one item.
func both(ctx context.Context, t *testing.T, d *ask.Desk, of []*rules.Service) {
	t.Helper()
	tickets, err := d.QueueAll(ctx, of)
	if err != nil {
		t.Errorf("no place: %v", err)
		return
	}
	for i, ticket := range tickets {
		if _, err := ticket.Use(ctx, nil, nil); err != nil {
			t.Errorf("%s: %v", of[i].Name, err)
		}
	}
}
