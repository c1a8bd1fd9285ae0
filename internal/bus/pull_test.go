package bus_test

import (
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
)

// largeMsgs are raw messages from to to-1, each of size bytes.
func largeMsgs(from, to, size int) []bus.Msg {
	msgs := make([]bus.Msg, 0, to-from)
	for i := from; i < to; i++ {
		m := rawMsg(i)
		m.Data = make([]byte, size)
		copy(m.Data, strconv.Itoa(i))
		msgs = append(msgs, m)
	}
	return msgs
}

// What is asked for and what is not settled is bounded in bytes together, not
// just in messages.
func TestConsumeIsBoundedInBytes(t *testing.T) {
	t.Parallel()
	const n, size, window = 40, 900 << 10, 4 << 20
	const most = window / size // as many as the window holds
	srv := bustest.Start(t)
	c := srv.Conn(t, "con")
	bustest.Publish(t, c, feed.StreamRaw, largeMsgs(0, n, size)...)
	var g got
	deliveries := make(chan *bus.Delivery, n)
	consuming(t, c, bus.ConsumeOptions{
		Stream: feed.StreamRaw, Durable: bus.DurableEnrich, WindowBytes: window,
	}, func(d *bus.Delivery) { deliveries <- d })
	bustest.WaitFor(t, "a full window", func() bool { return len(deliveries) >= most })
	lag, err := c.Lag(t.Context(), feed.StreamRaw, bus.DurableEnrich)
	if err != nil {
		t.Fatal(err)
	}
	if on := lag.AckPending; on > most {
		t.Fatalf("%d messages of %d bytes are on their way or in work, with a window of %d bytes", on, size, window)
	}
	handle := g.handle(t)
	for g.distinct() < n {
		handle(<-deliveries)
	}
}

// A message that was stored when the server took larger ones comes through, and
// so does what is behind it.
func TestConsumeLargerThanTheServerTakes(t *testing.T) {
	t.Parallel()
	const before, now = 4 << 20, 64 << 10
	srv := bustest.Start(t, bustest.MaxPayload(before))
	c := srv.Conn(t, "con")
	bustest.Publish(t, c, feed.StreamRaw, largeMsgs(0, 5, 10)...)
	bustest.Publish(t, c, feed.StreamRaw, largeMsgs(5, 7, 3<<20)...)
	bustest.Publish(t, c, feed.StreamRaw, largeMsgs(7, 10, 10)...)
	srv.Change(bustest.MaxPayload(now))
	srv.Restart()
	bustest.WaitFor(t, "the smaller limit", func() bool { return c.Ready() == nil && c.MaxPayload() == now })
	var g got
	consuming(t, c, bus.ConsumeOptions{Stream: feed.StreamRaw, Durable: bus.DurableEnrich, WindowBytes: now}, g.handle(t))
	bustest.WaitFor(t, "all", func() bool { return g.distinct() == 10 })
}

// An item may look like what the server says of a request.
func TestConsumeItemThatLooksLikeAStatus(t *testing.T) {
	t.Parallel()
	srv := bustest.Start(t)
	c := srv.Conn(t, "con")
	m := bus.Msg{Subject: "raw.demo", ID: "demo:status", Header: bus.Header{
		"Status": {"409"}, "Description": {"Consumer Deleted"},
	}}
	bustest.Publish(t, c, feed.StreamRaw, rawMsg(0), m, rawMsg(1))
	var g got
	consuming(t, c, bus.ConsumeOptions{}, g.handle(t))
	bustest.WaitFor(t, "all three", func() bool { return g.distinct() == 3 })
}

// What is kept while the server restarts, and what is asked for then, have
// room beside each other: nothing has to come twice.
func TestConsumeFullWindowThroughRestart(t *testing.T) {
	t.Parallel()
	const n = 2000
	srv := bustest.Start(t)
	c := srv.Conn(t, "con")
	publishRaws(t, c, 0, n)
	var g got
	full, proceed := make(chan struct{}), make(chan struct{})
	var once sync.Once
	handle := g.handle(t)
	consuming(t, c, bus.ConsumeOptions{}, func(d *bus.Delivery) {
		once.Do(func() {
			close(full)
			<-proceed
		})
		handle(d)
	})
	<-full
	bustest.WaitFor(t, "a full window", func() bool {
		lag, err := c.Lag(t.Context(), feed.StreamRaw, bus.DurableEnrich)
		return err == nil && lag.AckPending >= 500
	})
	srv.Restart()
	bustest.WaitFor(t, "connection", func() bool { return c.Ready() == nil })
	close(proceed)
	bustest.WaitFor(t, "all", func() bool { return g.distinct() == n })
}

// Who had no room for a while, and so asked for nothing, has not been left
// without an answer.
func TestPauseIsNoSilence(t *testing.T) {
	t.Parallel()
	c := bustest.Start(t).Conn(t, "con")
	if err := bus.AskAfterPause(c, feed.StreamRaw, bus.DurableEnrich, time.Hour); err != nil {
		t.Error(err)
	}
}
