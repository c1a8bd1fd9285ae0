package enrich

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/decode"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/services/enrich/ask"
	"github.com/blipstream/blipstream/services/enrich/rules"
)

// reasonAsk is that of items whose question was not answered, where the rules
// ask for that.
const reasonAsk decode.Reason = "ask"

const (
	// firstRetry and lastRetry bound the growing delay before an item comes
	// again whose question was not answered.
	firstRetry = time.Second
	lastRetry  = time.Minute
	// maxParked is how many items of a process wait for that at a time. They
	// count against what the consumer hands out to all replicas (20,000), which
	// must not be used up by a service that is away; more go to DEAD, from
	// where they can be put back.
	maxParked = 2000
)

// asking is what a line keeps of the questions it has asked.
type asking struct {
	open   sync.WaitGroup
	parked atomic.Int64
}

// verdict is what becomes of an item after its questions.
type verdict struct {
	onError rules.OnError // the worst there was
	err     error
}

// note takes the failure of a question down: dead before retry before skip.
func (v *verdict) note(onError rules.OnError, err error) {
	if v.onError == "" || onError == rules.OnErrorDead || v.onError == rules.OnErrorSkip {
		v.onError, v.err = onError, err
	}
}

// ask has an item's questions answered, and settles the item then. It comes
// back as soon as they have a place in their lanes.
func (l *line) ask(d *bus.Delivery, out output) {
	tickets, err := l.desk.QueueAll(l.work, out.pending.Services())
	if err != nil {
		l.giveBack(d)
		return
	}
	l.asking.open.Go(func() {
		defer func() {
			if v := recover(); v != nil {
				l.reject(d, &panicError{value: v, at: panicSite()})
			}
		}()
		l.answered(d, l.collect(l.work, &d.Stored, out, tickets))
	})
}

// answers is what came of an item's questions.
type answers struct {
	output
	verdict
}

// collect asks all questions of an item, and adds the events of those that are
// answered.
func (s *Service) collect(ctx context.Context, m *bus.Stored, out output, tickets []ask.Ticket) *answers {
	a := &answers{output: out}
	got := make([][]byte, len(tickets))
	errs := make([]error, len(tickets))
	header := eventHeader(m)
	var all sync.WaitGroup
	for i, t := range tickets {
		all.Go(func() { got[i], errs[i] = t.Use(ctx, header, out.pending.Questions[i].Data) })
	}
	all.Wait()
	for i, q := range out.pending.Questions {
		err := errs[i]
		if err == nil {
			a.events, err = out.pending.Answered(i, got[i], a.events, s.metrics)
		}
		if err != nil {
			s.metrics.unanswered(out.pending.Kinds(i))
			a.note(q.Service.OnError, fmt.Errorf("enrich: ask %s: %w", q.Service.Name, err))
		}
	}
	return a
}

// answered settles an item whose questions have been asked.
func (l *line) answered(d *bus.Delivery, a *answers) {
	switch {
	case l.work.Err() != nil:
		l.giveBack(d)
	case a.onError == rules.OnErrorDead:
		l.bury(d, reasonAsk, a.err)
	case a.onError == rules.OnErrorRetry:
		l.park(d, a.err)
	default:
		l.finish(d, a.output)
	}
}

// park has an item come again later; none of its events is out yet. Where too
// many do so already, or it has often enough, it is put aside.
func (l *line) park(d *bus.Delivery, cause error) {
	l.seenThrough(d)
	if l.asking.parked.Add(1) > maxParked || l.suspect(d) {
		l.asking.parked.Add(-1)
		l.bury(d, reasonAsk, cause)
		return
	}
	delay := retryDelay(d.Deliveries)
	time.AfterFunc(delay, func() { l.asking.parked.Add(-1) })
	l.metrics.items.given.Inc()
	l.settled(d, d.Retry(delay))
}

// retryDelay doubles with every delivery.
func retryDelay(deliveries uint64) time.Duration {
	const doublings = 6 // beyond lastRetry
	return min(firstRetry<<min(max(deliveries, 1)-1, doublings), lastRetry)
}

// askMetrics are the collectors about questions.
type askMetrics struct {
	asked *prometheus.CounterVec // service, outcome
	took  *prometheus.HistogramVec
	open  *prometheus.GaugeVec   // service
	lost  *prometheus.CounterVec // kind
}

func newAskMetrics(env service.Env, r service.Collectors) askMetrics {
	return askMetrics{
		asked: r.Counters("asked_total", "Questions to services by outcome: answered, timeout, nobody, failed, open (not sent, the service keeps failing).", "service", "outcome"),
		took: service.Collect(env.Metrics, prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: service.Namespace, Subsystem: stage, Name: "ask_seconds", Help: "Time that a service took to answer.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
		}, []string{"service"})),
		open: r.Gauges("ask_breaker_open", "1 while a service keeps failing and is not asked.", "service"),
		lost: r.Counters("rule_unanswered_total", "Items for which a rule had no answer, whatever became of them.", "kind"),
	}
}

// Asked implements ask.Observer.
func (m *metrics) Asked(service string, outcome ask.Outcome, took time.Duration) {
	m.ask.asked.WithLabelValues(service, string(outcome)).Inc()
	if outcome == ask.OutcomeAnswered {
		m.ask.took.WithLabelValues(service).Observe(took.Seconds())
	}
}

// BreakerChanged implements ask.Observer.
func (m *metrics) BreakerChanged(service string, open bool) {
	if !open {
		m.ask.open.WithLabelValues(service).Set(0)
		m.log.Info("service answers again", slog.String("asked", service))
		return
	}
	m.ask.open.WithLabelValues(service).Set(1)
	m.log.Warn("service keeps failing and is not asked for a while", slog.String("asked", service))
}

// unanswered counts the rules that had no answer.
func (m *metrics) unanswered(kinds []feed.Kind) {
	for _, k := range kinds {
		m.ask.lost.WithLabelValues(string(k)).Inc()
	}
}

// settleAsked waits until all questions are answered or given up: the line's
// work context ends that.
func (l *line) settleAsked() { l.asking.open.Wait() }
