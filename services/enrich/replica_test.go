package enrich_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/services/enrich"
)

// readAndRetry takes the one message that waits n times without settling it.
func readAndRetry(t *testing.T, conn *bus.Conn, n uint64) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := conn.Consume(ctx, bus.ConsumeOptions{Stream: feed.StreamRaw, Durable: bus.DurableEnrich}, func(d *bus.Delivery) {
		if err := d.Retry(0); err != nil {
			t.Error(err)
		}
		if d.Deliveries >= n {
			cancel()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// askTimeout bounds one question to the server.
const askTimeout = 5 * time.Second

// stored counts what EVENTS holds.
func stored(t *testing.T, conn *bus.Conn) uint64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), askTimeout)
	defer cancel()
	s, err := conn.Stream(ctx, feed.StreamEvents)
	if err != nil {
		return 0
	}
	return s.Messages
}

// Two replicas share the work; one that is stopped in the middle loses
// nothing, and nothing comes twice.
func TestReplicasShareAndStop(t *testing.T) {
	const items = 4000
	srv := bustest.Start(t)
	conn := srv.Conn(t, "test")
	stop := start(t, srv)
	start(t, srv)
	half := tweets(0, items/2)
	bustest.PublishRaw(t, conn, half...)
	bustest.WaitFor(t, "some events", func() bool { return stored(t, conn) > 500 })
	stop()
	bustest.PublishRaw(t, conn, tweets(items/2, items)...)
	settled(t, conn)
	got := events(t, conn)
	wantTweets(t, got, 0, items)
	if len(got) != 2*items {
		t.Errorf("%d events, want %d", len(got), 2*items)
	}
}

// A stop leaves nothing unsettled that was handed out.
func TestStopSettles(t *testing.T) {
	srv := bustest.Start(t)
	conn := srv.Conn(t, "test")
	bustest.PublishRaw(t, conn, tweets(0, 3000)...)
	stop := start(t, srv)
	bustest.WaitFor(t, "some events", func() bool { return stored(t, conn) > 100 })
	stop()
	ctx, cancel := context.WithTimeout(t.Context(), askTimeout)
	defer cancel()
	bustest.WaitFor(t, "the last verdicts to arrive", func() bool {
		lag, err := conn.Lag(ctx, feed.StreamRaw, bus.DurableEnrich)
		return err == nil && lag.AckPending == 0
	})
}

// A replica that is stopped under load finishes or hands back what it has in
// hand: the next one works on that and on what waited, and on nothing that was
// done before.
func TestStopHandsBackOnce(t *testing.T) {
	const items = 6000
	srv := bustest.Start(t)
	conn := srv.Conn(t, "test")
	bustest.PublishRaw(t, conn, tweets(0, items)...)
	work := func() (stop func(), done func() int) {
		env, reg := service.Nop(), prometheus.NewRegistry()
		env.Metrics = reg
		return startEnv(t, srv, enrich.DefaultConfig(), env), func() int {
			return int(counter(t, reg, "blipstream_enrich_items_total", "published"))
		}
	}
	stop, first := work()
	bustest.WaitFor(t, "some events", func() bool { return stored(t, conn) > 500 })
	stop()
	if n := first(); n == 0 || n >= items {
		t.Fatalf("%d of %d items were done when it stopped, want it in the middle", n, items)
	}
	_, second := work()
	settled(t, conn)
	if a, b := first(), second(); a+b != items {
		t.Errorf("the first did %d items and the second %d, want %d together", a, b, items)
	}
	wantTweets(t, events(t, conn), 0, items)
}

// An item that comes again yields the same events under the same ids, which the
// server has already.
func TestRedeliveryIsNoDuplicate(t *testing.T) {
	srv := bustest.Start(t)
	conn := srv.Conn(t, "test")
	bustest.PublishRaw(t, conn, tweet(1))
	stop := start(t, srv)
	settled(t, conn)
	stop()
	srv.ResetConsumer(t, feed.StreamRaw, bus.DurableEnrich, 1)
	env := service.Nop()
	reg := prometheus.NewRegistry()
	env.Metrics = reg
	startEnv(t, srv, enrich.DefaultConfig(), env)
	bustest.PublishRaw(t, conn, tweet(2))
	bustest.WaitFor(t, "the second", func() bool { return stored(t, conn) == 4 })
	settled(t, conn)
	wantTweets(t, events(t, conn), 1, 3)
	if n := counter(t, reg, "blipstream_enrich_items_total", "published"); n != 2 {
		t.Errorf("%v items were handled, want both: the first again", n)
	}
	if n := counter(t, reg, "blipstream_enrich_events_total", "geo_blip"); n != 2 {
		t.Errorf("%v blips were counted, want 2", n)
	}
}

