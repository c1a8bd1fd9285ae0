package ingest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/services/ingest/source"
)

// Service reads sources into RAW.
type Service struct {
	workers  []*worker
	receiver *receiver // nil if nothing is pushed to it
}

// New makes the service for conn, without connecting to any source. Its error
// is a configuration that cannot work, in one line.
func New(cfg Config, conn *bus.Conn, env service.Env) (*Service, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	specs, err := cfg.specs()
	if err != nil {
		return nil, err
	}
	m, err := newMetrics(env.Metrics)
	if err != nil {
		return nil, err
	}
	holder := holderName()
	svc := &Service{}
	var pushed []spec
	for _, sp := range specs {
		if sp.url.Scheme == webhookScheme {
			pushed = append(pushed, sp)
			continue
		}
		w, err := newWorker(sp, cfg, conn, env, m)
		if err != nil {
			return nil, err
		}
		w.holder = holder
		svc.workers = append(svc.workers, w)
	}
	if svc.receiver, err = newReceiver(pushed, cfg, conn, env, m); err != nil {
		return nil, err
	}
	for _, w := range svc.workers {
		env.Health.Register(stage+"."+w.name, w.status.ready)
	}
	return svc, nil
}

// WebhookAddr is where it listens for what is pushed; empty if it does not.
func (s *Service) WebhookAddr() string {
	if s.receiver == nil {
		return ""
	}
	return s.receiver.Addr()
}

// newWorker opens a source.
func newWorker(sp spec, cfg Config, conn *bus.Conn, env service.Env, m *metrics) (*worker, error) {
	log := env.Log.With(slog.String("source", sp.name))
	of := m.of(sp.name)
	w := &worker{spec: sp, cfg: cfg, conn: conn, log: log, metrics: of, status: newStatus(sp.name, log, of)}
	src, err := sp.open(source.Config{Name: sp.name, URL: sp.url, Secret: sp.secret, Log: env.Log, Observer: w})
	if err != nil {
		return nil, fmt.Errorf("ingest: open source %s: %w", sp.name, err)
	}
	w.src = src
	return w, nil
}

// holderName is what this process is called in its leases: where it runs, and
// which of the services there it is.
func holderName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	const unique = 6
	return fmt.Sprintf("%s/%d/%s", host, os.Getpid(), rand.Text()[:unique])
}

// Run reads the sources until ctx ends; then it waits a moment for what was
// read to be stored, gives the leases back and returns nil. A source that ends
// or fails does not end it.
func (s *Service) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make([]error, len(s.workers)+1)
	var wg sync.WaitGroup
	if s.receiver != nil {
		wg.Go(func() {
			if errs[len(s.workers)] = s.receiver.run(ctx); errs[len(s.workers)] != nil {
				cancel()
			}
		})
		for _, in := range s.receiver.inlets {
			wg.Go(func() { _ = in.reporter().Run(ctx) }) // it never fails
		}
	}
	for i, w := range s.workers {
		wg.Go(func() {
			if errs[i] = w.run(ctx); errs[i] != nil {
				cancel() // the connection to NATS is of no use any more
			}
		})
		wg.Go(func() { _ = w.reporter().Run(ctx) }) // it never fails
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}
