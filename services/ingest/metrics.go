package ingest

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the collectors of all sources of a service.
type metrics struct {
	items, bytes, stored, missed, rejected, reconnects, fenced, gaps *prometheus.CounterVec
	state, lastItem, retryAt, unstored, budget                       *prometheus.GaugeVec
}

// newMetrics makes and registers the collectors.
func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "blipstream", Subsystem: "ingest", Name: name, Help: help,
		}, append([]string{"source"}, labels...))
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: "blipstream", Subsystem: "ingest", Name: name, Help: help,
		}, append([]string{"source"}, labels...))
	}
	m := &metrics{
		items:      counter("items_total", "Items read from the source."),
		bytes:      counter("bytes_total", "Bytes of the items read from the source."),
		stored:     counter("stored_total", "Items of the source that a stream has stored, dead letters included."),
		missed:     counter("missed_total", "Items that the upstream says it held back."),
		rejected:   counter("rejected_total", "Items kept as dead letters, by reason.", "reason"),
		reconnects: counter("reconnects_total", "Connections that ended, by cause.", "cause"),
		fenced:     counter("fenced_total", "Times another process had claimed the source's cursor."),
		gaps:       counter("gaps_total", "Times items of the upstream may be missing that it does not send any more."),
		state:      gauge("state", "1 for the state the source is in, 0 for all others.", "state"),
		lastItem:   gauge("last_item_timestamp_seconds", "When the last item was read from the source."),
		retryAt:    gauge("retry_timestamp_seconds", "When the source connects again; 0 unless it backs off."),
		budget:     gauge("budget_items", "Items that the upstream charges for: used so far, and at most.", "what"),
		unstored:   gauge("unstored_items", "Items read from the source that are not stored yet."),
	}
	var errs []error
	for _, c := range []prometheus.Collector{
		m.items, m.bytes, m.stored, m.missed, m.rejected, m.reconnects, m.fenced, m.gaps, m.state, m.lastItem, m.retryAt, m.unstored, m.budget,
	} {
		errs = append(errs, reg.Register(c))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("ingest: register metrics: %w", err)
	}
	return m, nil
}

// sourceMetrics are the collectors of one source, looked up once.
type sourceMetrics struct {
	items, bytes, stored, missed, fenced, gaps prometheus.Counter
	lastItem, retryAt, unstored                prometheus.Gauge
	rejected, reconnects                       *prometheus.CounterVec
	state, budget                              *prometheus.GaugeVec
}

// of looks up a source's collectors, so that they are there from the start.
func (m *metrics) of(name string) sourceMetrics {
	label := prometheus.Labels{"source": name}
	return sourceMetrics{
		items: m.items.With(label), bytes: m.bytes.With(label), stored: m.stored.With(label),
		missed: m.missed.With(label), fenced: m.fenced.With(label), gaps: m.gaps.With(label),
		lastItem: m.lastItem.With(label), retryAt: m.retryAt.With(label), unstored: m.unstored.With(label),
		rejected: m.rejected.MustCurryWith(label), reconnects: m.reconnects.MustCurryWith(label),
		state: m.state.MustCurryWith(label), budget: m.budget.MustCurryWith(label),
	}
}
