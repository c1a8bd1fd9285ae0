package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"github.com/blipstream/blipstream/cmd/blipstream/embedded"
	"github.com/blipstream/blipstream/cmd/blipstream/line"
	"github.com/blipstream/blipstream/cmd/blipstream/streams"
	"github.com/blipstream/blipstream/services/enrich"
	"github.com/blipstream/blipstream/services/gateway"
	"github.com/blipstream/blipstream/services/ingest"
)

type upCmd struct {
	NATS     string    `name:"nats"      help:"URL of a NATS server to use instead of the embedded one; tls:// wants TLS."`
	NATSCA   string    `name:"nats-ca"   placeholder:"FILE" help:"Certificates, in PEM, that the NATS server's must be signed by; those of the system by default."`
	NATSNKey string    `name:"nats-nkey" placeholder:"FILE" help:"Seed of the nkey that the NATS server knows this user by."`
	Flags    dataFlags `embed:""`

	Ingest  ingest.Config  `embed:"" group:"Ingest:"`
	Gateway gateway.Config `embed:"" group:"Gateway:"`
	Enrich  enrich.Config  `embed:"" group:"Enrich:"`
	Bridge  bridgeFlags    `embed:"" group:"Redis:"`
	Streams streams.Flags  `embed:"" group:"Streams:"`
}

// Run runs the line until the process is asked to stop.
func (c *upCmd) Run(p *proc) error {
	o := line.Options{
		NATS: c.NATS, CA: c.NATSCA, NKey: c.NATSNKey, Layout: c.Streams.Layout(), Log: p.log,
		Ingest: c.Ingest, Enrich: c.Enrich, Gateway: c.Gateway.WithSecrets(os.Getenv), Bridge: c.Bridge.config(),
	}
	if c.NATS == "" {
		var err error
		if o.Embedded, err = c.Flags.options(p, embedded.PortPreferred); err != nil {
			return refused(err)
		}
	}
	l, err := line.New(p.ctx, o)
	if err != nil {
		return refused(c.explain(err))
	}
	if err := c.banner(p.stdout, l, o.Embedded.Dir); err != nil {
		return err
	}
	return l.Run(p.ctx)
}

// explain adds to an error what to change, where only the flags tell.
func (c *upCmd) explain(err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w: stop what uses it or give another --addr (127.0.0.1:0 takes a free port)", err)
	}
	return err
}

// banner says where everything is.
func (c *upCmd) banner(w io.Writer, l *line.Line, dir string) error {
	data := dir
	if dir == "" {
		data = "(on the NATS server)"
	}
	redis := ""
	if c.Bridge.Redis != "" {
		redis = fmt.Sprintf("  redis    twitter_raw %s, events %s\n", c.Bridge.TwitterRaw, c.Bridge.Events)
	}
	_, err := fmt.Fprintf(w, "\n  page     %s\n  nats     %s\n  data     %s\n  sources  %s\n%s\n  Ctrl-C stops it; the next start goes on where this one ended.\n\n",
		l.Page(), l.NATS(), data, strings.Join(c.Ingest.Sources, " "), redis)
	return err
}
