package main

import (
	"context"
	"fmt"

	"github.com/blipstream/blipstream/cmd/blipstream/embedded"
)

// dataFlags are the flags of an embedded server.
type dataFlags struct {
	Data       string `name:"data" help:"Directory that holds the streams (default: blipstream in $$XDG_DATA_HOME, which is ~/.local/share where it is not set)."`
	SyncAlways bool   `name:"sync-always" help:"Force every message to disk before it counts as stored: survives a power loss, and stores a quarter as fast. Without it a power loss may take the last 10 s."`
}

// options turns the flags into options; the directory is made absolute for the banner.
func (f dataFlags) options(p *proc, port int) (embedded.Options, error) {
	dir, err := dataDir(f.Data)
	if err != nil {
		return embedded.Options{}, err
	}
	return embedded.Options{Dir: dir, Port: port, SyncAlways: f.SyncAlways, Log: p.log}, nil
}

type natsCmd struct {
	Port  int       `name:"port" default:"4222" help:"Port on 127.0.0.1; 0 takes a free one."`
	Flags dataFlags `embed:""`
}

// Run runs the server until the process is asked to stop.
func (c *natsCmd) Run(p *proc) error {
	if c.Port < 0 || c.Port > 65535 {
		return refused(fmt.Errorf("nats: read port: %d is not one", c.Port))
	}
	o, err := c.Flags.options(p, c.Port)
	if err != nil {
		return refused(err)
	}
	s, err := embedded.Start(p.ctx, o)
	if err != nil {
		return refused(err)
	}
	fmt.Fprintf(p.stdout, "nats  %s\ndata  %s\n", s.URL(), o.Dir)
	<-p.ctx.Done()
	return s.Close(context.WithoutCancel(p.ctx))
}
