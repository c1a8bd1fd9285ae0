package bus_test

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
)

// admin is a plain client, to do what an operator might.
func admin(tb testing.TB, srv *bustest.Server, opts ...jetstream.JetStreamOpt) jetstream.JetStream {
	tb.Helper()
	nc, err := nats.Connect(srv.URL())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(nc.Close)
	js, err := jetstream.New(nc, opts...)
	if err != nil {
		tb.Fatal(err)
	}
	return js
}

func deleteStream(tb testing.TB, srv *bustest.Server, name string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := admin(tb, srv).DeleteStream(ctx, name); err != nil {
		tb.Fatal(err)
	}
}

// trim has RAW's limits remove all but the newest messages.
func trim(tb testing.TB, srv *bustest.Server, keep int64) {
	tb.Helper()
	js := admin(tb, srv)
	s, err := js.Stream(context.Background(), feed.StreamRaw)
	if err != nil {
		tb.Fatal(err)
	}
	if keep == 0 {
		if err := s.Purge(context.Background()); err != nil {
			tb.Fatal(err)
		}
		return
	}
	cfg := s.CachedInfo().Config
	cfg.MaxMsgs = keep
	if _, err := js.UpdateStream(context.Background(), cfg); err != nil {
		tb.Fatal(err)
	}
}

// value reads a counter or gauge.
func value(tb testing.TB, m prometheus.Metric) float64 {
	tb.Helper()
	var out dto.Metric
	if err := m.Write(&out); err != nil {
		tb.Fatal(err)
	}
	if out.Gauge != nil {
		return out.Gauge.GetValue()
	}
	return out.Counter.GetValue()
}
