package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/conf"
	"github.com/blipstream/blipstream/services/enrich"
)

// natsFlags are those of a command that works on a server's streams.
type natsFlags struct {
	conf.NATS `embed:""`

	Timeout time.Duration `name:"timeout" default:"10s" help:"How long to wait for the server."`
}

// closeTimeout bounds the farewell to the server.
const closeTimeout = 2 * time.Second

// with connects, waits for the server, and calls fn.
func (f natsFlags) with(p *proc, name string, fn func(*bus.Conn) error) error {
	conn, err := bus.Connect(bus.Options{URL: f.URL, CA: f.CA, NKey: f.NKey, Name: name, Log: p.log})
	if err != nil {
		return refused(err)
	}
	ctx, cancel := context.WithTimeout(p.ctx, f.Timeout)
	defer cancel()
	err = conn.WaitConnected(ctx)
	if err != nil {
		err = fmt.Errorf("%w: is %s the server's URL?", err, bus.Redact(f.URL))
	} else {
		err = fn(conn)
	}
	ending, end := context.WithTimeout(context.WithoutCancel(p.ctx), closeTimeout)
	defer end()
	return errors.Join(err, conn.Close(ending))
}

// prepare has a service read its rules, which may be in a bucket.
func prepare(p *proc, s *enrich.Service) error {
	ctx, cancel := context.WithTimeout(p.ctx, prepareTimeout)
	defer cancel()
	return s.Prepare(ctx)
}
