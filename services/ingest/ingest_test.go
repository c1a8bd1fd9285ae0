package ingest_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/services/ingest"
)

// running is a service that runs in a test.
type running struct {
	env    service.Env
	reg    *prometheus.Registry
	stop   context.CancelFunc
	ended  chan struct{}
	failed error
}

// start runs a service until the test ends or stop is called.
func start(tb testing.TB, conn *bus.Conn, cfg ingest.Config) *running {
	tb.Helper()
	env := service.Nop()
	reg := prometheus.NewRegistry()
	env.Metrics = reg
	svc, err := ingest.New(cfg, conn, env)
	if err != nil {
		tb.Fatalf("New: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{env: env, reg: reg, stop: cancel, ended: make(chan struct{})}
	go func() {
		defer close(r.ended)
		r.failed = svc.Run(ctx)
	}()
	tb.Cleanup(func() { r.end(tb) })
	return r
}

// end stops the service and waits for it.
func (r *running) end(tb testing.TB) {
	tb.Helper()
	r.stop()
	select {
	case <-r.ended:
	case <-time.After(20 * time.Second):
		tb.Fatal("the service does not stop")
	}
	if r.failed != nil {
		tb.Errorf("Run: %v", r.failed)
	}
}

// value is a metric's value, summed over the series that have the labels.
func (r *running) value(tb testing.TB, name string, labels ...string) (sum float64) {
	tb.Helper()
	families, err := r.reg.Gather()
	if err != nil {
		tb.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "blipstream_ingest_"+name {
			continue
		}
		for _, m := range f.GetMetric() {
			text := m.String()
			match := true
			for _, l := range labels {
				match = match && strings.Contains(text, `"`+l+`"`)
			}
			if match {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}

// in reports whether a source is in a state.
func (r *running) in(tb testing.TB, source, state string) bool {
	tb.Helper()
	return r.value(tb, "state", source, state) == 1
}

// lines is n tweets, one a line, of about size bytes each.
func lines(n, size int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"id_str":"%d","text":"%s"}`+"\n", 1000+i, strings.Repeat("x", max(0, size-30)))
	}
	return b.String()
}

// write makes a file in the test's folder.
func write(tb testing.TB, text string) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "a.ndjson")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// raw is what RAW holds of a source, without the line ends.
func raw(tb testing.TB, conn *bus.Conn, source string) (items []string) {
	tb.Helper()
	for _, m := range bustest.ReadAll(tb, conn, feed.StreamRaw, feed.RawSubject(source)) {
		items = append(items, string(m.Data))
	}
	return items
}

func TestFileIntoRaw(t *testing.T) {
	t.Parallel()
	server := bustest.Start(t)
	conn := server.Conn(t, "ingest")
	text := lines(3000, 100)
	path := write(t, text)
	r := start(t, conn, ingest.Config{Sources: []string{"file:" + path + "#rec"}})
	bustest.WaitFor(t, "the file is read", func() bool { return r.in(t, "rec", "done") })

	stored := bustest.ReadAll(t, conn, feed.StreamRaw)
	if got := strings.Join(raw(t, conn, "rec"), "\n") + "\n"; got != text {
		t.Errorf("RAW holds %d items, not the file", len(stored))
	}
	first := stored[0]
	for _, h := range []string{feed.HeaderReceived, feed.HeaderTraceparent} {
		if first.Header.Get(h) == "" {
			t.Errorf("header %s is missing: %v", h, first.Header)
		}
	}
	if n := r.value(t, "stored_total", "rec"); n != 3000 {
		t.Errorf("stored_total = %v", n)
	}
	if failing := r.env.Health.Failing(); len(failing) > 0 {
		t.Errorf("not ready: %v", failing)
	}
	r.end(t)

	again := start(t, conn, ingest.Config{Sources: []string{"file:" + path + "#rec"}})
	bustest.WaitFor(t, "the second run ends", func() bool { return again.in(t, "rec", "done") })
	if n := again.value(t, "items_total", "rec"); n != 0 {
		t.Errorf("the second run read %v items again", n)
	}
}
