package embedded

import (
	"errors"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/blipstream/blipstream/internal/bus"
)

func sum(l bus.Layout) int64 {
	return l.Raw.MaxBytes + l.Events.MaxBytes + l.Replay.MaxBytes + l.Dead.MaxBytes
}

func layout(raw, events, replay, dead int64) bus.Layout {
	var l bus.Layout
	l.Raw.MaxBytes, l.Events.MaxBytes, l.Replay.MaxBytes, l.Dead.MaxBytes = raw, events, replay, dead
	return l
}

func TestFitKeepsLimitsThatFit(t *testing.T) {
	want := layout(1<<30, 1<<29, 1<<28, 1<<28)
	got, err := fit(want, space{total: 1 << 40, usable: 4 << 30})
	if err != nil || got != want {
		t.Errorf("fit = %+v, %v; want it unchanged", got, err)
	}
}

func TestFitLowersLimitsToTheDisk(t *testing.T) {
	got, err := fit(layout(8<<30, 4<<30, 2<<30, 2<<30), space{total: 1 << 40, usable: 2 << 30})
	if err != nil {
		t.Fatal(err)
	}
	if s := sum(got); s > 1<<30 || s < 1<<30-4 {
		t.Errorf("sum of limits is %d, want half of what can be used", s)
	}
	if got.Raw.MaxBytes != 2*got.Events.MaxBytes {
		t.Errorf("limits %+v lost their proportion", got)
	}
}

func TestFitRefusesAFullDisk(t *testing.T) {
	_, err := fit(layout(1<<30, 0, 0, 0), space{total: 1 << 40, usable: 100 << 20})
	if err == nil || !strings.Contains(err.Error(), "--data") {
		t.Errorf("error is %v, want advice", err)
	}
}

// TestStartsAfterAFailure: a port that was taken when the server was to be
// started anew does not keep it from starting once it is free.
func TestStartsAfterAFailure(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	log := newLogger(slog.New(slog.DiscardHandler))
	o := Options{Dir: t.TempDir()}
	_, text, err := net.SplitHostPort(taken.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := boot(o.server(port, 1<<30), log); err == nil {
		t.Fatal("started on a port that is taken")
	}
	if err := taken.Close(); err != nil {
		t.Fatal(err)
	}
	nats, err := boot(o.server(port, 1<<30), log)
	if err != nil {
		t.Fatal(err)
	}
	stop(nats)
}

// TestAllFitsTheLeastDisk: a disk that is not refused takes everything.
func TestAllFitsTheLeastDisk(t *testing.T) {
	disk := space{total: 128 << 20, usable: 128 << 20}
	l, err := fit(bus.DefaultLayout(), disk)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	nats, err := boot(Options{Dir: t.TempDir()}.server(server.RANDOM_PORT, disk.ceiling()), newLogger(log))
	if err != nil {
		t.Fatal(err)
	}
	defer stop(nats)
	conn, err := bus.Connect(bus.Options{URL: nats.ClientURL(), Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(conn.Ensure(t.Context(), l), conn.Close(t.Context())); err != nil {
		t.Error(err)
	}
}
