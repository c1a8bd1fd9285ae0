package bridge_test

import (
	"context"
	"encoding/json"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/bridge"
)

// load publishes events 1, 2, 3... at some 500 a second until stopped.
type load struct {
	mu   sync.Mutex
	last int
	stop func()
}

func startLoad(t *testing.T, conn *bus.Conn) *load {
	t.Helper()
	p, err := conn.NewPublisher(bus.PublisherOptions{Stream: feed.StreamEvents})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			for range 5 {
				n := l.sent() + 1
				if p.Publish(ctx, blips(n, n), func(error) {}) != nil {
					return
				}
				l.set(n)
			}
		}
	}()
	l.stop = sync.OnceFunc(func() {
		cancel()
		<-done
		flush, stop := context.WithTimeout(context.Background(), 10*time.Second)
		defer stop()
		if err := p.Flush(flush); err != nil {
			t.Error(err)
		}
		p.Close()
	})
	t.Cleanup(l.stop)
	return l
}

func (l *load) sent() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

func (l *load) set(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = n
}

// numbers are the ids of the events heard, in order.
func numbers(t *testing.T, said []string) []int {
	t.Helper()
	var all []int
	for _, s := range said {
		var outer struct{ Body string }
		var inner struct{ ID string }
		if err := json.Unmarshal([]byte(s), &outer); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(outer.Body), &inner); err != nil {
			t.Fatal(err)
		}
		n, err := strconv.Atoi(inner.ID)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, n)
	}
	return all
}

// checkOrder proves that all holds from to to, each first heard in order:
// what was on its way at a break may be heard again, and nothing else.
func checkOrder(t *testing.T, all []int, from, to, again int) {
	t.Helper()
	next, repeats := from, 0
	for i, n := range all {
		switch {
		case n == next:
			next++
		case n < next && n >= from:
			repeats++
		default:
			t.Fatalf("heard %d as number %d, want %d", n, i, next)
		}
	}
	if next != to+1 {
		t.Fatalf("heard up to %d, want %d", next-1, to)
	}
	if repeats > again {
		t.Errorf("%d messages were heard again, want %d at most", repeats, again)
	}
}

// TestRedisAwayLosesNothing takes Redis away under load in both ways there
// are, for five seconds each.
func TestRedisAwayLosesNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ away, back func(*redisServer) }{
		"killed": {(*redisServer).kill, (*redisServer).start},
		"frozen": {(*redisServer).freeze, (*redisServer).thaw},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv, red := bustest.Start(t), startRedis(t)
			conn := srv.Conn(t, "bridge")
			ear := red.listen("events")
			red.subscribed("events")
			cfg := config(red, bridge.Off, bridge.Out)
			cfg.Redis = red.url() // what hangs is found out by the timeouts
			r := run(t, conn, cfg)
			l := startLoad(t, conn)
			bustest.WaitFor(t, "the load flows", func() bool { return ear.count() > 300 })
			c.away(red)
			bustest.WaitFor(t, "the bridge notices", func() bool { return !r.up() })
			gone := l.sent()
			bustest.WaitFor(t, "a backlog of 5 seconds", func() bool { return l.sent() > gone+2500 })
			c.back(red)
			bustest.WaitFor(t, "the load flows again", func() bool { return ear.count() > gone+2700 })
			l.stop()
			total := l.sent()
			bustest.WaitFor(t, "everything is heard", func() bool {
				said := numbers(t, ear.heard())
				return said[len(said)-1] == total
			})
			if n := len(bustest.ReadAll(t, conn, feed.StreamEvents)); n != total {
				t.Errorf("%d events are stored, want %d", n, total)
			}
			checkOrder(t, numbers(t, ear.heard()), 1, total, 2*512)
			if r.metric("skipped_total") != 0 || r.metric("sessions_total") < 2 {
				t.Errorf("skipped %v, sessions %v", r.metric("skipped_total"), r.metric("sessions_total"))
			}
		})
	}
}

func TestWhatIsOlderThanMaxAgeIsSkippedAndCounted(t *testing.T) {
	srv, red := bustest.Start(t), startRedis(t)
	conn := srv.Conn(t, "bridge")
	ear := red.listen("events")
	red.subscribed("events")
	cfg := config(red, bridge.Off, bridge.Out)
	cfg.MaxAge = 2 * time.Second
	r := run(t, conn, cfg)
	bustest.Publish(t, conn, feed.StreamEvents, blips(1, 10)...)
	bustest.WaitFor(t, "the first are heard", func() bool { return ear.count() == 10 })
	red.kill()
	bustest.WaitFor(t, "the bridge notices", func() bool {
		bustest.Publish(t, conn, feed.StreamEvents, blips(11, 11)...)
		return !r.up()
	})
	bustest.Publish(t, conn, feed.StreamEvents, blips(12, 500)...)
	stored := bustest.ReadAll(t, conn, feed.StreamEvents)
	bustest.WaitFor(t, "they grow old", func() bool { return time.Since(stored[len(stored)-1].Time) > cfg.MaxAge })
	bustest.Publish(t, conn, feed.StreamEvents, blips(501, 520)...)
	red.start()
	bustest.WaitFor(t, "the young are heard", func() bool { return ear.count() >= 30 })
	checkOrder(t, numbers(t, ear.heard())[10:], 501, 520, 0)
	if got := r.metric("skipped_total"); got != 490 {
		t.Errorf("%v counted as skipped, want 490", got)
	}
}

