package bus

import (
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

// awayEvery is how often it is told that there is no connection, and why.
const awayEvery = 15 * time.Second

// absence knows why there is no connection: nats.go keeps silent about what
// ends its attempts before the first one that succeeds.
type absence struct {
	// dial is why no server was reached the last time, a string; what a server
	// that was reached has refused is the connection's LastError.
	dial atomic.Value
}

// onDialError hears that no server was reached.
func (c *Conn) onDialError(_ *nats.Conn, err error) {
	if err != nil {
		c.absence.dial.Store(err.Error())
	}
}

// why is what keeps the connection from standing, as far as is known.
func (c *Conn) why() string {
	if err := c.nc.LastError(); err != nil && !errors.Is(err, nats.ErrNoServers) {
		return err.Error()
	}
	if text, ok := c.absence.dial.Load().(string); ok {
		return text
	}
	return c.nc.Status().String()
}

// away is nil while the connection stands.
func (c *Conn) away() error {
	if c.nc.IsConnected() {
		return nil
	}
	return fmt.Errorf("bus: not connected to nats: %s", c.why())
}

// tellAway says now and then that there is no connection, until it is closed.
func (c *Conn) tellAway() {
	tick := time.NewTicker(awayEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if !c.nc.IsConnected() {
				c.log.Warn("no connection to nats", slog.String("error", c.why()))
			}
		case <-c.ctx.Done():
			return
		}
	}
}
