package ingest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/services/ingest"
)

// push starts a service with webhooks and returns where they listen.
func push(t *testing.T, conn *bus.Conn, cfg ingest.Config) string {
	t.Helper()
	env := service.Nop()
	cfg.WebhookAddr = "127.0.0.1:0"
	svc, err := ingest.New(cfg, conn, env)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- svc.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	return "http://" + svc.WebhookAddr() + "/v1/ingest/"
}

// send posts a body and returns the status and the answer.
func send(t *testing.T, url, body string) (int, string) {
	t.Helper()
	resp, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(text))
}

// TestWebhook: what was answered with 202 is in RAW, once; two processes take
// items of one source at the same time.
func TestWebhook(t *testing.T) {
	t.Parallel()
	server := bustest.Start(t)
	conn := server.Conn(t, "a")
	a := push(t, conn, ingest.Config{Sources: []string{"webhook:#in", "webhook:#other"}})
	b := push(t, server.Conn(t, "b"), ingest.Config{Sources: []string{"webhook:#in"}})
	for i := range 20 {
		for _, at := range []string{a, b} { // the same item twice
			if status, answer := send(t, at+"in", fmt.Sprintf(`[{"id":"%d","body":"x"},{"id":"%d","body":"y"}]`, i, i)); status != 202 {
				t.Fatalf("%d %s", status, answer)
			}
			stored := raw(t, conn, "in")
			if len(stored) != 2*(i+1) {
				t.Fatalf("%d items in RAW after answer %d", len(stored), i)
			}
		}
	}
	if status, _ := send(t, a+"other", `{"body":"z"}`); status != 202 || !slices.Equal(raw(t, conn, "other"), []string{`{"body":"z"}`}) {
		t.Errorf("%d, RAW holds %q", status, raw(t, conn, "other"))
	}
	if status, _ := send(t, a+"nobody", `{"body":"z"}`); status != 404 {
		t.Errorf("an unknown source: %d", status)
	}
	large := `[{"body":"` + strings.Repeat("x", 2<<20) + `"},{"body":"small"}]`
	if status, answer := send(t, a+"other", large); status != 207 || !strings.Contains(answer, `{"index":0,"status":413`) || !strings.Contains(answer, `{"index":1,"status":202}`) {
		t.Errorf("%d %s", status, answer)
	}
	if first := bustest.ReadAll(t, conn, feed.StreamRaw)[0]; first.Header.Get(feed.HeaderIdentity) == "" || first.Header.Get(feed.HeaderReceived) == "" {
		t.Errorf("headers %v", first.Header)
	}
}

// TestWebhookWithoutServer: while NATS is away nobody is told that an item is
// stored, and a full window sends senders away; what they send again is stored
// once.
func TestWebhookWithoutServer(t *testing.T) {
	t.Parallel()
	server := bustest.Start(t)
	conn := server.Conn(t, "a")
	at := push(t, conn, ingest.Config{Sources: []string{"webhook:#in"}, Window: 2})
	if status, answer := send(t, at+"in", `{"body":"before"}`); status != 202 {
		t.Fatalf("%d %s", status, answer)
	}
	server.Stop()
	began := time.Now()
	status, answer := send(t, at+"in", `[{"body":"1"},{"body":"2"},{"body":"3"}]`)
	if status != 207 || !strings.Contains(answer, `{"index":0,"status":503`) || !strings.Contains(answer, `{"index":2,"status":429`) {
		t.Errorf("%d %s", status, answer)
	}
	if status, answer := send(t, at+"in", `{"body":"4"}`); status != 429 {
		t.Errorf("%d %s", status, answer)
	}
	if took := time.Since(began); took > 20*time.Second { // 9 s are meant
		t.Errorf("the answers took %v", took)
	}
	server.Start()
	bustest.WaitFor(t, "they are taken again", func() bool {
		status, _ := send(t, at+"in", `[{"body":"1"},{"body":"2"},{"body":"3"},{"body":"4"}]`)
		return status == 202
	})
	got := raw(t, conn, "in")
	slices.Sort(got)
	if want := []string{`{"body":"1"}`, `{"body":"2"}`, `{"body":"3"}`, `{"body":"4"}`, `{"body":"before"}`}; !slices.Equal(got, want) {
		t.Errorf("RAW holds %q", got)
	}
}

func TestWebhooksThatCannotWork(t *testing.T) {
	t.Parallel()
	conn := bustest.Start(t).Conn(t, "a")
	taken := push(t, conn, ingest.Config{Sources: []string{"webhook:#in"}})
	taken = strings.TrimSuffix(strings.TrimPrefix(taken, "http://"), "/v1/ingest/")
	for name, cfg := range map[string]ingest.Config{
		"open to all":   {Sources: []string{"webhook:#in"}, WebhookAddr: "0.0.0.0:0"},
		"taken address": {Sources: []string{"webhook:#in"}, WebhookAddr: taken},
		"bad secret":    {Sources: []string{"webhook:#in"}, Secret: func(string) string { return "nonsense" }},
		"bad url":       {Sources: []string{"webhook:orders"}},
		"bad parameter": {Sources: []string{"webhook:?x=y"}},
	} {
		env := service.Nop()
		if _, err := ingest.New(cfg, conn, env); err == nil || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "nonsense") {
			t.Errorf("%s: %v, want an error of one line", name, err)
		}
	}
}
