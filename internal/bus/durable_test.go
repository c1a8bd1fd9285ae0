package bus_test

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
)

func testDurable() bus.Durable {
	return bus.Durable{Stream: feed.StreamRaw, Name: "own", Description: "a test's", Subjects: []string{"raw.a", "raw.b"}}
}

func numbered(subject string, from, to int) []bus.Msg {
	var msgs []bus.Msg
	for i := from; i <= to; i++ {
		msgs = append(msgs, bus.Msg{Subject: subject, ID: subject + strconv.Itoa(i), Data: []byte(strconv.Itoa(i))})
	}
	return msgs
}

// consume runs Consume until n messages were handed out, settles those that
// settle says, and returns what came.
func consume(t *testing.T, c *bus.Conn, d bus.Durable, n int, settle func(string) bool) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var got []string
	err := c.Consume(ctx, bus.ConsumeOptions{Stream: d.Stream, Durable: d.Name, Make: &d}, func(m *bus.Delivery) {
		if len(got) == n {
			return
		}
		got = append(got, string(m.Data))
		if settle(string(m.Data)) {
			if err := m.Ack(); err != nil {
				t.Error(err)
			}
		}
		if len(got) == n {
			cancel()
		}
	})
	if err != nil || len(got) != n {
		t.Fatalf("consume: %v after %d of %d", err, len(got), n)
	}
	return got
}

func TestDurableBeginsNowAndKeepsItsPlace(t *testing.T) {
	srv := bustest.Start(t)
	c := srv.Conn(t, "test")
	d := testDurable()
	bustest.Publish(t, c, feed.StreamRaw, numbered("raw.a", 1, 3)...)
	if err := c.EnsureDurable(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	bustest.Publish(t, c, feed.StreamRaw, numbered("raw.a", 4, 5)...)
	bustest.Publish(t, c, feed.StreamRaw, numbered("raw.c", 90, 91)...)
	bustest.Publish(t, c, feed.StreamRaw, numbered("raw.b", 6, 6)...)
	got := consume(t, c, d, 3, func(string) bool { return true })
	if !slices.Equal(got, []string{"4", "5", "6"}) {
		t.Fatalf("got %v, want what was stored after the durable was made and passes its filter", got)
	}
	d.Subjects = []string{"raw.c"}
	if err := c.EnsureDurable(t.Context(), d); err != nil {
		t.Fatalf("change the filter: %v", err)
	}
	if err := c.EnsureDurable(t.Context(), d); err != nil {
		t.Fatalf("ensure twice: %v", err)
	}
	bustest.Publish(t, c, feed.StreamRaw, numbered("raw.a", 7, 7)...)
	bustest.Publish(t, c, feed.StreamRaw, numbered("raw.c", 92, 92)...)
	got = consume(t, c, d, 1, func(string) bool { return true })
	if !slices.Equal(got, []string{"92"}) {
		t.Fatalf("got %v, want only what the new filter lets through and was not passed before", got)
	}
}

// What the filter leaves out is no message that the limits took.
func TestFilteredDurableTellsNothingDropped(t *testing.T) {
	srv := bustest.Start(t)
	c := srv.Conn(t, "test")
	d := testDurable()
	for i := range 5 {
		bustest.Publish(t, c, feed.StreamRaw, numbered("raw.a", i, i)...)
		bustest.Publish(t, c, feed.StreamRaw, numbered("raw.c", i, i)...)
	}
	if err := c.EnsureDurable(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		bustest.Publish(t, c, feed.StreamRaw, numbered("raw.a", 10+i, 10+i)...)
		bustest.Publish(t, c, feed.StreamRaw, numbered("raw.c", 10+i, 10+i)...)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	n := 0
	dropped := func(from, to uint64) { t.Errorf("told that %d to %d were dropped", from, to) }
	err := c.Consume(ctx, bus.ConsumeOptions{Stream: d.Stream, Durable: d.Name, Make: &d, Dropped: dropped}, func(*bus.Delivery) {
		if n++; n == 5 {
			cancel()
		}
	})
	if err != nil || n != 5 {
		t.Errorf("%d messages, %v", n, err)
	}
}

func TestRestartDurableBringsUnsettledFirstAndInOrder(t *testing.T) {
	srv := bustest.Start(t)
	c := srv.Conn(t, "test")
	d := testDurable()
	if err := c.EnsureDurable(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	bustest.Publish(t, c, feed.StreamRaw, numbered("raw.a", 1, 6)...)
	consume(t, c, d, 6, func(s string) bool { return s == "1" || s == "2" || s == "5" })
	bustest.Publish(t, c, feed.StreamRaw, numbered("raw.a", 7, 8)...)
	bustest.WaitFor(t, "acks are counted", func() bool {
		lag, err := c.Lag(t.Context(), d.Stream, d.Name)
		return err == nil && lag.AckPending == 3
	})
	if skipped, err := c.RestartDurable(t.Context(), d.Stream, d.Name, time.Time{}); err != nil || skipped != 0 {
		t.Fatalf("restart: %d skipped, %v", skipped, err)
	}
	got := consume(t, c, d, 6, func(string) bool { return true })
	if !slices.Equal(got, []string{"3", "4", "5", "6", "7", "8"}) {
		t.Fatalf("got %v, want everything after the last gapless ack, oldest first", got)
	}
}

func TestRestartDurableSkipsWhatIsOld(t *testing.T) {
	srv := bustest.Start(t)
	c := srv.Conn(t, "test")
	d := testDurable()
	if err := c.EnsureDurable(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	bustest.Publish(t, c, feed.StreamRaw, numbered("raw.a", 1, 4)...)
	bustest.Publish(t, c, feed.StreamRaw, numbered("raw.c", 90, 95)...)
	old := bustest.ReadAll(t, c, feed.StreamRaw)
	bustest.Publish(t, c, feed.StreamRaw, numbered("raw.a", 5, 6)...)
	skipped, err := c.RestartDurable(t.Context(), d.Stream, d.Name, old[len(old)-1].Time.Add(1))
	if err != nil || skipped != 4 {
		t.Fatalf("skipped %d, %v; want the 4 that the consumer would have had", skipped, err)
	}
	got := consume(t, c, d, 2, func(string) bool { return true })
	if !slices.Equal(got, []string{"5", "6"}) {
		t.Fatalf("got %v", got)
	}
}

func TestConsumeMakesItsDurableAgain(t *testing.T) {
	srv := bustest.Start(t)
	c := srv.Conn(t, "test")
	d := testDurable()
	if err := c.EnsureDurable(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex
	seen := map[string]bool{}
	done := make(chan error, 1)
	go func() {
		done <- c.Consume(ctx, bus.ConsumeOptions{Stream: d.Stream, Durable: d.Name, Make: &d}, func(m *bus.Delivery) {
			mu.Lock()
			seen[string(m.Data)] = true
			mu.Unlock()
			_ = m.Ack()
		})
	}()
	got := func(want string) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			return seen[want]
		}
	}
	bustest.Publish(t, c, feed.StreamRaw, numbered("raw.a", 1, 1)...)
	bustest.WaitFor(t, "the first message", got("1"))
	if err := admin(t, srv).DeleteConsumer(t.Context(), d.Stream, d.Name); err != nil {
		t.Fatal(err)
	}
	bustest.Publish(t, c, feed.StreamRaw, numbered("raw.b", 2, 2)...)
	bustest.WaitFor(t, "a message stored after the consumer was deleted", got("2"))
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