// TestNatsAwayKeepsWhatRedisBrings stops NATS while messages come in, for longer
// than the lease lasts.
func TestNatsAwayKeepsWhatRedisBrings(t *testing.T) {
	srv, red := bustest.Start(t), startRedis(t)
	conn := srv.Conn(t, "bridge")
	cfg := config(red, bridge.In, bridge.Off)
	cfg.LeaseTTL = time.Second
	r := run(t, conn, cfg)
	publishRaw(t, red, 1, 1000)
	bustest.WaitFor(t, "the first are stored", func() bool { return r.metric("passed_total") == 1000 })
	srv.Stop()
	publishRaw(t, red, 1001, 2000)
	bustest.WaitFor(t, "the lease is lost", func() bool { return !r.State().Working })
	publishRaw(t, red, 2001, 3000)
	srv.Start()
	publishRaw(t, red, 3001, 3100)
	bustest.WaitFor(t, "all have passed", func() bool { return r.metric("passed_total") == 3100 })
	storedOnce(t, conn, 3100)
}

// TestNatsAwayKeepsTheOrder restarts NATS while events go out: what had been on
// its way to the bridge comes again before what is newer, and at once.
func TestNatsAwayKeepsTheOrder(t *testing.T) {
	t.Parallel()
	srv, red := bustest.Start(t), startRedis(t)
	conn := srv.Conn(t, "bridge")
	ear := red.listen("events")
	red.subscribed("events")
	r := run(t, conn, config(red, bridge.Off, bridge.Out))
	for round := range 3 {
		// A backlog, so that much is on its way.
		red.freeze()
		bustest.Publish(t, conn, feed.StreamEvents, blips(1+round*8000, (1+round)*8000)...)
		red.thaw()
		from := round*8000 + 1
		bustest.WaitFor(t, "the backlog flows", func() bool { return ear.count() > from })
		srv.Restart()
		bustest.WaitFor(t, "everything is heard", func() bool {
			said := numbers(t, ear.heard())
			return said[len(said)-1] == (1+round)*8000
		})
	}
	checkOrder(t, numbers(t, ear.heard()), 1, 3*8000, 3*10_000)
	if r.metric("redis_up") != 1 {
		t.Error("that NATS was away is laid to Redis")
	}
}

// publishRaw publishes the tweets from to to, as the old consumer would.
func publishRaw(t *testing.T, red *redisServer, from, to int) {
	t.Helper()
	pipe := red.client().Pipeline()
	for i := from; i <= to; i++ {
		pipe.Publish(t.Context(), "twitter_raw", rawTweet(i, "x")+"\r")
	}
	if _, err := pipe.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// storedOnce waits until the tweets from 1 to n are in RAW, and wants no other.
func storedOnce(t *testing.T, conn *bus.Conn, n int) {
	t.Helper()
	var stored []bus.Stored
	bustest.WaitFor(t, "all are stored", func() bool {
		stored = bustest.ReadAll(t, conn, feed.StreamRaw)
		return len(stored) >= n
	})
	ids := map[string]bool{}
	for _, m := range stored {
		ids[m.Header.Get("Nats-Msg-Id")] = true
	}
	if len(ids) != n || len(stored) != n {
		t.Errorf("%d items with %d ids are stored, want %d of each", len(stored), len(ids), n)
	}
}

// What the line stores while the bridge looks for Redis for the first time
// reaches old programs. What was stored in the moment before may, too.
func TestOutBeginsWhenTheBridgeDoes(t *testing.T) {
	srv, red := bustest.Start(t), startRedis(t)
	conn := srv.Conn(t, "bridge")
	ear := red.listen("events")
	red.subscribed("events")
	red.kill()
	bustest.Publish(t, conn, feed.StreamEvents, blips(1, 10)...)
	r := launch(t, conn, config(red, bridge.Off, bridge.Out))
	bustest.Publish(t, conn, feed.StreamEvents, blips(11, 60)...)
	red.start()
	bustest.Publish(t, conn, feed.StreamEvents, blips(61, 80)...)
	bustest.WaitFor(t, "all are heard", func() bool {
		said := numbers(t, ear.heard())
		return len(said) > 0 && said[len(said)-1] == 80
	})
	said := numbers(t, ear.heard())
	checkOrder(t, said, min(said[0], 11), 80, 0)
	if n := r.metric("skipped_total") + r.metric("missed_total"); n != 0 {
		t.Errorf("%v were passed over", n)
	}
}

// TestSlowSubscriberIsTold has Redis drop a subscriber that does not read.
func TestSlowSubscriberIsTold(t *testing.T) {
	srv, red := bustest.Start(t), startRedis(t, "--client-output-buffer-limit", "pubsub 64kb 0 0")
	conn := srv.Conn(t, "bridge")
	slow, err := net.Dial("tcp", red.addr())
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	if _, err := slow.Write([]byte("SUBSCRIBE twitter_raw\r\n")); err != nil {
		t.Fatal(err)
	}
	red.subscribed("twitter_raw")
	r := run(t, conn, config(red, bridge.Out, bridge.Off))
	text, id := strings.Repeat("x", 50_000), 0
	bustest.WaitFor(t, "the bridge sees it go", func() bool {
		for range 50 {
			id++
			bustest.PublishRaw(t, conn, feed.Item{
				ID: strconv.Itoa(id), Source: "t", Format: feed.FormatTwitterV1, Data: []byte(rawTweet(id, text)),
			})
		}
		return r.metric("receivers_left_total") == 1 && r.metric("unheard_total") > 0
	})
	if r.metric("receivers") != 0 {
		t.Errorf("%v receivers", r.metric("receivers"))
	}
}
