package bus_test

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
)

// number stores messages from..to-1 in RAW.
func number(t *testing.T, c *bus.Conn, from, to int) {
	t.Helper()
	msgs := make([]bus.Msg, 0, to-from)
	for i := from; i < to; i++ {
		msgs = append(msgs, bus.Msg{Subject: "raw.test", ID: "test:" + strconv.Itoa(i), Data: []byte(strconv.Itoa(i))})
	}
	bustest.Publish(t, c, feed.StreamRaw, msgs...)
}

// take consumes, by a process of its own, until what waits is settled and
// written down; it returns the payloads.
func take(t *testing.T, srv *bustest.Server, floor string) []string {
	t.Helper()
	c := srv.Conn(t, "place")
	defer bustest.Close(c)
	bus.WatchEvery(c, 20*time.Millisecond)
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex
	var got []string
	done := make(chan error, 1)
	go func() {
		o := bus.ConsumeOptions{Stream: feed.StreamRaw, Durable: bus.DurableEnrich, Place: "test"}
		done <- c.Consume(ctx, o, func(d *bus.Delivery) {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, string(d.Data))
			_ = d.Ack() // one that is lost comes again
		})
	}()
	bustest.WaitFor(t, "the place to be kept", func() bool {
		lag, err := c.Lag(t.Context(), feed.StreamRaw, bus.DurableEnrich)
		if err != nil || lag.Pending+lag.AckPending > 0 {
			return false
		}
		kept := bustest.ReadAll(t, c, "KV_cursor")
		return len(kept) == 1 && strings.Contains(string(kept[0].Data), `"floor":`+floor+`}`)
	})
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return got
}

// A consumer made anew while nobody reads begins where the last one was; one
// that an operator sets back, or one of a stream made anew, does not.
func TestPlaceOutlivesTheConsumer(t *testing.T) {
	srv := bustest.Start(t)
	c := srv.Conn(t, "test")
	number(t, c, 0, 50)
	if got := take(t, srv, "50"); len(got) != 50 {
		t.Fatalf("%d messages, want 50", len(got))
	}
	srv.DeleteConsumer(t, feed.StreamRaw, bus.DurableEnrich)
	number(t, c, 50, 55)
	if got := take(t, srv, "55"); len(got) != 5 || got[0] != "50" {
		t.Errorf("the consumer made anew got %v, want 50 to 54", got)
	}
	if _, err := admin(t, srv).ResetConsumerToSequence(t.Context(), feed.StreamRaw, bus.DurableEnrich, 53); err != nil {
		t.Fatal(err)
	}
	number(t, c, 55, 56)
	if got := take(t, srv, "56"); len(got) != 4 || got[0] != "52" {
		t.Errorf("after a reset it got %v, want 52 to 55", got)
	}
	srv.DeleteStream(t, feed.StreamRaw)
	bustest.WaitFor(t, "the stream", func() bool { _, err := c.Stream(t.Context(), feed.StreamRaw); return err == nil })
	number(t, c, 100, 103)
	if got := take(t, srv, "3"); len(got) != 3 || got[0] != "100" {
		t.Errorf("of a stream made anew it got %v, want 100 to 102", got)
	}
}
