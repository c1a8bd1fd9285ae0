package ingest

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blipstream/blipstream/internal/part"
	"github.com/blipstream/blipstream/services/ingest/source"
)

// TestStatusForOthersHoldsNoSecret follows a source through its states.
func TestStatusForOthersHoldsNoSecret(t *testing.T) {
	m, err := newMetrics(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	s := newStatus("x", slog.New(slog.DiscardHandler), m.of("x"))
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	refused := &source.Error{Cause: source.CauseRateLimited, Err: errors.New("GET https://user:secret@host/")}
	for _, step := range []struct {
		do   func()
		want part.Status
	}{
		{func() { s.set(stateStandby, nil) }, part.Status{}},
		{func() { s.set(stateConnecting, nil) }, part.Status{State: "connecting"}},
		{func() { s.set(stateBackoff, refused); s.waits(at) }, part.Status{State: "backoff", Detail: "rate_limited", RetryTime: at}},
		{func() { s.set(stateConnecting, refused) }, part.Status{State: "connecting", Detail: "rate_limited"}},
		{func() { s.live(); s.item.Store(at.UnixMilli()) }, part.Status{State: "live", ItemTime: at}},
		{func() { s.set(stateDone, nil) }, part.Status{State: "done", ItemTime: at}},
		{func() { s.reconnects.Add(3); s.missed.Add(5); s.gaps.Add(1) }, part.Status{State: "done", ItemTime: at, Reconnects: 3, Missed: 5, Gaps: 1}},
	} {
		step.do()
		if got := s.part(); got != step.want {
			t.Errorf("%+v, want %+v", got, step.want)
		}
	}
}

// TestGapsAreCounted: what a source says of gaps reaches the metric.
func TestGapsAreCounted(t *testing.T) {
	reg := prometheus.NewRegistry()
	m, err := newMetrics(reg)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	w := &worker{log: log, metrics: m.of("x"), status: newStatus("x", log, m.of("x"))}
	source.TellGap(w, source.Gap{Why: "the upstream keeps no more"})
	source.TellGap(source.Config{}.Observe(), source.Gap{}) // which does not want to know
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "blipstream_ingest_gaps_total" && f.GetMetric()[0].GetCounter().GetValue() == 1 {
			return
		}
	}
	t.Error("the gap is not in the metric")
}
