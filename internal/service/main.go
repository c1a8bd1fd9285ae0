package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/conf"
)

// Exit codes of the programs.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// closeTimeout bounds the drain of the connection after the service has stopped.
const closeTimeout = 5 * time.Second

// Program is the description of a program that is one service.
type Program[C any] struct {
	// Name and Description head the help text; Name also names the service.
	Name, Description string
	// New makes the service from its configuration. An error from it is a
	// configuration that cannot work, and must be one clear line.
	New func(cfg C, conn *bus.Conn, env Env) (Runner, error)
}

// Main runs p and returns the process's exit code: 0 after a clean stop, 1
// after a failure, 2 for a configuration that was refused.
func (p Program[C]) Main(args []string, stderr io.Writer) int {
	var cli struct {
		Common  conf.Common `embed:""`
		Service C           `embed:""`
	}
	program := conf.Program{Name: p.Name, Description: p.Description, Version: Version(), Err: stderr}
	if _, err := program.Parse(&cli, args); errors.Is(err, conf.ErrHelp) {
		return exitOK
	} else if err != nil {
		fmt.Fprintln(stderr, err)
		return exitUsage
	}
	if cli.Common.Version {
		fmt.Fprintln(os.Stdout, Version())
		return exitOK
	}
	log, err := cli.Common.Logger(stderr)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitUsage
	}
	ctx, stop := SignalContext(context.Background())
	defer stop()
	return p.run(ctx, cli.Common, cli.Service, log, stderr)
}

// run makes and runs the service beside its admin listener.
func (p Program[C]) run(ctx context.Context, common conf.Common, cfg C, log *slog.Logger, stderr io.Writer) int {
	reg := NewRegistry()
	env := Env{Log: log, Metrics: reg, Health: NewHealth()}.With(p.Name)
	admin, err := NewAdmin(ctx, common.Admin, env.Health, reg)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitUsage
	}
	defer admin.server.Close()
	conn, err := connect(p.Name, common, env)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitUsage
	}
	defer closeConn(ctx, conn, env.Log)
	svc, err := p.New(cfg, conn, env)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitUsage
	}
	env.Log.Info("started", slog.String("version", Version()), slog.String("admin", admin.Addr()))
	if err := Group(ctx, Named{p.Name, svc}, Named{"admin", admin}); err != nil {
		env.Log.Error("failed", slog.String("error", err.Error()))
		return exitFailed
	}
	env.Log.Info("stopped")
	return exitOK
}

// connect makes the process's connection to NATS and watches it in env.Health.
func connect(name string, common conf.Common, env Env) (*bus.Conn, error) {
	opts := bus.Options{Name: name, Log: env.Log, Metrics: env.Metrics}
	opts.URL, opts.CA, opts.NKey = common.NATS.URL, common.NATS.CA, common.NATS.NKey
	if common.Ensure {
		layout := bus.DefaultLayout()
		opts.Layout = &layout
	}
	conn, err := bus.Connect(opts)
	if err != nil {
		return nil, err
	}
	env.Health.Register("nats", conn.Ready)
	return conn, nil
}

// closeConn drains the connection for as long as a stop may reasonably take.
func closeConn(ctx context.Context, conn *bus.Conn, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	if err := conn.Close(ctx); err != nil {
		log.Warn("close connection", slog.String("error", err.Error()))
	}
}

// SignalContext ends when the process is asked to stop (SIGINT, SIGTERM). A
// second signal kills the process, for those who cannot wait for the drain.
func SignalContext(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(parent, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// NewRegistry makes a registry with the Go runtime's and the process's metrics.
func NewRegistry() *prometheus.Registry {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return reg
}
