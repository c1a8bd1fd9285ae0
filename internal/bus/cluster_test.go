package bus_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
)

// The whole of it on streams with three replicas, one server of which goes
// away in the middle.
func TestClusterOfThree(t *testing.T) {
	t.Parallel()
	const total = 3000
	servers := bustest.StartCluster(t, 3)
	layout := bustest.Layout()
	layout.Replicas = 3
	dial := func(name string) *bus.Conn {
		return servers[0].Dial(t, bus.Options{Name: name, Layout: &layout})
	}
	a, b := dial("a"), dial("b")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := a.Ensure(ctx, layout); err != nil {
		t.Fatal(err)
	}
	var g got
	consuming(t, b, bus.ConsumeOptions{}, g.handle(t))
	var f followed
	following(t, b, 1, &f)
	var active atomic.Int32
	first := hold(t, a, "first", 30*time.Second, &active)
	token := <-first.tokens
	second := hold(t, b, "second", 30*time.Second, &active)

	p := newPublisher(t, a, bus.PublisherOptions{Window: 256})
	for i := range total {
		if i == total/2 {
			servers[0].Stop() // the one that the clients are connected to
		}
		if err := p.Publish(ctx, []bus.Msg{rawMsg(i)}, func(err error) {
			if err != nil {
				t.Error(err)
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	bustest.WaitFor(t, "all at the consumer", func() bool { return g.distinct() == total })
	bustest.WaitFor(t, "all at the follower", func() bool { return f.count() == total })
	if n := len(bustest.ReadAll(t, a, feed.StreamRaw)); n != total {
		t.Errorf("%d messages stored", n)
	}
	first.stop()
	if next := <-second.tokens; next <= token {
		t.Errorf("token %d after %d", next, token)
	}
	cur, _, err := a.ClaimCursor(ctx, "ingest.demo", 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.ClaimCursor(ctx, "ingest.demo", 2); err != nil {
		t.Fatal(err)
	}
	if err := cur.Save(ctx, "x"); err == nil {
		t.Error("a fenced writer saved on a replicated bucket")
	}
}
