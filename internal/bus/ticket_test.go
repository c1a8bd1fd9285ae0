package bus_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
)

// Many who ask for a ticket at once, on two connections: one gets it.
func TestTicketIsTakenOnce(t *testing.T) {
	srv := bustest.Start(t)
	conns := []*bus.Conn{srv.Conn(t, "a"), srv.Conn(t, "b")}
	for round := range 5 {
		key := fmt.Sprint("k", round)
		if err := conns[0].StoreTicket(t.Context(), key, []byte("x")); err != nil {
			t.Fatal(err)
		}
		var took atomic.Int32
		var all sync.WaitGroup
		for i := range 10 {
			all.Go(func() {
				got, err := conns[i%2].TakeTicket(t.Context(), key)
				switch {
				case err == nil && string(got) == "x":
					took.Add(1)
				case !errors.Is(err, bus.ErrNoTicket):
					t.Errorf("%q, %v", got, err)
				}
			})
		}
		all.Wait()
		if took.Load() != 1 {
			t.Errorf("%d took it", took.Load())
		}
	}
	if err := conns[0].StoreTicket(t.Context(), "k0", []byte("again")); err == nil {
		t.Error("a ticket was stored over a spent one")
	}
	if _, err := conns[0].TakeTicket(t.Context(), "never"); !errors.Is(err, bus.ErrNoTicket) {
		t.Errorf("a ticket that never was: %v", err)
	}
	if _, err := conns[0].TakeTicket(t.Context(), "*"); err == nil {
		t.Error("a wildcard was taken for a key")
	}
}

// Tickets vanish by themselves, and too many of them are refused, not kept in
// place of others.
func TestTicketsAreBounded(t *testing.T) {
	srv := bustest.Start(t)
	c := srv.Dial(t, bus.Options{Name: "a"}) // no owner: it would put the limits back
	if err := c.Ensure(t.Context(), bustest.Layout()); err != nil {
		t.Fatal(err)
	}
	js := admin(t, srv)
	s, err := js.Stream(t.Context(), "KV_ticket")
	if err != nil {
		t.Fatal(err)
	}
	cfg := s.CachedInfo().Config
	if cfg.MaxAge != bus.TicketTTL || cfg.MaxMsgsPerSubject != 1 || cfg.Discard != jetstream.DiscardNew || cfg.AllowDirect {
		t.Errorf("the bucket is %+v", cfg)
	}
	// The same bucket, smaller and shorter, so that the test is short.
	cfg.MaxAge, cfg.Duplicates, cfg.MaxBytes = time.Second, time.Second, 8<<10
	if _, err := js.UpdateStream(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	payload := make([]byte, 1000)
	for n := 0; ; n++ {
		err := c.StoreTicket(t.Context(), fmt.Sprint("k", n), payload)
		if errors.Is(err, bus.ErrTickets) && n > 1 {
			break
		}
		if err != nil || n > 8 {
			t.Fatalf("ticket %d: %v", n, err)
		}
	}
	if got, err := c.TakeTicket(t.Context(), "k1"); err != nil || len(got) != len(payload) {
		t.Errorf("from a full bucket: %d bytes, %v", len(got), err)
	}
	bustest.WaitFor(t, "the tickets are gone", func() bool {
		info, err := s.Info(t.Context())
		return err == nil && info.State.Msgs == 0
	})
	if _, err := c.TakeTicket(t.Context(), "k0"); !errors.Is(err, bus.ErrNoTicket) {
		t.Errorf("an old ticket: %v", err)
	}
	if err := c.StoreTicket(t.Context(), "k0", make([]byte, 5000)); err == nil {
		t.Error("a ticket of any size is stored")
	}
}
