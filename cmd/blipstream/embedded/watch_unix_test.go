//go:build linux || darwin || freebsd

package embedded_test

import (
	"context"
	"os/signal"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
)

// fill has this process write no file beyond a size, in bytes, as a disk would
// that is full. The returned function makes room.
func fill(t *testing.T, size uint64) (room func()) {
	t.Helper()
	signal.Ignore(unix.SIGXFSZ) // so that a write fails instead of the process
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	set := func(l unix.Rlimit) {
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &l); err != nil {
			t.Error(err)
		}
	}
	small := before
	small.Cur = size
	set(small)
	room = func() { set(before) }
	t.Cleanup(room)
	return room
}

// TestStoresAgainAfterAFullDisk: what is published while a disk is full is
// stored once there is room, and what was stored before is still there.
func TestStoresAgainAfterAFullDisk(t *testing.T) {
	s := start(t, options(t.TempDir()))
	url := s.URL()
	visit(t, s, func(ctx context.Context, conn *bus.Conn) {
		p, err := conn.NewPublisher(bus.PublisherOptions{Stream: feed.StreamEvents})
		if err != nil {
			t.Fatal(err)
		}
		stored := make(chan error, 2)
		publish := func(id string) {
			msg := bus.Msg{Subject: feed.EventSubject(feed.KindGeoBlip), ID: id, Data: make([]byte, 64<<10)}
			if err := p.Publish(ctx, []bus.Msg{msg}, func(err error) { stored <- err }); err != nil {
				t.Fatal(err)
			}
		}
		outcome := func() error {
			select {
			case err := <-stored:
				return err
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		publish("before")
		if err := outcome(); err != nil {
			t.Fatal(err)
		}
		room := fill(t, 80<<10)
		publish("meanwhile")
		bustest.WaitFor(t, "a failed write is not told", func() bool { return s.Ready() != nil })
		room()
		if err := outcome(); err != nil {
			t.Fatalf("what was published meanwhile: %v", err)
		}
		if state, err := conn.Stream(ctx, feed.StreamEvents); err != nil || state.Messages != 2 {
			t.Errorf("EVENTS holds %d messages (%v), want 2", state.Messages, err)
		}
	})
	if err := s.Ready(); err != nil || s.URL() != url {
		t.Errorf("at %s, %v; want it ready at %s", s.URL(), err, url)
	}
}
