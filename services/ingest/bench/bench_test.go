package bench_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/services/ingest/bench"
)

func TestRun(t *testing.T) {
	server := bustest.Start(t)
	report, err := bench.Run(t.Context(), server.URL(), bench.Options{Items: 500, Bytes: 300, Rounds: 2, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if report.Ingest <= 0 || report.Bare <= 0 || !strings.Contains(report.String(), "500 items of 300 bytes") {
		t.Errorf("%s", report)
	}
}
