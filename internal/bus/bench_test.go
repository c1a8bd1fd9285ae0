package bus_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
)

// Sizes of what crosses the bus, in bytes: an event, and a raw post.
const (
	eventBytes = 300
	rawBytes   = 2700
)

// BenchmarkPublish compares the Publisher with nats.go's PublishAsync, both
// with ids and a window of 4096, on the same server.
func BenchmarkPublish(b *testing.B) {
	for _, size := range []int{eventBytes, rawBytes} {
		b.Run(fmt.Sprintf("publisher/%dB", size), func(b *testing.B) { benchPublisher(b, size) })
		b.Run(fmt.Sprintf("publishasync/%dB", size), func(b *testing.B) { benchPublishAsync(b, size) })
	}
}

// cpu is the processor time of this process so far, the server's part included.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// measure starts the clocks; the function it returns reads them. On a machine
// with other work to do the processor time says more than the rate.
func measure(b *testing.B) (report func()) {
	b.Helper()
	b.ReportAllocs()
	began := cpu(b)
	b.ResetTimer()
	return func() {
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
		b.ReportMetric(float64((cpu(b)-began).Microseconds())/float64(b.N), "cpu-us/op")
	}
}

func benchPublisher(b *testing.B, size int) {
	b.Helper()
	srv := bustest.Start(b)
	c := srv.Conn(b, "bench")
	p := newPublisher(b, c, bus.PublisherOptions{})
	data := make([]byte, size)
	report := measure(b)
	for i := range b.N {
		m := []bus.Msg{{Subject: "raw.bench", ID: "bench:" + strconv.Itoa(i), Data: data}}
		if err := p.Publish(b.Context(), m, func(err error) {
			if err != nil {
				b.Error(err)
			}
		}); err != nil {
			b.Fatal(err)
		}
	}
	if err := p.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	report()
}

func benchPublishAsync(b *testing.B, size int) {
	b.Helper()
	srv := bustest.Start(b)
	srv.Conn(b, "bench")
	js := admin(b, srv, jetstream.WithPublishAsyncMaxPending(4096))
	data := make([]byte, size)
	// The futures are read in order, as whoever must publish again would.
	futures := make(chan jetstream.PubAckFuture, 4096)
	var read sync.WaitGroup
	read.Go(func() {
		for f := range futures {
			select {
			case <-f.Ok():
			case err := <-f.Err():
				b.Error(err)
			}
		}
	})
	report := measure(b)
	for i := range b.N {
		f, err := js.PublishAsync("raw.bench", data, jetstream.WithMsgID("bench:"+strconv.Itoa(i)),
			jetstream.WithExpectStream(feed.StreamRaw), jetstream.WithStallWait(time.Minute))
		if err != nil {
			b.Fatal(err)
		}
		futures <- f
	}
	close(futures)
	read.Wait()
	report()
}

// BenchmarkConsume hands out and acks raw posts.
func BenchmarkConsume(b *testing.B) {
	srv := bustest.Start(b)
	c := srv.Conn(b, "bench")
	fill(b, c, b.N)
	ctx, cancel := context.WithCancel(b.Context())
	n := 0
	report := measure(b)
	err := c.Consume(ctx, bus.ConsumeOptions{Stream: feed.StreamRaw, Durable: bus.DurableEnrich}, func(d *bus.Delivery) {
		if err := d.Ack(); err != nil {
			b.Error(err)
		}
		if n++; n == b.N {
			cancel()
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	report()
}

// BenchmarkFollow reads a stream in order.
func BenchmarkFollow(b *testing.B) {
	srv := bustest.Start(b)
	c := srv.Conn(b, "bench")
	fill(b, c, b.N)
	ctx, cancel := context.WithCancel(b.Context())
	n := 0
	report := measure(b)
	err := c.Follow(ctx, feed.StreamRaw, 1, func(bus.StreamState) error { return nil }, func(*bus.Stored) error {
		if n++; n == b.N {
			cancel()
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	report()
}

// fill stores n raw posts; it makes room for them first.
func fill(b *testing.B, c *bus.Conn, n int) {
	b.Helper()
	l := bustest.Layout()
	l.Raw.MaxBytes = 1 << 30
	if err := c.Ensure(b.Context(), l); err != nil {
		b.Fatal(err)
	}
	p := newPublisher(b, c, bus.PublisherOptions{})
	data := make([]byte, rawBytes)
	for i := range n {
		m := []bus.Msg{{Subject: "raw.bench", ID: "fill:" + strconv.Itoa(i), Data: data}}
		if err := p.Publish(b.Context(), m, func(error) {}); err != nil {
			b.Fatal(err)
		}
	}
	if err := p.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkTwoStages is the bus' share of enrich: each raw post is consumed, two
// events with ids are published, and the post is acked when both are stored.
func BenchmarkTwoStages(b *testing.B) {
	srv := bustest.Start(b)
	c := srv.Conn(b, "bench")
	fill(b, c, b.N)
	p := newPublisher(b, c, bus.PublisherOptions{Stream: feed.StreamEvents})
	ctx, cancel := context.WithCancel(b.Context())
	data := make([]byte, eventBytes)
	acked := 0
	report := measure(b)
	err := c.Consume(ctx, bus.ConsumeOptions{Stream: feed.StreamRaw, Durable: bus.DurableEnrich}, func(d *bus.Delivery) {
		id := strconv.FormatUint(d.Seq, 10)
		msgs := []bus.Msg{
			{Subject: "events.simple_tweet", ID: "simple_tweet:bench:" + id, Data: data},
			{Subject: "events.geo_blip", ID: "geo_blip:bench:" + id, Data: data},
		}
		if err := p.Publish(b.Context(), msgs, func(err error) {
			if err == nil {
				err = d.Ack()
			}
			if err != nil {
				b.Error(err)
			}
			if acked++; acked == b.N {
				cancel()
			}
		}); err != nil {
			b.Error(err)
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	report()
}