// An item is acknowledged when its events are stored, and not before: while
// nothing can be stored it stays in work, and a stop gives it back.
func TestAcknowledgedOnlyWhenStored(t *testing.T) {
	srv := bustest.Start(t, bustest.DenyPublish("events.>"))
	conn := srv.Conn(t, "test")
	stop := start(t, srv)
	bad := feed.Item{ID: "bad", Source: source, Data: []byte("{")}
	bustest.PublishRaw(t, conn, tweet(1), bad)
	bustest.WaitFor(t, "the dead letter behind it", func() bool { return len(letters(t, conn)) == 1 })
	unsettled := func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), askTimeout)
		defer cancel()
		lag, err := conn.Lag(ctx, feed.StreamRaw, bus.DurableEnrich)
		return err == nil && lag.AckFloor == 0 && lag.AckPending > 0
	}
	if !unsettled() {
		t.Error("an item was acknowledged whose events cannot be stored")
	}
	stop()
	// Given back means at once, not after the consumer's ack wait of 30 s.
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	again := false
	err := conn.Consume(ctx, bus.ConsumeOptions{Stream: feed.StreamRaw, Durable: bus.DurableEnrich}, func(d *bus.Delivery) {
		again = d.Seq == 1
		cancel()
	})
	if err != nil || !again {
		t.Errorf("the item was not given back: %v", err)
	}
}

func TestConsumerAndStreamMadeAnew(t *testing.T) {
	srv := bustest.Start(t)
	conn := srv.Conn(t, "test")
	start(t, srv)
	bustest.PublishRaw(t, conn, tweets(0, 10)...)
	settled(t, conn)

	srv.DeleteConsumer(t, feed.StreamRaw, bus.DurableEnrich)
	bustest.PublishRaw(t, conn, tweets(10, 20)...)
	bustest.WaitFor(t, "events after the consumer was deleted", func() bool { return stored(t, conn) >= 40 })

	srv.DeleteStream(t, feed.StreamRaw)
	bustest.PublishRaw(t, conn, tweets(20, 30)...)
	bustest.WaitFor(t, "events after the stream was deleted", func() bool { return stored(t, conn) >= 60 })

	srv.DeleteStream(t, feed.StreamEvents)
	bustest.PublishRaw(t, conn, tweets(30, 40)...)
	bustest.WaitFor(t, "events in a stream that was deleted", func() bool { return stored(t, conn) >= 20 })
	wantTweets(t, events(t, conn), 30, 40)
}

// A server that is stopped and started in the middle costs nothing.
func TestServerRestart(t *testing.T) {
	const items = 3000
	srv := bustest.Start(t)
	conn := srv.Conn(t, "test")
	bustest.PublishRaw(t, conn, tweets(0, items)...)
	start(t, srv)
	bustest.WaitFor(t, "some events", func() bool { return stored(t, conn) > 100 })
	srv.Restart()
	bustest.WaitFor(t, "all events", func() bool { return stored(t, conn) >= 2*items })
	got := events(t, conn)
	wantTweets(t, got, 0, items)
	if len(got) != 2*items {
		t.Errorf("%d events, want %d", len(got), 2*items)
	}
}

// The consumer is deleted again and again while items come: each event is there
// once. Then the stream is: whatever the next one holds yields its events.
func TestDeletedUnderLoad(t *testing.T) {
	const items, deletions = 3000, 3
	srv := bustest.Start(t)
	conn := srv.Conn(t, "test")
	start(t, srv)
	start(t, srv)
	for part := range deletions {
		from := part * items / deletions
		bustest.PublishRaw(t, conn, tweets(from, from+items/deletions)...)
		bustest.WaitFor(t, "some of their events", func() bool { return stored(t, conn) > uint64(2*from+100) })
		srv.DeleteConsumer(t, feed.StreamRaw, bus.DurableEnrich)
	}
	bustest.WaitFor(t, "all events", func() bool { return stored(t, conn) >= 2*items })
	settled(t, conn)
	got := events(t, conn) // fails on any that is there twice
	wantTweets(t, got, 0, items)

	published := make(chan struct{})
	go func() {
		defer close(published)
		bustest.PublishRaw(t, conn, tweets(items, 2*items)...)
	}()
	bustest.WaitFor(t, "some of the next", func() bool { return stored(t, conn) > 2*items+100 })
	srv.DeleteStream(t, feed.StreamRaw)
	<-published
	bustest.PublishRaw(t, conn, tweets(2*items, 2*items+500)...)
	settled(t, conn)
	got = events(t, conn)
	wantTweets(t, got, 2*items, 2*items+500)
	for _, m := range bustest.ReadAll(t, conn, feed.StreamRaw) {
		id := strings.TrimPrefix(m.Header.Get("Nats-Msg-Id"), source+":")
		if _, ok := got[feed.EventID(feed.KindSimpleTweet, source, id)]; !ok {
			t.Errorf("%s is in RAW and has no event", id)
		}
	}
}
