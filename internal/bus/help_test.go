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
func admin(t testing.TB, srv *bustest.Server) jetstream.JetStream {
	t.Helper()
	nc, err := nats.Connect(srv.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

func deleteStream(t testing.TB, srv *bustest.Server, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := admin(t, srv).DeleteStream(ctx, name); err != nil {
		t.Fatal(err)
	}
}

// trim has RAW's limits remove all but the newest messages.
func trim(t testing.TB, srv *bustest.Server, keep int64) {
	t.Helper()
	js := admin(t, srv)
	s, err := js.Stream(context.Background(), feed.StreamRaw)
	if err != nil {
		t.Fatal(err)
	}
	if keep == 0 {
		if err := s.Purge(context.Background()); err != nil {
			t.Fatal(err)
		}
		return
	}
	cfg := s.CachedInfo().Config
	cfg.MaxMsgs = keep
	if _, err := js.UpdateStream(context.Background(), cfg); err != nil {
		t.Fatal(err)
	}
}

// value reads a counter or gauge.
func value(t testing.TB, m prometheus.Metric) float64 {
	t.Helper()
	var out dto.Metric
	if err := m.Write(&out); err != nil {
		t.Fatal(err)
	}
	if out.Gauge != nil {
		return out.Gauge.GetValue()
	}
	return out.Counter.GetValue()
}
