package bus_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
)

// raws publishes items from to to-1.
func publishRaws(tb testing.TB, c *bus.Conn, from, to int) {
	tb.Helper()
	var msgs []bus.Msg
	for i := from; i < to; i++ {
		msgs = append(msgs, rawMsg(i))
	}
	bustest.Publish(tb, c, feed.StreamRaw, msgs...)
}

// consuming runs Consume until stop is called, which waits for its end.
func consuming(tb testing.TB, c *bus.Conn, o bus.ConsumeOptions, handle func(*bus.Delivery)) (stop func()) {
	tb.Helper()
	if o.Stream == "" {
		o.Stream, o.Durable = feed.StreamRaw, bus.DurableEnrich
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Consume(ctx, o, handle) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			tb.Errorf("consume: %v", err)
		}
	})
	tb.Cleanup(stop)
	return stop
}

// got collects what was handled, by payload.
type got struct {
	mu    sync.Mutex
	times map[string]int
	all   []string
}

func (g *got) add(data []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.times == nil {
		g.times = map[string]int{}
	}
	g.times[string(data)]++
	g.all = append(g.all, string(data))
}

func (g *got) distinct() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.times)
}

func (g *got) total() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.all)
}

func (g *got) handle(tb testing.TB) func(*bus.Delivery) {
	tb.Helper()
	return func(d *bus.Delivery) {
		g.add(d.Data)
		if err := d.Ack(); err != nil && !errors.Is(err, bus.ErrStale) {
			tb.Logf("ack: %v", err)
		}
	}
}

func TestConsumeInOrderAndThroughRestart(t *testing.T) {
	t.Parallel()
	srv := bustest.Start(t)
	c := srv.Conn(t, "con")
	publishRaws(t, c, 0, 300)
	var g got
	consuming(t, c, bus.ConsumeOptions{}, g.handle(t))
	bustest.WaitFor(t, "first messages", func() bool { return g.distinct() == 300 })
	for i, data := range g.all {
		if want := string(rawMsg(i).Data); data != want {
			t.Fatalf("message %d is %q, want %q", i, data, want)
		}
	}
	srv.Restart()
	bustest.WaitFor(t, "connection", func() bool { return c.Ready() == nil })
	publishRaws(t, c, 300, 600)
	bustest.WaitFor(t, "messages after the restart", func() bool { return g.distinct() == 600 })
}

func TestConsumeFields(t *testing.T) {
	srv := bustest.Start(t)
	c := srv.Conn(t, "con")
	before := time.Now().Add(-time.Minute)
	bustest.PublishRaw(t, c, feed.Item{ID: "7", Source: "demo", Format: feed.FormatPost, Received: time.Now(), Data: []byte("{}")})
	deliveries := make(chan *bus.Delivery, 2)
	consuming(t, c, bus.ConsumeOptions{}, func(d *bus.Delivery) { deliveries <- d })
	d := <-deliveries
	if d.Subject != "raw.demo" || d.Seq != 1 || string(d.Data) != "{}" || d.Header.Get(feed.HeaderFormat) != "post" ||
		d.Deliveries != 1 || d.Pending != 0 || d.Time.Before(before) {
		t.Errorf("delivery %+v", d)
	}
	if err := d.Retry(0); err != nil {
		t.Fatal(err)
	}
	d = <-deliveries
	if d.Deliveries != 2 {
		t.Errorf("retried delivery has number %d", d.Deliveries)
	}
	if err := d.Term("bad input"); err != nil {
		t.Fatal(err)
	}
	bustest.WaitFor(t, "the end of the backlog", func() bool {
		lag, err := c.Lag(t.Context(), feed.StreamRaw, bus.DurableEnrich)
		return err == nil && lag.AckPending == 0 && lag.AckFloor == 1
	})
}

