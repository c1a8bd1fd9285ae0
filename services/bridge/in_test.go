package bridge

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/service"
)

// refuse has n messages refused while NATS is away and the channel is left:
// more than there is room for their letters.
func refuse(t *testing.T, srv *bustest.Server, n int) *incoming {
	t.Helper()
	cfg := DefaultConfig()
	cfg.TwitterRaw = In
	s, err := New(cfg, srv.Conn(t, "bridge"), service.Nop())
	if err != nil {
		t.Fatal(err)
	}
	s.Change(func(m *bus.Msg) { m.Subject = "raw. legacy" })
	w := s.listeners[0]
	if err := w.open(); err != nil {
		t.Fatal(err)
	}
	srv.Stop()
	left, leave := context.WithCancel(t.Context())
	leave()
	for i := range n {
		if err := w.take(left, []byte(`{"id_str":"`+strconv.Itoa(i)+`"}`), time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func (w *incoming) deadCount(reason string) int {
	return int(testutil.ToFloat64(w.meter.dead.WithLabelValues(reason)))
}

func TestRefusedWaitForRoomInDead(t *testing.T) {
	srv := bustest.Start(t)
	w := refuse(t, srv, 2*deadWindow)
	defer w.close()
	srv.Start()
	bustest.WaitFor(t, "every letter is told of", func() bool { return w.deadCount("refused")+w.deadCount("lost") == 2*deadWindow })
	if n := w.deadCount("lost"); n > 0 {
		t.Errorf("%d of %d letters are lost", n, 2*deadWindow)
	}
}

func TestCloseEndsTheWaitForRoomInDead(t *testing.T) {
	w := refuse(t, bustest.Start(t), 2*deadWindow)
	closed := make(chan struct{})
	go func() { defer close(closed); w.close() }()
	select {
	case <-closed:
	case <-time.After(20 * time.Second):
		t.Fatal("close waits for a server that is away")
	}
	if n := w.deadCount("lost"); n != 2*deadWindow {
		t.Errorf("%d of %d letters are told as lost", n, 2*deadWindow)
	}
}
