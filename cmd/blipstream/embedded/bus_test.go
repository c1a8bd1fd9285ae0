package embedded_test

import (
	"context"
	"testing"
	"time"

	"github.com/blipstream/blipstream/cmd/blipstream/embedded"
	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/feed"
)

// visit connects to s without a socket, makes the streams and calls fn.
func visit(t *testing.T, s *embedded.Server, fn func(context.Context, *bus.Conn)) {
	t.Helper()
	layout, err := s.Fit(bus.DefaultLayout())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := bus.Connect(bus.Options{InProcess: s, Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := conn.Ensure(ctx, layout); err != nil {
		t.Fatal(err)
	}
	fn(ctx, conn)
	if err := conn.Close(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestStreamsFitTheDiskAndOutliveTheServer(t *testing.T) {
	dir := t.TempDir()
	first := start(t, options(dir))
	visit(t, first, func(ctx context.Context, conn *bus.Conn) {
		p, err := conn.NewPublisher(bus.PublisherOptions{Stream: feed.StreamEvents})
		if err != nil {
			t.Fatal(err)
		}
		msg := bus.Msg{Subject: feed.EventSubject(feed.KindGeoBlip), ID: "1", Data: []byte("{}")}
		if err := p.Publish(ctx, []bus.Msg{msg}, func(err error) {
			if err != nil {
				t.Errorf("publish: %v", err)
			}
		}); err != nil {
			t.Fatal(err)
		}
		if err := p.Flush(ctx); err != nil {
			t.Fatal(err)
		}
	})
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	visit(t, start(t, options(dir)), func(ctx context.Context, conn *bus.Conn) {
		if s, err := conn.Stream(ctx, feed.StreamEvents); err != nil || s.Messages != 1 {
			t.Errorf("EVENTS holds %d messages after a restart (%v), want 1", s.Messages, err)
		}
	})
}