func TestConsumeTwoMembersShare(t *testing.T) {
	srv := bustest.Start(t)
	a, b := srv.Conn(t, "a"), srv.Conn(t, "b")
	publishRaws(t, a, 0, 2000)
	var all got
	share := func(n *int) func(*bus.Delivery) {
		handle := all.handle(t)
		return func(d *bus.Delivery) { *n++; handle(d) }
	}
	var ofA, ofB int
	stopA := consuming(t, a, bus.ConsumeOptions{Prefetch: 50}, share(&ofA))
	stopB := consuming(t, b, bus.ConsumeOptions{Prefetch: 50}, share(&ofB))
	bustest.WaitFor(t, "all messages", func() bool { return all.distinct() == 2000 })
	stopA()
	stopB()
	if all.total() != 2000 || ofA+ofB != 2000 {
		t.Errorf("%d deliveries (%d and %d) of 2000 messages", all.total(), ofA, ofB)
	}
}

// A deleted durable is made again, and goes on where this process knew it to be.
func TestConsumeDurableDeleted(t *testing.T) {
	t.Parallel()
	srv := bustest.Start(t)
	c := srv.Conn(t, "con")
	bus.WatchEvery(c, 20*time.Millisecond)
	publishRaws(t, c, 0, 100)
	var g got
	consuming(t, c, bus.ConsumeOptions{}, g.handle(t))
	js := admin(t, srv)
	bustest.WaitFor(t, "acks", func() bool {
		lag, err := c.Lag(t.Context(), feed.StreamRaw, bus.DurableEnrich)
		return err == nil && lag.AckFloor == 100
	})
	// Let the reader see that floor, too: it looks every 20 ms.
	looks := time.NewTimer(200 * time.Millisecond)
	<-looks.C
	if err := js.DeleteConsumer(t.Context(), feed.StreamRaw, bus.DurableEnrich); err != nil {
		t.Fatal(err)
	}
	publishRaws(t, c, 100, 150)
	bustest.WaitFor(t, "messages after the deletion", func() bool { return g.distinct() == 150 })
	if n := g.total(); n != 150 {
		t.Errorf("%d deliveries of 150 messages: history was worked through again", n)
	}
}

func TestConsumeStreamDeleted(t *testing.T) {
	srv := bustest.Start(t)
	c := srv.Conn(t, "con")
	publishRaws(t, c, 0, 100)
	var g got
	held := make(chan *bus.Delivery, 1)
	consuming(t, c, bus.ConsumeOptions{}, func(d *bus.Delivery) {
		if d.Seq == 1 && len(held) == 0 && g.total() == 0 {
			held <- d
			g.add(d.Data)
			return
		}
		g.handle(t)(d)
	})
	bustest.WaitFor(t, "first messages", func() bool { return g.distinct() == 100 })
	deleteStream(t, srv, feed.StreamRaw)
	publishRaws(t, c, 1000, 1050)
	bustest.WaitFor(t, "messages of the new stream", func() bool { return g.distinct() == 150 })
	// The number of the old stream's message is that of another one now.
	if err := (<-held).Ack(); !errors.Is(err, bus.ErrStale) {
		t.Errorf("ack of a message of the deleted stream: %v", err)
	}
}

func TestConsumeServerComesLate(t *testing.T) {
	t.Parallel()
	srv := bustest.New(t)
	layout := bustest.Layout()
	c := srv.Dial(t, bus.Options{Name: "con", Layout: &layout})
	if c.Ready() == nil {
		t.Error("ready without a server")
	}
	var g got
	consuming(t, c, bus.ConsumeOptions{}, g.handle(t))
	srv.Start()
	bustest.WaitFor(t, "connection", func() bool { return c.Ready() == nil })
	publishRaws(t, c, 0, 10)
	bustest.WaitFor(t, "messages", func() bool { return g.distinct() == 10 })
}

func TestConsumeDrains(t *testing.T) {
	srv := bustest.Start(t)
	c := srv.Conn(t, "con")
	publishRaws(t, c, 0, 100)
	ctx, cancel := context.WithCancel(t.Context())
	var g got
	err := c.Consume(ctx, bus.ConsumeOptions{Stream: feed.StreamRaw, Durable: bus.DurableEnrich}, func(d *bus.Delivery) {
		if g.total() == 0 {
			// By now everything has been sent to this process.
			bustest.WaitFor(t, "delivery of all", func() bool {
				lag, err := c.Lag(context.Background(), feed.StreamRaw, bus.DurableEnrich)
				return err == nil && lag.AckPending == 100
			})
			cancel()
		}
		g.handle(t)(d)
	})
	if err != nil {
		t.Fatal(err)
	}
	if g.total() != 100 {
		t.Errorf("%d of 100 handed out: the buffer was thrown away", g.total())
	}
	bustest.WaitFor(t, "the acks of all", func() bool {
		lag, err := c.Lag(t.Context(), feed.StreamRaw, bus.DurableEnrich)
		return err == nil && lag.AckPending == 0
	})
}

