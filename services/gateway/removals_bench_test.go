package gateway

import (
	"fmt"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/service"
)

// BenchmarkLoadRemovals measures how long a gateway that starts reads what was
// removed: until it is ready (ready-s), and until it serves the oldest history,
// without the rests it takes (all-s). One removal in ten is of a position, and
// there are as many posts as removals between them.
func BenchmarkLoadRemovals(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprintf("%dk", n/1000), func(b *testing.B) {
			conn := removedMany(b, n)
			for b.Loop() {
				loadRemovals(b, conn)
			}
		})
	}
}

// loadRemovals does what a gateway does at its start.
func loadRemovals(b *testing.B, conn *bus.Conn) {
	b.Helper()
	s, err := New(testConfig(), conn, service.Nop())
	if err != nil {
		b.Fatal(err)
	}
	defer s.listener.Close()
	s.cfg.RingBytes = DefaultConfig().RingBytes
	began := time.Now()
	if !s.follower.retry(b.Context(), s.follower.warmFrom) || !s.follower.loadRemovals(b.Context()) {
		b.Fatal("not loaded")
	}
	b.ReportMetric(time.Since(began).Seconds(), "ready-s")
	for more := true; more; {
		if more, err = s.removals.extend(b.Context(), conn); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(time.Since(began).Seconds(), "all-s")
	b.ReportMetric(float64(s.removals.count()), "kept")
}

// removedMany is a connection to a stream with n removals in it.
func removedMany(b *testing.B, n int) *bus.Conn {
	b.Helper()
	server := bustest.Start(b)
	layout := bustest.Layout()
	layout.Events.MaxBytes, layout.DedupeWindow = 1<<30, time.Second
	conn := server.Dial(b, bus.Options{Name: "gateway", Layout: &layout})
	if err := conn.Ensure(b.Context(), layout); err != nil {
		b.Fatal(err)
	}
	const batch = 10_000
	for from := 0; from < n; from += batch {
		msgs := make([]bus.Msg, 0, 2*batch)
		for i := from; i < from+batch; i++ {
			m := bus.Msg{
				Subject: feed.EventSubject(feed.KindPostRemoved), ID: fmt.Sprintf("r%d", i),
				Data: fmt.Appendf(nil, `{"id":"17%017d","source":"demo","time":"2026-11-24T02:00:00Z"}`, i),
			}
			if i%10 == 0 {
				m.Subject = feed.EventSubject(feed.KindGeoRemoved)
				m.Data = fmt.Appendf(nil, `{"id":"u%d-17%017d","source":"demo","userId":"u%d","upToId":"17%017d"}`, i, i, i, i)
			}
			post := bus.Msg{
				Subject: feed.EventSubject(feed.KindSimpleTweet), ID: fmt.Sprintf("p%d", i),
				Data: fmt.Appendf(nil, `{"id":"%d","source":"demo","body":"a post that stays"}`, i),
			}
			msgs = append(msgs, m, post)
		}
		bustest.Publish(b, conn, feed.StreamEvents, msgs...)
	}
	return conn
}
