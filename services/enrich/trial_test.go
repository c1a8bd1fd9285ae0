package enrich_test

import (
	"context"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/services/enrich"
)

// most is how many deliveries make an item suspect in these tests.
const most = 2

// plain is a replica on a connection that makes no streams.
func plain(t *testing.T, srv *bustest.Server) *enrich.Service {
	t.Helper()
	cfg := enrich.DefaultConfig()
	cfg.MaxDeliveries = most
	svc, err := enrich.New(cfg, srv.Dial(t, bus.Options{Name: "enrich"}), service.Nop())
	if err != nil {
		t.Fatal(err)
	}
	svc.SetDrain(10 * time.Millisecond)
	return svc
}

// unowned makes the streams, with a consumer that soon delivers again, and returns a connection that does not make them again.
func unowned(t *testing.T, srv *bustest.Server) *bus.Conn {
	t.Helper()
	bustest.Close(srv.Conn(t, "owner"))
	srv.HurryConsumer(t, feed.StreamRaw, bus.DurableEnrich, 200*time.Millisecond)
	return srv.Dial(t, bus.Options{Name: "test"})
}

// killer is a deriver that ends its process, as far as a test can: the
// goroutine that reads ends, and settles nothing.
type killer struct{ struck chan<- struct{} }

func (killer) Kind() feed.Kind { return "killer" }

func (k killer) Derive(rec *feed.Record) (feed.Event, bool) {
	if strings.Contains(rec.Body, "boom") {
		k.struck <- struct{}{}
		runtime.Goexit()
	}
	return feed.Event{}, false
}

// An item that ends every process that takes it is put aside, after no more
// than the deliveries that make it suspect and the trials; its neighbours are not.
func TestKillerIsADeadLetter(t *testing.T) {
	srv := bustest.Start(t)
	conn := unowned(t, srv)
	bad := tweet(2)
	bad.Data = []byte(strings.Replace(string(bad.Data), "number", "boom", 1))
	bustest.PublishRaw(t, conn, tweet(1), bad, tweet(3))
	struck, ended := make(chan struct{}, 1), 0
	for ended <= most+10 {
		svc, done := plain(t, srv), make(chan struct{})
		svc.AddDeriver(killer{struck})
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			defer close(done)
			if err := svc.Run(ctx); err != nil {
				t.Error(err)
			}
		}()
		buried := func() bool { return len(letters(t, conn)["2"]) > 0 }
		survived := false
		bustest.WaitFor(t, "the process to end or the item to be put aside", func() bool {
			survived = buried()
			return survived || len(struck) > 0
		})
		if survived {
			settled(t, conn)
			cancel()
			<-done
			break
		}
		<-struck
		<-done
		cancel()
		ended++
	}
	const trials = 3
	if ended != most+trials {
		t.Errorf("it ended %d processes, want %d", ended, most+trials)
	}
	dead := letters(t, conn)
	if len(dead) != 1 || dead["2"][0].Subject != "dead.enrich.deliveries" {
		t.Fatalf("letters %+v", dead)
	}
	if n, err := strconv.Atoi(dead["2"][0].Header.Get(feed.HeaderDeliveries)); err != nil || n <= most+trials {
		t.Errorf("delivered %d times (%v), want more than %d", n, err, most+trials)
	}
	got := events(t, conn)
	wantTweets(t, got, 1, 2)
	wantTweets(t, got, 3, 4)
}

// onlooker is a deriver that counts the items it is shown.
type onlooker struct{ seen *atomic.Int64 }

func (onlooker) Kind() feed.Kind { return "onlooker" }

func (o onlooker) Derive(*feed.Record) (feed.Event, bool) {
	o.seen.Add(1)
	return feed.Event{}, false
}

// However often a process is started and stopped while EVENTS is gone, its
// items come through when EVENTS is back: only what is begun and not seen
// through speaks against an item, not its deliveries.
func TestOutageIsNoGuilt(t *testing.T) {
	srv := bustest.Start(t)
	conn := unowned(t, srv)
	const items = 5
	bustest.PublishRaw(t, conn, tweets(1, items+1)...)
	srv.DeleteStream(t, feed.StreamEvents)
	const starts = most + 5 // more than the deliveries and the trials
	for i := range starts {
		svc, seen := plain(t, srv), &atomic.Int64{}
		svc.AddDeriver(onlooker{seen})
		stop := run(t, svc)
		bustest.WaitFor(t, "the items to be in work", func() bool {
			if dead := letters(t, conn); len(dead) > 0 {
				t.Fatalf("letters %+v", dead)
			}
			return seen.Load() == items
		})
		if i < starts-1 {
			stop()
		}
	}
	srv.Conn(t, "owner") // makes it again
	settled(t, conn)
	wantTweets(t, events(t, conn), 1, items+1)
	if dead := letters(t, conn); len(dead) > 0 {
		t.Errorf("letters %+v", dead)
	}
}

// While it cannot be noted that an item is begun, it waits: it is neither put
// aside nor given the chance to end the process unseen.
func TestTrialNeedsItsBucket(t *testing.T) {
	srv := bustest.Start(t)
	conn := unowned(t, srv)
	bustest.PublishRaw(t, conn, tweet(1))
	readAndRetry(t, conn, most)
	srv.DeleteStream(t, "KV_"+bus.BucketTrial)
	stop := run(t, plain(t, srv))
	bustest.PublishRaw(t, conn, tweet(2))
	bustest.WaitFor(t, "the other item's events", func() bool { return stored(t, conn) >= 2 })
	stop()
	if got := events(t, conn); len(got) != 2 {
		t.Errorf("events %v", got)
	}
	if dead := letters(t, conn); len(dead) > 0 {
		t.Errorf("letters %+v", dead)
	}
}