func TestConsumeEndsWithoutServer(t *testing.T) {
	t.Parallel()
	srv := bustest.Start(t)
	c := srv.Conn(t, "con")
	publishRaws(t, c, 0, 10)
	var g got
	stop := consuming(t, c, bus.ConsumeOptions{}, g.handle(t))
	bustest.WaitFor(t, "messages", func() bool { return g.distinct() == 10 })
	srv.Stop()
	stop()
}

// A message that is redelivered while it is still in work here is not handed
// out a second time; its one settlement settles it.
func TestConsumeInFlightRedelivery(t *testing.T) {
	t.Parallel()
	srv := bustest.Start(t)
	c := srv.Conn(t, "con")
	js := admin(t, srv)
	const durable = "quick"
	// Long enough that the ack, right after a redelivery, comes before the next.
	const wait = 500 * time.Millisecond
	if _, err := js.CreateConsumer(t.Context(), feed.StreamRaw, jetstream.ConsumerConfig{
		Durable: durable, AckPolicy: jetstream.AckExplicitPolicy, AckWait: wait,
	}); err != nil {
		t.Fatal(err)
	}
	publishRaws(t, c, 0, 1)
	deliveries := make(chan *bus.Delivery, 10)
	consuming(t, c, bus.ConsumeOptions{Stream: feed.StreamRaw, Durable: durable}, func(d *bus.Delivery) { deliveries <- d })
	d := <-deliveries
	held := bus.Held(c, feed.StreamRaw, durable)
	bustest.WaitFor(t, "two redeliveries", func() bool { return value(t, held) >= 2 })
	if err := d.Ack(); err != nil {
		t.Fatal(err)
	}
	bustest.WaitFor(t, "the one ack", func() bool {
		lag, err := c.Lag(t.Context(), feed.StreamRaw, durable)
		return err == nil && lag.AckPending == 0
	})
	if len(deliveries) != 0 {
		t.Errorf("handed out %d times more", len(deliveries))
	}
}

// droppedRanges collects what Dropped is told.
type droppedRanges struct {
	mu  sync.Mutex
	all []string
}

func (d *droppedRanges) add(from, to uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = append(d.all, fmt.Sprintf("%d-%d", from, to))
}

// upTo is where the ranges end if they follow each other from 1 on, else 0.
func (d *droppedRanges) upTo() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	var end uint64
	for _, s := range d.all {
		var from, to uint64
		if _, err := fmt.Sscanf(s, "%d-%d", &from, &to); err != nil || from != end+1 {
			return 0
		}
		end = to
	}
	return end
}

func (d *droppedRanges) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return fmt.Sprint(d.all)
}

