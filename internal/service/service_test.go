package service_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/blipstream/blipstream/internal/service"
)

type runFunc func(context.Context) error

func (f runFunc) Run(ctx context.Context) error { return f(ctx) }

func TestCleanupsRunLastInFirstOutAndOnce(t *testing.T) {
	var c service.Cleanups
	var order []string
	for _, name := range []string{"a", "b", "c"} {
		c.Add(name, func(context.Context) error {
			order = append(order, name)
			if name == "b" {
				return errors.New("stuck")
			}
			return nil
		})
	}
	err := c.Run(t.Context())
	if got := strings.Join(order, ""); got != "cba" {
		t.Errorf("order = %q, want cba", got)
	}
	if err == nil || !strings.Contains(err.Error(), "stop b: stuck") {
		t.Errorf("err = %v, want the name of the step that failed", err)
	}
	if err := c.Run(t.Context()); err != nil || len(order) != 3 {
		t.Errorf("a second Run ran steps again: %v, %v", order, err)
	}
}

func TestGroupEndsAllWhenOneFails(t *testing.T) {
	stopped := false
	err := service.Group(t.Context(),
		service.Named{Name: "waits", Runner: runFunc(func(ctx context.Context) error {
			<-ctx.Done()
			stopped = true
			return nil
		})},
		service.Named{Name: "fails", Runner: runFunc(func(context.Context) error { return errors.New("boom") })},
	)
	if !stopped || err == nil || !strings.Contains(err.Error(), "run fails: boom") {
		t.Fatalf("stopped %v, err %v", stopped, err)
	}
}

func TestGroupReportsARunnerThatStopsUnasked(t *testing.T) {
	err := service.Group(t.Context(), service.Named{Name: "early", Runner: runFunc(func(context.Context) error { return nil })})
	if err == nil || !strings.Contains(err.Error(), "early") {
		t.Fatalf("err = %v, want it named", err)
	}
}

func TestGroupStopsCleanly(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wait := runFunc(func(ctx context.Context) error { <-ctx.Done(); return nil })
	if err := service.Group(ctx, service.Named{Name: "a", Runner: wait}, service.Named{Name: "b", Runner: wait}); err != nil {
		t.Fatal(err)
	}
}

func TestMountTellsHealth(t *testing.T) {
	h := service.NewHealth()
	mux := http.NewServeMux()
	service.Mount(mux, h, service.NewRegistry())
	srv := httptest.NewServer(mux)
	defer srv.Close()
	get := func(path string) (int, string) {
		t.Helper()
		resp, err := srv.Client().Get(srv.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	if code, _ := get("/readyz"); code != http.StatusOK {
		t.Errorf("/readyz without checks = %d", code)
	}
	h.Register("nats", func() error { return errors.New("no server") })
	if code, body := get("/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(body, "no server") {
		t.Errorf("/readyz = %d %s", code, body)
	}
	if code, _ := get("/healthz"); code != http.StatusOK {
		t.Errorf("/healthz = %d while not ready, want 200", code)
	}
	if _, body := get("/metrics"); !strings.Contains(body, "go_goroutines") {
		t.Error("/metrics lacks the runtime's metrics")
	}
}
