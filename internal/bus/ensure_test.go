package bus_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
)

func TestEnsureByManyAtOnce(t *testing.T) {
	srv := bustest.Start(t)
	conns := make([]*bus.Conn, 4)
	for i := range conns {
		conns[i] = srv.Dial(t, bus.Options{Name: "ens"})
	}
	var wg sync.WaitGroup
	for range 3 {
		for i, c := range conns {
			wg.Go(func() {
				l := bustest.Layout()
				l.Raw.MaxBytes += int64(i) << 20 // they do not even agree
				if err := c.Ensure(t.Context(), l); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	js := admin(t, srv)
	s, err := js.Stream(t.Context(), feed.StreamRaw)
	if err != nil {
		t.Fatal(err)
	}
	cfg := s.CachedInfo().Config
	if cfg.MaxAge != 24*time.Hour || cfg.Duplicates != 10*time.Minute || !cfg.AllowDirect || cfg.MaxMsgSize != -1 ||
		cfg.Compression != jetstream.S2Compression || cfg.Discard != jetstream.DiscardOld {
		t.Errorf("RAW is %+v", cfg)
	}
	cons, err := js.Consumer(t.Context(), feed.StreamRaw, bus.DurableEnrich)
	if err != nil {
		t.Fatal(err)
	}
	ccfg := cons.CachedInfo().Config
	if ccfg.MaxDeliver != -1 || ccfg.AckWait != 30*time.Second || len(ccfg.BackOff) != 3 || ccfg.MaxAckPending != 20_000 {
		t.Errorf("enrich is %+v", ccfg)
	}
	for _, bucket := range []string{"lease", "cursor", "status"} {
		kv, err := js.KeyValue(t.Context(), bucket)
		if err != nil {
			t.Fatalf("bucket %s is not one to other clients: %v", bucket, err)
		}
		if _, err := kv.PutString(t.Context(), "some.key", "x"); err != nil {
			t.Error(err)
		}
	}
}

func TestEnsureChangesLimitsAndLeavesTheRest(t *testing.T) {
	srv := bustest.Start(t)
	c := srv.Conn(t, "ens")
	publishRaws(t, c, 0, 5)
	js := admin(t, srv)
	s, err := js.Stream(t.Context(), feed.StreamRaw)
	if err != nil {
		t.Fatal(err)
	}
	cfg := s.CachedInfo().Config
	cfg.Metadata = map[string]string{"owner": "ops"}
	if _, err := js.UpdateStream(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	l := bustest.Layout()
	l.Raw.MaxAge = time.Minute // below the dedupe window, which must shrink with it
	if err := c.Ensure(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	if s, err = js.Stream(t.Context(), feed.StreamRaw); err != nil {
		t.Fatal(err)
	}
	cfg = s.CachedInfo().Config
	if cfg.MaxAge != time.Minute || cfg.Duplicates != time.Minute || cfg.Metadata["owner"] != "ops" || s.CachedInfo().State.Msgs != 5 {
		t.Errorf("RAW is %+v", cfg)
	}
}

func TestEnsureRefusals(t *testing.T) {
	srv := bustest.Start(t, bustest.MaxStore(64<<20))
	c := srv.Dial(t, bus.Options{Name: "ens"})
	l := bustest.Layout()
	err := c.Ensure(t.Context(), l)
	if err == nil || !strings.Contains(err.Error(), "lower the limits") || strings.Contains(err.Error(), "\n") {
		t.Errorf("a store that is too small: %v", err)
	}
	bad := bustest.Layout()
	bad.Dead.MaxBytes = 0
	if err := c.Ensure(t.Context(), bad); err == nil || !strings.Contains(err.Error(), "DEAD") {
		t.Errorf("a stream without a bound: %v", err)
	}
	js := admin(t, srv)
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "MINE", Subjects: []string{"raw.mine"}}); err != nil {
		t.Fatal(err)
	}
	small := bustest.Layout()
	for _, lim := range []*bus.Limits{&small.Raw, &small.Events, &small.Replay, &small.Dead} {
		lim.MaxBytes = 1 << 20
	}
	if err := c.Ensure(t.Context(), small); err == nil || !strings.Contains(err.Error(), "another stream") {
		t.Errorf("overlapping subjects: %v", err)
	}
	small.Replicas = 3
	if err := c.Ensure(t.Context(), small); err == nil || !strings.Contains(err.Error(), "ask for one replica") {
		t.Errorf("three copies on one server: %v", err)
	}
}

func TestEnsureWaitsForTheServer(t *testing.T) {
	srv := bustest.New(t)
	c := srv.Dial(t, bus.Options{Name: "ens"})
	address := strings.TrimPrefix(srv.URL(), "nats://")
	bustest.WaitFor(t, "no attempt", func() bool { return strings.Contains(c.Ready().Error(), address) })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := c.Ensure(ctx, bustest.Layout()); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), address) {
		t.Errorf("without a server: %v, want its address", err)
	}
	done := make(chan error, 1)
	go func() { done <- c.Ensure(context.Background(), bustest.Layout()) }()
	srv.Start()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestPassing: what a server says of a stream that it cannot make, which of it
// is worth waiting for.
func TestPassing(t *testing.T) {
	for _, c := range []struct {
		code, errCode int
		text          string
		want          bool
	}{
		{400, 10005, "no suitable peers for placement, peer offline", true}, // one of three servers starts later
		{400, 10005, "no suitable peers for placement, insufficient storage", false},
		{400, 10005, "no suitable peers for placement", false},
		{503, 10008, "JetStream system temporarily unavailable", true},
		{400, 10052, "stream configuration is wrong", false},
	} {
		err := &jetstream.APIError{Code: c.code, ErrorCode: jetstream.ErrorCode(c.errCode), Description: c.text}
		if got := bus.Passing(fmt.Errorf("ensure: %w", err)); got != c.want {
			t.Errorf("%s: %v", c.text, got)
		}
	}
}

func TestConnectRefusals(t *testing.T) {
	for _, o := range []bus.Options{
		{Name: "x", URL: "nats://user:secret@host:port"},
		{Name: "x", URL: "http://127.0.0.1:4222"},
		{Name: "x", URL: "nats://"},
		{Name: "x", URL: "nats://ok:4222,nats://%zz"},
		{Name: "x", URL: ""},
		{Name: "two words", URL: "nats://127.0.0.1:4222"},
		{Name: "x", URL: "nats://127.0.0.1:4222", Layout: &bus.Layout{}},
	} {
		c, err := bus.Connect(o)
		if err == nil {
			bustest.Close(c)
			t.Errorf("%q %q is taken", o.Name, o.URL)
			continue
		}
		if strings.ContainsAny(err.Error(), "\r\n") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: error %q", o.URL, err)
		}
	}
}

func TestConnectAcceptsWhatNATSDoes(t *testing.T) {
	for _, u := range []string{"127.0.0.1:1", "localhost", "nats://a:1,b:2", "tls://u:p@h:1", "nats://[::1]:1"} {
		c, err := bus.Connect(bus.Options{Name: "x", URL: u})
		if err != nil {
			t.Errorf("%q: %v", u, err)
			continue
		}
		bustest.Close(c)
	}
}

func TestTwoConnsShareARegistry(t *testing.T) {
	srv := bustest.Start(t)
	reg := prometheus.NewRegistry()
	for _, name := range []string{"a", "b", "a"} {
		c := srv.Dial(t, bus.Options{Name: name, Metrics: reg})
		bustest.WaitFor(t, "connection", func() bool { return c.Ready() == nil })
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "blipstream_bus_connected" {
			if len(f.GetMetric()) != 2 || f.GetMetric()[0].GetGauge().GetValue() != 1 {
				t.Errorf("connected: %v", f.GetMetric())
			}
			return
		}
	}
	t.Error("blipstream_bus_connected is missing")
}

func TestInProcess(t *testing.T) {
	srv := bustest.Start(t)
	layout := bustest.Layout()
	c := srv.Dial(t, bus.Options{Name: "inproc", InProcess: srv, Layout: &layout})
	bustest.WaitFor(t, "connection", func() bool { return c.Ready() == nil })
	srv.Restart()
	publishRaws(t, c, 0, 10)
	if s, err := c.Stream(t.Context(), feed.StreamRaw); err != nil || s.LastSeq != 10 || s.FirstSeq != 1 || s.Messages != 10 {
		t.Errorf("state %+v, %v", s, err)
	}
}

func TestReadyAfterRefusedPermission(t *testing.T) {
	srv := bustest.Start(t, bustest.DenyPublish("raw.>"))
	c := srv.Dial(t, bus.Options{Name: "denied"})
	bustest.WaitFor(t, "connection", func() bool { return c.Ready() == nil })
	p := newPublisher(t, c, bus.PublisherOptions{})
	if err := p.Publish(t.Context(), []bus.Msg{rawMsg(1)}, func(error) {}); err != nil {
		t.Fatal(err)
	}
	bustest.WaitFor(t, "not ready", func() bool { return c.Ready() != nil })
}