func TestConsumeTellsDroppedOnce(t *testing.T) {
	t.Parallel()
	srv := bustest.Start(t)
	c := srv.Conn(t, "con")
	bus.WatchEvery(c, 20*time.Millisecond)
	publishRaws(t, c, 0, 20)
	trim(t, srv, 10) // 1 to 10 are gone before anybody read them
	// A paused consumer stays behind however often it is looked at.
	js := admin(t, srv)
	if _, err := js.PauseConsumer(t.Context(), feed.StreamRaw, bus.DurableEnrich, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	var ranges droppedRanges
	var g got
	o := bus.ConsumeOptions{Stream: feed.StreamRaw, Durable: bus.DurableEnrich, Dropped: ranges.add}
	stop := consuming(t, c, o, g.handle(t))
	bustest.WaitFor(t, "a report", func() bool { return ranges.upTo() == 10 })
	publishRaws(t, c, 20, 25)
	trim(t, srv, 10)
	bustest.WaitFor(t, "a report of what came later", func() bool { return ranges.upTo() == 15 })
	if _, err := js.ResumeConsumer(t.Context(), feed.StreamRaw, bus.DurableEnrich); err != nil {
		t.Fatal(err)
	}
	bustest.WaitFor(t, "the rest", func() bool { return g.distinct() == 10 })
	stop()
	if ranges.upTo() != 15 {
		t.Errorf("told %s, want each of 1 to 15 once", &ranges)
	}
}

// The window is bounded in bytes, too, and large messages still come through.
func TestConsumeLargeMessages(t *testing.T) {
	t.Parallel()
	const n, size = 60, 900 << 10 // more than one pull request may bring
	srv := bustest.Start(t)
	c := srv.Conn(t, "con")
	msgs := make([]bus.Msg, n)
	for i := range msgs {
		msgs[i] = rawMsg(i)
		msgs[i].Data = make([]byte, size)
		copy(msgs[i].Data, strconv.Itoa(i))
	}
	bustest.Publish(t, c, feed.StreamRaw, msgs...)
	var g got
	consuming(t, c, bus.ConsumeOptions{}, g.handle(t))
	bustest.WaitFor(t, "all", func() bool { return g.distinct() == n })
}

// Between two looks at the stream a hole shows only in the deliveries.
func TestConsumeTellsHoleBetweenDeliveries(t *testing.T) {
	srv := bustest.Start(t)
	c := srv.Conn(t, "con")
	publishRaws(t, c, 0, 3)
	var ranges droppedRanges
	var g got
	reached, proceed := make(chan struct{}), make(chan struct{})
	handle := g.handle(t)
	o := bus.ConsumeOptions{Stream: feed.StreamRaw, Durable: bus.DurableEnrich, Prefetch: 1, Dropped: ranges.add}
	consuming(t, c, o, func(d *bus.Delivery) {
		if d.Seq == 2 {
			close(reached)
			<-proceed
		}
		handle(d)
	})
	<-reached
	publishRaws(t, c, 3, 20)
	trim(t, srv, 6)
	close(proceed)
	bustest.WaitFor(t, "the last", func() bool { return g.total() >= 2+6 })
	bustest.WaitFor(t, "a report", func() bool { return ranges.String() != "[]" })
	t.Log(ranges.String())
	var from, to uint64
	if _, err := fmt.Sscanf(ranges.String(), "[%d-%d]", &from, &to); err != nil || from < 3 || from > 4 || to != 14 {
		t.Errorf("told %s, want [3-14] or [4-14]", ranges.String())
	}
}

// A stream that lost its end gives the same sequences to other messages: those
// are handed out, and what was in work does not settle them.
func TestConsumeStreamThatLostItsEnd(t *testing.T) {
	t.Parallel()
	srv := bustest.Start(t)
	c := srv.Conn(t, "con")
	bus.WatchEvery(c, 20*time.Millisecond)
	var g got
	var mu sync.Mutex
	var kept []*bus.Delivery
	handle := g.handle(t)
	consuming(t, c, bus.ConsumeOptions{}, func(d *bus.Delivery) {
		if strings.HasPrefix(string(d.Data), "lost") {
			mu.Lock()
			defer mu.Unlock()
			kept = append(kept, d)
			return
		}
		handle(d)
	})
	publishRaws(t, c, 0, 5)
	bustest.WaitFor(t, "the first", func() bool { return g.distinct() == 5 })
	srv.HurryConsumer(t, feed.StreamRaw, bus.DurableEnrich, time.Second)
	srv.Stop()
	restore := srv.Backup()
	srv.Start()
	for i := range 5 {
		bustest.Publish(t, c, feed.StreamRaw, bus.Msg{Subject: "raw.demo", ID: "lost:" + strconv.Itoa(i), Data: []byte("lost " + strconv.Itoa(i))})
	}
	bustest.WaitFor(t, "what will be lost", func() bool { mu.Lock(); defer mu.Unlock(); return len(kept) == 5 })
	srv.Stop()
	restore()
	srv.Start()
	publishRaws(t, c, 5, 10) // at the sequences of what was lost
	bustest.WaitFor(t, "what is there instead", func() bool { return g.distinct() == 10 })
	for _, d := range kept {
		if err := d.Ack(); !errors.Is(err, bus.ErrStale) {
			t.Errorf("ack of what was lost: %v", err)
		}
	}
}
