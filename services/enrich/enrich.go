package enrich

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/services/enrich/ask"
	"github.com/blipstream/blipstream/services/enrich/derive"
	"github.com/blipstream/blipstream/services/enrich/hydrate"
	"github.com/blipstream/blipstream/services/enrich/keeper"
)

const (
	// stage names this service in the subjects of dead letters.
	stage = "enrich"
	// placeKey is where replicas keep how far they are.
	placeKey = "enrich"
	// drainTimeout bounds how long events may take to be stored after the
	// service was asked to stop. A process has 5 s for its whole stop; what is
	// not stored by then is delivered to another replica.
	drainTimeout = 3 * time.Second
	// deadWindow is how many dead letters may wait to be stored. Bad input is
	// rare, and when it is not, it should not take the memory of the rest.
	deadWindow = 256
)

// Service is one replica of enrich.
type Service struct {
	cfg      Config
	conn     *bus.Conn
	log      *slog.Logger
	chain    *hydrate.Chain
	derivers []derive.Deriver
	metrics  *metrics
	// keeper keeps the rules; nil where there are none.
	keeper *keeper.Keeper
	// desk has their questions answered.
	desk    *ask.Desk
	running atomic.Bool
	// names knows who the authors are of whom items tell no name.
	names *names
	// drainFor is drainTimeout; tests have less time.
	drainFor time.Duration
}

// New makes a replica that works over conn. It refuses a configuration that
// cannot work.
func New(cfg Config, conn *bus.Conn, env service.Env) (*Service, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	s := &Service{cfg: cfg, conn: conn, log: env.Log, derivers: derive.All(), metrics: newMetrics(env), drainFor: drainTimeout}
	chain, err := hydrate.New(cfg.Hydrators, hydrate.Options{MaxRadiusKm: cfg.MaxPlaceRadius, Positions: cfg.Positions}, s.metrics)
	if err != nil {
		return nil, fmt.Errorf("enrich: read settings: %w", err)
	}
	s.chain, s.desk = chain, ask.NewDesk(conn, s.metrics)
	if s.names, err = newNames(cfg.Profiles, cfg.ProfilesWait, conn, env.Log, s.metrics); err != nil {
		return nil, err
	}
	if err := s.keepRules(env); err != nil {
		return nil, err
	}
	env.Health.Register(stage, s.ready)
	return s, nil
}

var errNotRunning = errors.New("enrich: not running")

// ready is nil while Run works. That the server answers is the connection's to say.
func (s *Service) ready() error {
	if !s.running.Load() {
		return errNotRunning
	}
	return nil
}

// Run works until ctx ends; then it finishes what it has been handed, waits
// until that is stored, and returns nil. It may be called once.
func (s *Service) Run(ctx context.Context) error {
	// Items in hand are finished after ctx has ended, within drainTimeout.
	ctx, stopped := context.WithCancel(ctx)
	defer stopped()
	work, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	context.AfterFunc(ctx, func() {
		s.running.Store(false)
		time.AfterFunc(s.drainFor, abandon)
	})
	l, err := s.open(work)
	if err != nil {
		return err
	}
	defer l.close()
	following, err := s.followRules(ctx)
	if err != nil {
		return nil // asked to stop before the first item
	}
	defer following()
	s.running.Store(true)
	asking := l.names.run(ctx)
	advised := make(chan error, 1)
	go func() { advised <- l.advised(ctx) }()
	err = s.conn.Consume(ctx, bus.ConsumeOptions{
		Stream: feed.StreamRaw, Durable: bus.DurableEnrich, Place: placeKey, Prefetch: s.cfg.Prefetch, Dropped: s.metrics.droppedRange,
	}, l.handle)
	stopped()
	if err != nil {
		err = fmt.Errorf("enrich: consume %s: %w", feed.StreamRaw, err)
	}
	err = errors.Join(err, <-advised)
	asking.Wait() // then nobody waits for a name any more
	l.drain()
	return err
}

// open makes the publishers that one Run writes to.
func (s *Service) open(work context.Context) (*line, error) {
	events, err := s.conn.NewPublisher(bus.PublisherOptions{Stream: feed.StreamEvents})
	if err != nil {
		return nil, fmt.Errorf("enrich: publish to %s: %w", feed.StreamEvents, err)
	}
	dead, err := s.conn.NewPublisher(bus.PublisherOptions{Stream: feed.StreamDead, Window: deadWindow})
	if err != nil {
		events.Close()
		return nil, fmt.Errorf("enrich: publish to %s: %w", feed.StreamDead, err)
	}
	return &line{Service: s, work: work, events: events, dead: dead, trials: trials{bucket: s.conn}}, nil
}
