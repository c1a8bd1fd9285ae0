package bus_test

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
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
	if passed, err := c.RestartDurable(t.Context(), d.Stream, d.Name, time.Time{}); err != nil || passed != (bus.Passed{}) {
		t.Fatalf("restart: passed over %+v, %v", passed, err)
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
	passed, err := c.RestartDurable(t.Context(), d.Stream, d.Name, old[len(old)-1].Time.Add(1))
	if err != nil || passed != (bus.Passed{Old: 4}) {
		t.Fatalf("passed over %+v, %v; want the 4 that the consumer would have had", passed, err)
	}
	got := consume(t, c, d, 2, func(string) bool { return true })
	if !slices.Equal(got, []string{"5", "6"}) {
		t.Fatalf("got %v", got)
	}
}

// Of what the limits took, each sequence is told once, by the restart or by
// Consume, whether anything old is passed over as well or not.
func TestRestartDurableTellsWhatTheLimitsTook(t *testing.T) {
	for name, old := range map[string]uint64{"nothing is old": 0, "some are old": 3} {
		t.Run(name, func(t *testing.T) {
			srv := bustest.Start(t)
			c := srv.Conn(t, "test")
			d := testDurable()
			d.Subjects = nil
			bustest.Publish(t, c, feed.StreamRaw, numbered("raw.b", -3, 0)...) // before its time
			if err := c.EnsureDurable(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			bustest.Publish(t, c, feed.StreamRaw, numbered("raw.b", 1, 10)...)
			trim(t, srv, 5)
			stored := bustest.ReadAll(t, c, feed.StreamRaw)
			notBefore := stored[0].Time
			if old > 0 {
				notBefore = stored[old].Time
			}
			passed, err := c.RestartDurable(t.Context(), d.Stream, d.Name, notBefore)
			if err != nil || passed.Old > old {
				t.Fatalf("passed over %+v, %v; want %d old ones at most", passed, err, old)
			}
			var told atomic.Uint64
			told.Store(passed.Removed)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			n := uint64(0)
			o := bus.ConsumeOptions{
				Stream: d.Stream, Durable: d.Name, Make: &d, Dropped: func(from, to uint64) { told.Add(to - from + 1) },
			}
			err = c.Consume(ctx, o, func(*bus.Delivery) {
				if n++; n == 5-passed.Old {
					cancel()
				}
			})
			if err != nil || n != 5-passed.Old || told.Load() != 5 {
				t.Errorf("%d messages after %d old ones, %v; %d told as removed, want 5", n, passed.Old, err, told.Load())
			}
		})
	}
}

// A reader that was there before its durable begins with what came since. The
// server's clock is known no better than a request takes.
func TestDurableBeginsSinceAMoment(t *testing.T) {
	const margin = 200 * time.Millisecond
	srv := bustest.Start(t)
	c := srv.Conn(t, "test")
	d := testDurable()
	bustest.Publish(t, c, feed.StreamRaw, numbered("raw.a", 1, 3)...)
	old := bustest.ReadAll(t, c, feed.StreamRaw)
	bustest.WaitFor(t, "a moment after the last", func() bool { return time.Since(old[len(old)-1].Time) > margin })
	d.Since = time.Now()
	bustest.Publish(t, c, feed.StreamRaw, numbered("raw.a", 4, 6)...)
	asked := time.Now()
	if err := c.EnsureDurable(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	took := time.Since(asked)
	got := consume(t, c, d, 3, func(string) bool { return true })
	if !slices.Equal(got, []string{"4", "5", "6"}) && took <= margin {
		t.Fatalf("got %v, want what was stored since its reader began", got)
	}
	if passed, err := c.RestartDurable(t.Context(), d.Stream, d.Name, time.Time{}); err != nil || passed != (bus.Passed{}) {
		t.Fatalf("restart: passed over %+v, %v", passed, err)
	}
}

func TestDropDurable(t *testing.T) {
	srv := bustest.Start(t)
	c := srv.Conn(t, "test")
	d := testDurable()
	if err := c.EnsureDurable(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time there is none
		if err := c.DropDurable(t.Context(), d.Stream, d.Name); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Lag(t.Context(), d.Stream, d.Name); err == nil {
			t.Fatal("it is still there")
		}
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
