package ingest_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest"
)

const (
	benchItems = 20_000
	benchBytes = 2500
)

// BenchmarkFileIntoRaw reads items of 2.5 KB from a file into RAW, and
// publishes as many without a source, headers or cursor, for the ratio.
func BenchmarkFileIntoRaw(b *testing.B) {
	path := write(b, lines(benchItems, benchBytes))
	server := bustest.Start(b)
	conn := server.Conn(b, "bench")
	var ingesting, publishing time.Duration
	round := 0
	for b.Loop() {
		round++
		ingesting += ingestFile(b, conn, "file:"+path+"#bench"+strconv.Itoa(round))
		publishing += publishBare(b, conn, round)
	}
	perSecond := func(d time.Duration) float64 { return float64(round*benchItems) / d.Seconds() }
	b.ReportMetric(perSecond(ingesting), "items/s")
	b.ReportMetric(perSecond(publishing), "bare_items/s")
	b.ReportMetric(publishing.Seconds()/ingesting.Seconds(), "ratio")
	b.ReportMetric(0, "ns/op")
}

// ingestFile is how long the service takes for a file.
func ingestFile(b *testing.B, conn *bus.Conn, source string) time.Duration {
	b.Helper()
	began := time.Now()
	r := start(b, conn, ingest.Config{Sources: []string{source}})
	bustest.WaitFor(b, "the file is read", func() bool { return r.value(b, "state", "done") == 1 })
	took := time.Since(began)
	r.end(b)
	return took
}

// publishBare is how long the publisher takes for as many items.
func publishBare(b *testing.B, conn *bus.Conn, round int) time.Duration {
	b.Helper()
	p, err := conn.NewPublisher(bus.PublisherOptions{Stream: feed.StreamRaw})
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	data := []byte(lines(1, benchBytes))
	prefix := "bare:" + strconv.Itoa(round) + ":"
	began := time.Now()
	for i := range benchItems {
		m := bus.Msg{Subject: feed.RawSubject("bare"), ID: prefix + strconv.Itoa(i), Data: data}
		if err := p.Publish(context.Background(), []bus.Msg{m}, func(error) {}); err != nil {
			b.Fatal(err)
		}
	}
	if err := p.Flush(context.Background()); err != nil {
		b.Fatal(err)
	}
	return time.Since(began)
}
