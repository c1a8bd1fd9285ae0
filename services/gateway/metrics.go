package gateway

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
	"github.com/blipstream/blipstream/services/gateway/tail"
)

// metrics are the gateway's collectors, blipstream_gateway_*.
type metrics struct {
	clients   prometheus.Gauge
	events    *prometheus.CounterVec // kind
	invalid   prometheus.Counter
	sent      prometheus.Counter
	sentBytes prometheus.Counter
	gaps      *prometheus.CounterVec // reason
	missed    *prometheus.CounterVec // reason
	slow      *prometheus.CounterVec // outcome
	stalled   prometheus.Gauge
	replays   *prometheus.CounterVec // outcome
	replaying prometheus.Gauge
	refused   *prometheus.CounterVec // reason
	views     prometheus.Gauge
	thinned   prometheus.Counter
	removed   prometheus.Counter
	pacing    prometheus.Gauge
	backlog   prometheus.Gauge
	keys      *prometheus.CounterVec // outcome
}

// newMetrics makes and registers the collectors; log is asked for its state
// whenever the metrics are read.
func newMetrics(reg prometheus.Registerer, log *tail.Tail, gone *removals) (*metrics, error) {
	m := &metrics{
		clients:   prometheus.NewGauge(gaugeOpts("clients", "Open streams.")),
		events:    newCounters("events_total", "Events read from the stream.", "kind"),
		invalid:   prometheus.NewCounter(counterOpts("invalid_total", "Messages in the stream that are no events and were not sent.")),
		sent:      prometheus.NewCounter(counterOpts("sent_events_total", "Events, or compressed blocks of them, written, counted per client.")),
		sentBytes: prometheus.NewCounter(counterOpts("sent_bytes_total", "Bytes of streams written, over all clients.")),
		gaps:      newCounters("gaps_total", "Gaps told, counted per client or, for what all clients are told, per log of theirs.", "reason"),
		missed:    newCounters("missed_events_total", "Events that gaps stood for, where their number is known, counted as the gaps are.", "reason"),
		slow:      newCounters("slow_total", "Clients that did not read: skipped (fell out of the memory) or cut (disconnected).", "outcome"),
		stalled:   prometheus.NewGauge(gaugeOpts("stalled_clients", "Clients of the writers whose socket has no room for what there is.")),
		replays:   newCounters("replays_total", "Histories read from the stream for a client.", "outcome"),
		replaying: prometheus.NewGauge(gaugeOpts("replays", "Histories being read now.")),
		refused:   newCounters("refused_total", "Streams and requests refused.", "reason"),
		views:     prometheus.NewGauge(gaugeOpts("views", "Different filters served, each as it is and compressed.")),
		thinned:   prometheus.NewCounter(counterOpts("thinned_events_total", "Events left out by a rate, counted per filter.")),
		removed:   prometheus.NewCounter(counterOpts("removed_events_total", "Events not served since their post was removed upstream.")),
		pacing:    prometheus.NewGauge(gaugeOpts("paced_replays", "Histories being replayed at a pace now.")),
		backlog:   prometheus.NewGauge(gaugeOpts("enrich_backlog", "Raw items that are not made events yet; NaN where that cannot be asked.")),
		keys:      newCounters("sign_in_keys_total", "Readings of the published keys of sign-in.", "outcome"),
	}
	all := []prometheus.Collector{
		m.clients, m.events, m.invalid, m.sent, m.sentBytes, m.gaps, m.missed, m.slow, m.replays, m.replaying, m.refused,
		m.stalled, m.views, m.thinned, m.removed, m.pacing, m.backlog, m.keys,
		prometheus.NewGaugeFunc(gaugeOpts("removals", "Removals that are remembered."),
			func() float64 { return float64(gone.count()) }),
		prometheus.NewGaugeFunc(gaugeOpts("removals_from_seq", "Sequence from which on all removals are known, and history is served."),
			func() float64 { return float64(gone.trusted()) }),
		ringGauge("ring_bytes", "Memory the newest events take.", log, func(s tail.State) float64 { return float64(s.Bytes) }),
		ringGauge("ring_first_seq", "Oldest sequence in memory.", log, func(s tail.State) float64 { return float64(s.Floor) }),
		ringGauge("ring_last_seq", "Newest sequence in memory.", log, func(s tail.State) float64 { return float64(s.Next) - 1 }),
	}
	for _, c := range all {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("gateway: register metrics: %w", err)
		}
	}
	// A rate over time sees a first burst only where it begins at 0.
	for _, reason := range []string{reasonTrimmed, reasonSlow, reasonCapped, reasonRecreated, reasonBacklog} {
		m.gaps.WithLabelValues(reason)
		m.missed.WithLabelValues(reason)
	}
	return m, nil
}

// tell counts a gap that clients are told.
func (m *metrics) tell(gap *feedv1.Gap) {
	m.gaps.WithLabelValues(gap.GetReason()).Inc()
	m.missed.WithLabelValues(gap.GetReason()).Add(float64(gap.GetCount()))
}

const (
	namespace = "blipstream"
	subsystem = "gateway"
)

func gaugeOpts(name, help string) prometheus.GaugeOpts {
	return prometheus.GaugeOpts{Namespace: namespace, Subsystem: subsystem, Name: name, Help: help}
}

func counterOpts(name, help string) prometheus.CounterOpts {
	return prometheus.CounterOpts{Namespace: namespace, Subsystem: subsystem, Name: name, Help: help}
}

func newCounters(name, help, label string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(counterOpts(name, help), []string{label})
}

// ringGauge is a gauge of the log's state.
func ringGauge(name, help string, log *tail.Tail, value func(tail.State) float64) prometheus.Collector {
	return prometheus.NewGaugeFunc(gaugeOpts(name, help), func() float64 { return value(log.State()) })
}
