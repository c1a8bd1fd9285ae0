package bench_test

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/services/enrich/bench"
)

// serveEnv makes this test binary a server, so that a benchmark can measure
// its own process alone.
const serveEnv = "ENRICH_BENCH_SERVE"

// TestServe is the server's process: it says its address and serves until its
// standard input ends.
func TestServe(t *testing.T) {
	if os.Getenv(serveEnv) == "" {
		return
	}
	srv := bustest.Start(t)
	if _, err := io.WriteString(os.Stdout, srv.URL()+"\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		t.Fatal(err)
	}
}

// serve runs a server in a process of its own; it returns its address.
func serve(b *testing.B) string {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), os.Args[0], "-test.run=^TestServe$")
	cmd.Env = append(os.Environ(), serveEnv+"=1")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Wait() // it has nothing to say any more
	})
	url, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(url)
}

func TestRun(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	rep, err := bench.Run(ctx, bustest.Start(t).URL(), bench.Options{Tweets: 500, Backlog: 1000, Layout: bustest.Layout()})
	if err != nil {
		t.Fatal(err)
	}
	if rep.Tweets != 500 || rep.Events < 500 || rep.Ack.Rate() <= 0 || rep.Enrich.Rate() <= 0 || rep.TweetBytes < 1000 {
		t.Errorf("report %+v", rep)
	}
	if rep.Letters != 5 || rep.MostDeliveries != 1 || rep.Slowest <= 0 || rep.Waiting != 1000 || rep.Pair.Rate() <= 0 || rep.Rules.Rate() <= 0 {
		t.Errorf("report %+v", rep)
	}
	if text := rep.String(); !strings.Contains(text, "500 tweets") || !strings.Contains(text, "ratio ") {
		t.Errorf("report reads %q", text)
	}
}

// BenchmarkEnrich measures the whole service against a server in a process of
// its own. It is one run of a fixed number of tweets: use -benchtime=1x.
func BenchmarkEnrich(b *testing.B) {
	url := serve(b)
	layout := bustest.Layout()
	layout.Raw.MaxBytes, layout.Events.MaxBytes = 1<<30, 512<<20
	for b.Loop() {
		rep, err := bench.Run(b.Context(), url, bench.Options{Tweets: 60_000, Layout: layout})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(rep.Enrich.Rate(), "tweets/s")
		b.ReportMetric(rep.Enrich.CPUMicros(), "µs-CPU/tweet")
		b.ReportMetric(rep.Ack.Rate(), "acks/s")
		b.ReportMetric(rep.Ratio(), "of-ack-alone")
		b.ReportMetric(float64(rep.RSS)/1e6, "MB-RSS")
		b.Log("\n" + rep.String())
	}
}
