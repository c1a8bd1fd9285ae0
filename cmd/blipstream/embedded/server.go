package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/blipstream/blipstream/internal/bus"
)

// Server is a nats-server that runs until it is closed. It is started anew, at
// its address, when it has ceased to store.
type Server struct {
	options Options
	log     *logger
	lock    *lock
	space   space
	url     string

	// end ends the watch for failed writes, which work waits for.
	end  context.CancelFunc
	work sync.WaitGroup

	mu   sync.Mutex
	nats *server.Server
	// failed is why nothing is stored at the moment, or nil.
	failed error
}

// Start takes the data directory, starts the server and waits until it takes
// connections. An error is one line that says what to change: a directory that
// another process uses, a port that is taken, a disk that is full.
func Start(ctx context.Context, o Options) (*Server, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("embedded: make data directory: %w", err)
	}
	held, err := takeLock(o.Dir)
	if err != nil {
		return nil, err
	}
	s, err := start(ctx, o, held)
	if err != nil {
		return nil, errors.Join(err, held.release())
	}
	return s, nil
}

// start starts the server in a directory that is ours.
func start(ctx context.Context, o Options, held *lock) (*Server, error) {
	space, err := measure(o.Dir)
	if err != nil {
		return nil, err
	}
	port, err := pickPort(ctx, o.Port)
	if err != nil {
		return nil, err
	}
	log := newLogger(o.Log)
	nats, err := boot(o.server(port, space.ceiling()), log)
	if err != nil {
		return nil, err
	}
	s := &Server{options: o, log: log, lock: held, space: space, url: nats.ClientURL(), nats: nats}
	ctx, s.end = context.WithCancel(context.WithoutCancel(ctx))
	s.work.Go(func() { s.watch(ctx) })
	return s, nil
}

// boot starts a server and waits until it is ready.
func boot(o *server.Options, log *logger) (*server.Server, error) {
	s, err := server.NewServer(o)
	if err != nil {
		return nil, fmt.Errorf("embedded: configure nats-server: %w", err)
	}
	log.begin()
	s.SetLoggerV2(log, false, false, false)
	s.Start()
	if msg := log.failure(); msg != "" {
		stop(s)
		return nil, fmt.Errorf("embedded: start nats-server: %s", msg)
	}
	if !s.ReadyForConnections(readyTimeout) {
		stop(s)
		return nil, fmt.Errorf("embedded: start nats-server: not ready after %v: see its log lines", readyTimeout)
	}
	return s, nil
}

// pickPort turns an Options.Port into one for the server. The port is tried
// first: the server would read all its streams before it finds a port taken.
func pickPort(ctx context.Context, want int) (int, error) {
	if want == PortFree {
		return server.RANDOM_PORT, nil
	}
	first := want
	if want == PortPreferred {
		first = DefaultPort
	}
	switch err := tryPort(ctx, first); {
	case err == nil:
		return first, nil
	case want == PortPreferred:
		return server.RANDOM_PORT, nil
	default:
		return 0, fmt.Errorf("embedded: listen for NATS: %w: stop what uses it or choose another port (0 takes a free one)", err)
	}
}

// tryPort reports whether the port can be listened on.
func tryPort(ctx context.Context, port int) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return err
	}
	return l.Close()
}

// URL is where clients outside the process connect.
func (s *Server) URL() string { return s.url }

// Fit lowers the limits of l until they fit the disk the server writes to. It
// fails if too little is left to be of use.
func (s *Server) Fit(l bus.Layout) (bus.Layout, error) { return fit(l, s.space) }

// InProcessConn makes a connection without a socket; it implements bus.InProcess.
func (s *Server) InProcessConn() (net.Conn, error) { return s.running().InProcessConn() }

// running is the present server.
func (s *Server) running() *server.Server {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nats
}

// Close stops the server, which writes everything to disk first, and gives the
// directory back.
func (s *Server) Close(context.Context) error {
	s.end()
	s.work.Wait()
	stop(s.running())
	return s.lock.release()
}

// stop ends a server and waits for it.
func stop(s *server.Server) {
	s.Shutdown()
	s.WaitForShutdown()
}
