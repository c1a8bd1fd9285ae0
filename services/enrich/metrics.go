package enrich

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/service"
)

// metrics are the collectors of enrich, blipstream_enrich_*. Two replicas in
// one process share them.
type metrics struct {
	log     *slog.Logger
	items   itemCounters
	events  tally                  // kind
	dead    *prometheus.CounterVec // reason
	ignored *prometheus.CounterVec // what
	notices *prometheus.CounterVec // notice
	missed  *prometheus.GaugeVec   // source
	spent   tally                  // hydrator
	failed  *prometheus.CounterVec // hydrator
	lag     prometheus.Histogram
	backlog prometheus.Gauge
	names   *prometheus.CounterVec // outcome
	dropped prometheus.Counter
	panics  atomic.Uint64
	rules   ruleMetrics
	ask     askMetrics
}

// itemCounters count items by outcome; each item ends in one of them.
type itemCounters struct {
	published, empty, notice, ignored, dead, given prometheus.Counter
}

// lagBuckets are in seconds: from what a quiet machine needs to the dedupe
// window, beyond which a redelivery would make an event twice.
func lagBuckets() []float64 {
	return []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 600}
}

func newMetrics(env service.Env) *metrics {
	r := service.Collectors{To: env.Metrics, Service: stage}
	items := r.Counters("items_total", "Raw items by outcome: published, empty (nothing to publish), notice, ignored, dead, given_back.", "outcome")
	m := &metrics{
		log: env.Log,
		items: itemCounters{
			published: items.WithLabelValues("published"), empty: items.WithLabelValues("empty"),
			notice: items.WithLabelValues("notice"), ignored: items.WithLabelValues("ignored"),
			dead: items.WithLabelValues("dead"), given: items.WithLabelValues("given_back"),
		},
		events:  newTally(r.Counters("events_total", "Events stored.", "kind")),
		dead:    r.Counters("dead_total", "Items put into DEAD; lost are those that not even DEAD takes.", "reason"),
		ignored: r.Counters("ignored_total", "Items that hold nothing, by what they are.", "what"),
		notices: r.Counters("notices_total", "Messages of upstreams about themselves.", "notice"),
		missed:  r.Gauges("upstream_missed_items", "Items the upstream says it withheld since it was connected.", "source"),
		spent:   newTally(r.Counters("hydrator_seconds_total", "Time spent in each hydrator.", "hydrator")),
		failed:  r.Counters("hydrator_panics_total", "Panics of each hydrator; the record was left as it was.", "hydrator"),
		lag: service.Collect(env.Metrics, prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: service.Namespace, Subsystem: stage, Name: "lag_seconds", Buckets: lagBuckets(),
			Help: "Time from the reception of an item until its events are stored.",
		})),
		names:   r.Counters("profiles_total", "Authors whose names were looked up, by outcome.", "outcome"),
		backlog: r.Gauges("backlog_items", "Raw items that waited behind the newest one taken.").WithLabelValues(),
		dropped: r.Counters("dropped_total", "Raw items that the stream's limits removed before they were read.").WithLabelValues(),
	}
	m.rules, m.ask = newRuleMetrics(r), newAskMetrics(env, r)
	for _, k := range feed.Kinds() {
		m.events.of(string(k)) // so that zero is seen as zero
	}
	return m
}

// tally is counters by one label, found faster than a vector finds them: they
// are counted for every item.
type tally struct {
	vec   *prometheus.CounterVec
	found *sync.Map // label to prometheus.Counter
}

func newTally(vec *prometheus.CounterVec) tally { return tally{vec, &sync.Map{}} }

// of is the counter of a label.
func (t tally) of(label string) prometheus.Counter {
	if c, ok := t.found.Load(label); ok {
		if c, ok := c.(prometheus.Counter); ok {
			return c
		}
	}
	c := t.vec.WithLabelValues(label)
	t.found.Store(label, c)
	return c
}

// Hydrated implements hydrate.Observer.
func (m *metrics) Hydrated(name string, took time.Duration, failure any) {
	m.spent.of(name).Add(took.Seconds())
	if failure == nil {
		return
	}
	m.failed.WithLabelValues(name).Inc()
	if m.panicked() {
		m.log.Error("hydrator panicked", slog.String("hydrator", name), slog.Any("panic", failure))
	}
}

// panicked counts a panic, and reports whether to log it: the first, and then
// ever fewer, since what panics on one item may panic on all.
func (m *metrics) panicked() bool {
	n := m.panics.Add(1)
	return n&(n-1) == 0
}

// stored counts the events of an item that was received then.
func (m *metrics) stored(events []bus.Msg, received time.Time) {
	m.items.published.Inc()
	for i := range events {
		m.events.of(string(feed.KindOf(events[i].Subject))).Inc()
	}
	m.lag.Observe(time.Since(received).Seconds())
}

// nothing counts an item that yields no event.
func (m *metrics) nothing(rec *feed.Record) {
	if rec.Change != feed.ChangeNotice {
		m.items.empty.Inc()
		return
	}
	m.items.notice.Inc()
	m.notices.WithLabelValues(rec.Notice).Inc()
	if rec.Notice == "limit" {
		m.missed.WithLabelValues(sourceLabel(rec.Source)).Set(float64(rec.Missed))
	}
}

// sourceLabel is a source as a label. What anybody has published on a subject of
// RAW may be called anything, and a label that is not UTF-8 panics.
func sourceLabel(source string) string {
	if !feed.ValidSource(source) {
		return "other"
	}
	return source
}

// ignoredItem counts an item that holds nothing.
func (m *metrics) ignoredItem(what string) {
	m.items.ignored.Inc()
	m.ignored.WithLabelValues(what).Inc()
}

// deadItem counts an item that was put aside.
func (m *metrics) deadItem(reason string) {
	m.items.dead.Inc()
	m.dead.WithLabelValues(reason).Inc()
}

// Profile implements profiles.Counter.
func (m *metrics) Profile(outcome string) { m.names.WithLabelValues(outcome).Inc() }

// droppedRange counts items that were removed before they were read. The bus
// has logged them.
func (m *metrics) droppedRange(from, to uint64) { m.dropped.Add(float64(to - from + 1)) }
