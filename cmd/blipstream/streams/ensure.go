package streams

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/conf"
)

// Ensure makes what is missing on a server, and changes what may be changed.
type Ensure struct {
	NATS conf.NATS `embed:""`
	// Timeout bounds all of it, the wait for the server included.
	Timeout time.Duration `name:"timeout" default:"30s" help:"How long to wait for the server."`
	Streams Flags         `embed:"" group:"Streams:"`
}

// Connect makes the connection. It fails for a configuration that cannot work.
func (e *Ensure) Connect(log *slog.Logger) (*bus.Conn, error) {
	if err := e.Streams.Layout().Check(); err != nil {
		return nil, fmt.Errorf("ensure: %w", err)
	}
	return bus.Connect(bus.Options{URL: e.NATS.URL, CA: e.NATS.CA, NKey: e.NATS.NKey, Name: "ensure", Log: log})
}

// Make makes the streams, closes the connection and says so on out. It is safe
// to do at any time, and again.
func (e *Ensure) Make(ctx context.Context, conn *bus.Conn, out io.Writer) error {
	bounded, cancel := context.WithTimeout(ctx, e.Timeout)
	defer cancel()
	err := errors.Join(conn.Ensure(bounded, e.Streams.Layout()), conn.Close(context.WithoutCancel(bounded)))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, "streams, consumers and buckets are as they should be")
	return err
}
