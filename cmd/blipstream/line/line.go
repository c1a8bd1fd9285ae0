package line

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/blipstream/blipstream/cmd/blipstream/embedded"
	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/services/bridge"
	"github.com/blipstream/blipstream/services/enrich"
	"github.com/blipstream/blipstream/services/gateway"
	"github.com/blipstream/blipstream/services/ingest"
)

// stopTimeout bounds the drain of everything. What is not done by then is not
// lost: it is in RAW and has not been acknowledged.
const stopTimeout = 4 * time.Second

// ensureTimeout bounds the making of the streams at the start.
const ensureTimeout = 20 * time.Second

// Options says what to run.
type Options struct {
	// NATS is the URL of a server; with "" Embedded is started.
	NATS     string
	Embedded embedded.Options
	// CA and NKey are the files of bus.Options for a server elsewhere.
	CA, NKey string
	// Layout is the wished streams; an embedded server fits it to its disk.
	Layout bus.Layout

	Ingest  ingest.Config
	Enrich  enrich.Config
	Gateway gateway.Config
	// Bridge is nil where there is no Redis.
	Bridge *bridge.Config

	// Log receives the log lines of all.
	Log *slog.Logger
}

// Line is everything, made and listening, not yet running.
type Line struct {
	env      service.Env
	layout   bus.Layout
	cleanups service.Cleanups
	server   *embedded.Server
	nats     string
	ca, nkey string
	gateway  *gateway.Service
	// stages in the order in which they start; they stop the other way round.
	stages []*stage
}

// New makes everything. When one part cannot be made, those made before are
// taken down again and the error says in one line what to change.
func New(ctx context.Context, o Options) (*Line, error) {
	env := service.Env{Log: o.Log, Metrics: service.NewRegistry(), Health: service.NewHealth()}
	l := &Line{env: env, layout: o.Layout, nats: o.NATS, ca: o.CA, nkey: o.NKey}
	if err := l.build(ctx, o); err != nil {
		return nil, errors.Join(err, l.cleanups.Run(ctx))
	}
	return l, nil
}

// maker makes a service on a connection of its own.
type maker struct {
	name string
	make func(*bus.Conn, service.Env) (service.Runner, error)
}

// build makes the server and then the services, in the order in which they start.
func (l *Line) build(ctx context.Context, o Options) error {
	if o.NATS == "" {
		if err := l.embed(ctx, o.Embedded); err != nil {
			return err
		}
	}
	for _, m := range l.makers(o) {
		if err := l.add(m); err != nil {
			return err
		}
	}
	return nil
}

// makers lists the services in the order in which they start.
func (l *Line) makers(o Options) []maker {
	makers := []maker{
		{"enrich", func(conn *bus.Conn, env service.Env) (service.Runner, error) {
			return enrich.New(o.Enrich, conn, env)
		}},
		{"ingest", func(conn *bus.Conn, env service.Env) (service.Runner, error) {
			return ingest.New(o.Ingest, conn, env)
		}},
	}
	if o.Bridge != nil {
		makers = append(makers, maker{"bridge", func(conn *bus.Conn, env service.Env) (service.Runner, error) {
			return bridge.New(*o.Bridge, conn, env)
		}})
	}
	return append(makers, maker{"gateway", func(conn *bus.Conn, env service.Env) (_ service.Runner, err error) {
		l.gateway, err = gateway.New(o.Gateway, conn, env)
		return l.gateway, err
	}})
}

// embed starts the server in this process.
func (l *Line) embed(ctx context.Context, o embedded.Options) error {
	server, err := embedded.Start(ctx, o)
	if err != nil {
		return err
	}
	l.cleanups.Add("nats-server", server.Close)
	l.env.Health.Register("nats_server", server.Ready)
	l.server, l.nats = server, server.URL()
	if l.layout, err = server.Fit(l.layout); err != nil {
		return err
	}
	return l.makeStreams(ctx)
}

// makeStreams makes the streams before anything starts: what a server in this
// process refuses it refuses for good, and nobody but us can change that.
func (l *Line) makeStreams(ctx context.Context) error {
	conn, err := bus.Connect(bus.Options{URL: l.nats, InProcess: l.server, Name: "up"})
	if err != nil {
		return err
	}
	bound, cancel := context.WithTimeout(ctx, ensureTimeout)
	defer cancel()
	err = conn.Ensure(bound, l.layout)
	if bound.Err() != nil {
		err = nil // as slow as that, it is left to the services, which go on trying
	}
	return errors.Join(err, conn.Close(context.WithoutCancel(ctx)))
}

// connect connects a service: without a socket if the server is in this process.
func (l *Line) connect(name string, env service.Env) (*bus.Conn, error) {
	o := bus.Options{URL: l.nats, Name: name, Log: env.Log, Metrics: env.Metrics, Layout: &l.layout}
	if l.server != nil {
		o.InProcess = l.server
	} else {
		o.CA, o.NKey = l.ca, l.nkey
	}
	return bus.Connect(o)
}

// add makes one service.
func (l *Line) add(m maker) error {
	env := l.env.With(m.name)
	conn, err := l.connect(m.name, env)
	if err != nil {
		return err
	}
	l.cleanups.Add("connection of "+m.name, conn.Close)
	env.Health.Register("nats_"+m.name, conn.Ready)
	runner, err := m.make(conn, env)
	if err != nil {
		return err
	}
	l.stages = append(l.stages, newStage(m.name, runner))
	return nil
}

// Page is the URL of the page.
func (l *Line) Page() string { return "http://" + l.gateway.Addr() + "/" }

// NATS is the URL of the server, for programs beside this one. What a URL holds
// of a credential is left out, since it is printed.
func (l *Line) NATS() string { return bus.Redact(l.nats) }

// Run runs everything until ctx ends or a part fails, then stops the parts in
// the order in which nothing is lost and nobody waits in vain: the gateway
// says goodbye, ingest stops reading, enrich finishes what it has in hand, the
// server writes to disk. A source that has come to its end is no reason to stop.
func (l *Line) Run(ctx context.Context) error {
	ended := make(chan error, len(l.stages))
	for _, s := range l.stages {
		s.start(ctx, ended)
		l.cleanups.Add(s.name, s.stop)
	}
	var failed error
	select {
	case <-ctx.Done():
	case failed = <-ended:
	}
	l.env.Log.Info("stopping")
	bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	err := l.cleanups.Run(bound)
	if bound.Err() != nil {
		l.env.Log.Warn("stopped before everything was drained: the next start goes on from there",
			slog.String("error", err.Error()))
		return failed
	}
	return errors.Join(failed, rest(ended), err)
}

// rest joins what parts told while they were stopped. All have ended.
func rest(ended <-chan error) error {
	var errs []error
	for {
		select {
		case err := <-ended:
			errs = append(errs, err)
		default:
			return errors.Join(errs...)
		}
	}
}
