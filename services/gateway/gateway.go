package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/services/gateway/signin"
	"github.com/blipstream/blipstream/services/gateway/stats"
	"github.com/blipstream/blipstream/services/gateway/tail"
	"github.com/blipstream/blipstream/services/gateway/web"
)

const (
	// shutdownTimeout bounds the farewell: streams get their bye and other
	// requests their answer, and what is still open then is cut.
	shutdownTimeout = 2 * time.Second
	// Limits of ordinary requests; streams set their own deadlines.
	headerTimeout  = 5 * time.Second
	answerTimeout  = 30 * time.Second
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 16 << 10
)

var (
	errStarting = errors.New("events of before the start are still being read")
	errStopping = errors.New("shutting down")
)

// Service is a gateway.
type Service struct {
	cfg      Config
	conn     *bus.Conn
	log      *slog.Logger
	listener net.Listener
	server   *http.Server
	site     *web.Site
	// tail is the log of all events, which is the hub's.
	tail     *tail.Tail
	hub      *hub
	removals *removals
	metrics  *metrics
	limits   *limits
	queries  *shares
	// gate checks who reads; nil if everybody may. tickets counts what it gave,
	// attempts who tried to sign in, and origin tells whose pages those are.
	gate              *signin.Gate
	tickets, attempts *shares
	origin            *http.CrossOriginProtection

	book      *stats.Book
	status    status
	parts     parts
	snapshots snapshots
	marks     marks
	follower  *follower
	replays   chan struct{} // a token per replay that may run
	paced     chan struct{} // a token per replay at a pace that may run
	writers   *writers
	// closing is closed when streams must end; streams counts the handlers of
	// streams, which the server forgets once their connection is taken over.
	closing chan struct{}
	streams sync.WaitGroup
}

// New makes a gateway of the events that conn reaches, and listens. Metrics
// are served only if env.Metrics can be gathered from, as a registry can.
func New(cfg Config, conn *bus.Conn, env service.Env) (*Service, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	site, err := web.New()
	if err != nil {
		return nil, fmt.Errorf("gateway: load page: %w", err)
	}
	s := &Service{
		cfg: cfg, conn: conn, log: env.Log, site: site,
		removals: newRemovals(cfg.MaxRemovals),
		limits:   newLimits(cfg.MaxClients, cfg.MaxClientsPerAddr),
		queries:  newShares(cfg.MaxQueriesPerAddr),
		book:     stats.NewBook(time.Now()),
		replays:  make(chan struct{}, cfg.MaxReplays),
		paced:    make(chan struct{}, cfg.MaxPaced),
		closing:  make(chan struct{}),
	}
	s.status.backlog.Store(-1)
	s.hub = newHub(s)
	s.tail = s.hub.base.tail
	if s.metrics, err = newMetrics(env.Metrics, s.tail, s.removals); err != nil {
		return nil, err
	}
	if err := s.openGate(env.Health); err != nil {
		return nil, err
	}
	s.follower = newFollower(s)
	s.writers = newWriters(s)
	env.Health.Register("gateway", s.ready)
	if s.listener, err = listen(cfg.Addr); err != nil {
		return nil, err
	}
	gatherer, _ := env.Metrics.(prometheus.Gatherer)
	s.server = s.newServer(s.routes(env.Health, gatherer))
	return s, nil
}

// newServer makes the HTTP server: HTTP/1.1, and HTTP/2 for a proxy that
// speaks it without TLS, which then needs one connection for many streams.
func (s *Service) newServer(h http.Handler) *http.Server {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler: h, Protocols: &protocols,
		ReadHeaderTimeout: headerTimeout, WriteTimeout: answerTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeaderBytes,
		ErrorLog:       slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
}

// Addr is the address it listens on.
func (s *Service) Addr() string { return s.listener.Addr().String() }

// ready is the readiness check: the memory has been filled, nobody is leaving.
func (s *Service) ready() error {
	select {
	case <-s.closing:
		return errStopping
	default:
	}
	select {
	case <-s.follower.warm:
		return nil
	default:
		return errStarting
	}
}

// Run serves until ctx ends, says bye to all clients, and returns.
func (s *Service) Run(ctx context.Context) error {
	s.log.Info("serving", slog.String("addr", s.Addr()), slog.String("sign_in", s.cfg.SignIn.Mode()))
	jobs := []service.Named{
		{Name: "follower", Runner: s.follower},
		{Name: "http", Runner: runner(s.serve)},
		{Name: "writers", Runner: s.writers},
		{Name: "hub", Runner: s.hub},
		{Name: "past", Runner: runner(s.readPast)},
		{Name: "removals", Runner: runner(s.readOlderRemovals)},
		{Name: "parts", Runner: runner(s.watchParts)},
		{Name: "backlog", Runner: runner(s.watchBacklog)},
	}
	if s.gate != nil {
		jobs = append(jobs, service.Named{Name: "sign-in", Runner: s.gate})
	}
	if err := service.Group(ctx, jobs...); err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	return nil
}

// runner makes a service.Runner of a function.
type runner func(context.Context) error

// Run calls the function.
func (r runner) Run(ctx context.Context) error { return r(ctx) }

// serve answers requests until ctx ends. Then readiness goes first, so that no
// balancer sends more clients; then the streams are told, and the rest waits.
func (s *Service) serve(ctx context.Context) error {
	failed := make(chan error, 1)
	go func() { failed <- s.server.Serve(s.listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	close(s.closing)
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := s.server.Shutdown(bounded); err != nil {
		s.log.Warn("cut requests", slog.String("error", err.Error()))
		s.cutRequests()
	}
	s.awaitStreams(bounded)
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// cutRequests ends what has not ended by itself.
func (s *Service) cutRequests() {
	if err := s.server.Close(); err != nil {
		s.log.Warn("close server", slog.String("error", err.Error()))
	}
}

// awaitStreams waits for the handlers of streams, as long as ctx allows.
func (s *Service) awaitStreams(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		s.streams.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}
