package bus_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
)

// A connection that is refused, at first or after it stood, says so, goes on
// trying, and stands when it is let in: credentials are changed one place at a
// time.
func TestRefusedCredentialsAreTriedAgain(t *testing.T) {
	var open atomic.Bool
	var refusals atomic.Int64
	srv := bustest.Start(t, bustest.Admit(func() bool {
		if !open.Load() {
			refusals.Add(1)
		}
		return open.Load()
	}))
	c := srv.Dial(t, bus.Options{Name: "refused"})
	for _, when := range []string{"at first", "after it stood"} {
		before := refusals.Load()
		bustest.WaitFor(t, "it gives up when refused "+when, func() bool { return refusals.Load() > before+3 })
		bustest.WaitFor(t, "it does not say why "+when, func() bool {
			err := c.Ready()
			return err != nil && strings.Contains(err.Error(), "Authorization Violation")
		})
		open.Store(true)
		bustest.WaitFor(t, "it does not come back "+when, func() bool { return c.Ready() == nil })
		open.Store(false)
		srv.Restart()
	}
}

// A connection that reaches no server says so.
func TestUnreachableServerIsTold(t *testing.T) {
	srv := bustest.New(t)
	c := srv.Dial(t, bus.Options{Name: "alone"})
	bustest.WaitFor(t, "it does not say why", func() bool {
		err := c.Ready()
		return err != nil && strings.Contains(err.Error(), "refused")
	})
}
