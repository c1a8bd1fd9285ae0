package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/conf"
)

type ensureCmd struct {
	NATS    conf.NATS     `embed:""`
	Timeout time.Duration `name:"timeout" default:"30s" help:"How long to wait for the server."`
	Streams layoutFlags   `embed:"" group:"Streams:"`
}

// Run makes what is missing. It is safe to run at any time, and again.
func (c *ensureCmd) Run(p *proc) error {
	conn, err := bus.Connect(bus.Options{URL: c.NATS.URL, CA: c.NATS.CA, NKey: c.NATS.NKey, Name: "ensure", Log: p.log})
	if err != nil {
		return refused(err)
	}
	ctx, cancel := context.WithTimeout(p.ctx, c.Timeout)
	defer cancel()
	err = errors.Join(conn.Ensure(ctx, c.Streams.layout()), conn.Close(context.WithoutCancel(ctx)))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.stdout, "streams, consumers and buckets are as they should be")
	return err
}
