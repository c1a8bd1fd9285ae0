//go:build unix

package gateway

import (
	"context"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/services/gateway/ssetest"
)

// envIdle is the variable that says for how long nothing happens.
const envIdle = "BLIPSTREAM_E2E_IDLE"

// ingressSettings are the annotations of the manifests' Ingress, as the
// directives that ingress-nginx makes of them.
func ingressSettings(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../deploy/k8s/components/ingress-nginx/ingress.yaml")
	if err != nil {
		t.Fatal(err)
	}
	form := regexp.MustCompile(`(?m)^\s*nginx\.ingress\.kubernetes\.io/([a-z-]+): "(.*)"$`)
	var b strings.Builder
	for _, m := range form.FindAllStringSubmatch(string(text), -1) {
		name, value := strings.ReplaceAll(m[1], "-", "_"), m[2]
		if strings.HasSuffix(name, "_timeout") {
			value += "s"
		}
		b.WriteString("      " + name + " " + value + ";\n")
	}
	if !strings.Contains(b.String(), "proxy_buffering off;") {
		t.Fatalf("the annotations say nothing of buffering:\n%s", b.String())
	}
	return b.String()
}

// TestIngressLetsStreamsLive: through nginx with the settings of the Ingress a
// stream begins at once, and lives while nothing but heartbeats comes.
func TestIngressLetsStreamsLive(t *testing.T) {
	t.Parallel() // it waits most of the time
	// Heartbeats come every ten seconds, unless the test is to be short.
	idle, heartbeat := 3*time.Second, time.Second
	if s := os.Getenv(envIdle); s != "" {
		var err error
		if idle, err = time.ParseDuration(s); err != nil {
			t.Fatalf("%s: %v", envIdle, err)
		}
		heartbeat = DefaultConfig().Heartbeat
	}
	w := newWorld(t, func(c *Config) { c.Heartbeat = heartbeat })
	addr := w.gateway.Addr()
	url := "http://" + startProxy(t, ingressSettings(t), addr, addr) + "/events"
	ctx, cancel := context.WithTimeout(t.Context(), idle+time.Minute)
	defer cancel()

	fastest := time.Hour
	var s *ssetest.Stream
	for range 20 { // the fastest: a busy machine makes single ones late
		began := time.Now()
		var err error
		if s, err = ssetest.Open(ctx, http.DefaultClient, url, nil); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		if e, err := s.Next(); err != nil || e.Name != "hello" {
			t.Fatalf("%v, %v, want hello", e, err)
		}
		fastest = min(fastest, time.Since(began))
	}
	t.Logf("the first event came after %v", fastest.Round(100*time.Microsecond))
	if fastest > 100*time.Millisecond {
		t.Errorf("the first event came after %v", fastest)
	}

	beats := 0
	for began := time.Now(); time.Since(began) < idle; beats++ {
		if e, err := s.Next(); err != nil || e.Name != "hb" {
			t.Fatalf("after %v: %v, %v, want a heartbeat", time.Since(began), e, err)
		}
	}
	w.publish(1, 10)
	if e := w.next(s); e.Name == "bye" {
		t.Errorf("%v after a silence", e)
	}
	t.Logf("%d heartbeats in %v, and then an event", beats, idle)
}
