package bench_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/services/ingest/bench"
)

func TestRun(t *testing.T) {
	server, upstream := bustest.Start(t), httptest.NewServer(bench.Upstream{})
	defer upstream.Close()
	peers := 0
	report, err := bench.Run(t.Context(), server.URL(), bench.Options{
		Items: 500, Bytes: 300, Rounds: 2, Log: slog.New(slog.DiscardHandler), Upstream: strings.TrimPrefix(upstream.URL, "http://"),
		Peer: func(context.Context) (float64, error) { peers++; return 12345, nil }, PeerName: "somebody else",
	})
	if err != nil {
		t.Fatal(err)
	}
	if report.Ingest.Rate <= 0 || report.Bare.Rate <= 0 || peers != 2 {
		t.Errorf("%+v, %d peers", report, peers)
	}
	for _, part := range []string{"500 items of 300 bytes", "somebody else", " 12345 "} {
		if !strings.Contains(report.String(), part) {
			t.Errorf("no %q in\n%s", part, report)
		}
	}
}

// TestSteady: what was sent and is stored is counted, and what is missing told.
func TestSteady(t *testing.T) {
	server, upstream := bustest.Start(t), httptest.NewServer(bench.Upstream{})
	defer upstream.Close()
	report, err := bench.Steady(t.Context(), server.URL(), bench.SteadyOptions{
		Source: "twitter+" + upstream.URL + "/?items=400&bytes=200&from=1#steady", Items: 400, Bytes: 200, For: 300 * time.Millisecond,
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if report.InRaw != 400 || report.Read != 400 || len(report.Moments) < 3 || !strings.Contains(report.String(), "missing 0") {
		t.Errorf("%s", report)
	}
}
