package bustest

import (
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

const (
	host = "127.0.0.1"
	// readyTimeout bounds a start: 30 ms on an idle machine, and CI is never idle.
	readyTimeout = 20 * time.Second
	// maxMemory and maxStore bound what a test can make the server hold, in bytes.
	maxMemory = 64 << 20
	maxStore  = 2 << 30
)

// Option changes the server's options before every start.
type Option func(*server.Options)

// MaxPayload sets the server's largest message, in bytes.
func MaxPayload(n int32) Option {
	return func(o *server.Options) { o.MaxPayload = n }
}

// MaxStore bounds the server's whole storage, in bytes.
func MaxStore(n int64) Option {
	return func(o *server.Options) { o.JetStreamMaxStore = n }
}

// DenyPublish refuses every client the right to publish to the subjects.
func DenyPublish(subjects ...string) Option {
	return func(o *server.Options) {
		o.NoAuthUser = "anyone"
		o.Users = []*server.User{{
			Username: "anyone", Password: "anyone",
			Permissions: &server.Permissions{Publish: &server.SubjectPermission{Deny: subjects}},
		}}
	}
}

// Admit asks admit about every client that wants to connect.
func Admit(admit func() bool) Option {
	return func(o *server.Options) { o.CustomClientAuthentication = doorman(admit) }
}

// doorman lets clients in or refuses them.
type doorman func() bool

func (d doorman) Check(server.ClientAuthentication) bool { return d() }

// ConfigFile adds what a server's configuration file says. Address and store
// stay the test's.
func ConfigFile(path string) Option {
	return func(o *server.Options) {
		host, port, dir := o.Host, o.Port, o.StoreDir
		if err := o.ProcessConfigFile(path); err != nil {
			panic("bustest: read " + path + ": " + err.Error())
		}
		o.Host, o.Port, o.StoreDir = host, port, dir
	}
}

// Server is a nats-server with JetStream that belongs to one test or benchmark.
type Server struct {
	tb      testing.TB
	options []Option

	mu   sync.Mutex
	dir  string
	port int
	srv  *server.Server
}

// Start runs a server until the test ends.
func Start(tb testing.TB, options ...Option) *Server {
	tb.Helper()
	s := New(tb, options...)
	s.Start()
	return s
}

// New makes a server that does not run yet, but has its address: for tests of
// what happens before the server is there.
func New(tb testing.TB, options ...Option) *Server {
	tb.Helper()
	s := &Server{tb: tb, options: options, dir: tb.TempDir(), port: freePort(tb)}
	tb.Cleanup(s.Stop)
	return s
}

// freePort finds a port that nothing listens on. Another process may take it
// before the server does; the system hands ports out in turn, so that is rare.
func freePort(tb testing.TB) int {
	tb.Helper()
	l, err := net.Listen("tcp", host+":0")
	if err != nil {
		tb.Fatalf("bustest: find a port: %v", err)
	}
	defer l.Close()
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		tb.Fatalf("bustest: find a port: %v is not a TCP address", l.Addr())
	}
	return addr.Port
}

// Start runs the server; it has what it stored before. No effect while it runs.
func (s *Server) Start() {
	s.tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.srv != nil {
		return
	}
	opts := &server.Options{
		ServerName: "bustest", Host: host, Port: s.port, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: s.dir, JetStreamMaxMemory: maxMemory, JetStreamMaxStore: maxStore,
	}
	for _, o := range s.options {
		o(opts)
	}
	srv, err := server.NewServer(opts)
	if err != nil {
		s.tb.Fatalf("bustest: make server: %v", err)
	}
	srv.Start()
	if !srv.ReadyForConnections(readyTimeout) {
		srv.Shutdown()
		s.tb.Fatalf("bustest: server on port %d not ready after %s", s.port, readyTimeout)
	}
	s.srv = srv
}

// Change adds options for the starts to come.
func (s *Server) Change(options ...Option) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.options = append(s.options, options...)
}

// Stop ends the server and waits for it. Its store and address stay. No effect
// while it does not run.
func (s *Server) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.srv == nil {
		return
	}
	s.srv.Shutdown()
	s.srv.WaitForShutdown()
	s.srv = nil
}

// Restart stops the server and starts it again.
func (s *Server) Restart() {
	s.tb.Helper()
	s.Stop()
	s.Start()
}

// Wipe empties the server's store, as a new disk would. The server must not run.
func (s *Server) Wipe() {
	s.tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.srv != nil {
		s.tb.Fatal("bustest: wipe the store of a running server")
	}
	s.dir = s.tb.TempDir()
}

// Backup copies the server's store. The returned function has the server begin
// with that copy from its next start on, as after a crash of its machine that
// took what was stored last. The server must run at neither time.
func (s *Server) Backup() (restore func()) {
	s.tb.Helper()
	backup := s.tb.TempDir()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.srv != nil {
		s.tb.Fatal("bustest: copy the store of a running server")
	}
	if err := os.CopyFS(backup, os.DirFS(s.dir)); err != nil {
		s.tb.Fatalf("bustest: copy store: %v", err)
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.dir = backup
	}
}

// URL is the address clients connect to, the same for all starts.
func (s *Server) URL() string {
	return "nats://" + net.JoinHostPort(host, itoa(s.port))
}

// InProcessConn connects without a socket, which makes Server a bus.InProcess.
// It fails while the server does not run.
func (s *Server) InProcessConn() (net.Conn, error) {
	s.mu.Lock()
	srv := s.srv
	s.mu.Unlock()
	if srv == nil {
		return nil, errStopped
	}
	return srv.InProcessConn()
}
