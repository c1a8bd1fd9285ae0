package bridge_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/services/bridge"
)

// redisServer is a real redis-server on a free port of the loopback.
type redisServer struct {
	tb   testing.TB
	port int
	args []string
	cmd  *exec.Cmd
	// exited is closed when the process has ended.
	exited chan struct{}
}

// startRedis runs a server until the test ends. args are more of its options.
func startRedis(tb testing.TB, args ...string) *redisServer {
	tb.Helper()
	return startRedisWith(tb, func(s *redisServer) []string {
		return append([]string{
			"--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", tb.TempDir(),
		}, args...)
	})
}

// startRedisWith runs a server with the options that args tells. Another
// program may take the port before it does; then it takes another.
func startRedisWith(tb testing.TB, args func(*redisServer) []string) *redisServer {
	tb.Helper()
	s := &redisServer{tb: tb}
	tb.Cleanup(s.kill)
	for range 5 {
		s.port = freePort(tb)
		s.args = args(s)
		if s.tryStart() {
			return s
		}
	}
	tb.Fatalf("redis-server does not start: %v", s.args)
	return nil
}

// freePort finds a port that nothing listens on.
func freePort(tb testing.TB) int {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		tb.Fatal("no TCP address")
	}
	return addr.Port
}

// start runs it again, where it was.
func (s *redisServer) start() {
	s.tb.Helper()
	if !s.tryStart() {
		s.tb.Fatal("redis-server does not start again")
	}
}

// tryStart reports whether it runs and answers.
func (s *redisServer) tryStart() bool {
	s.tb.Helper()
	cmd, exited := exec.Command("redis-server", s.args...), make(chan struct{})
	if err := cmd.Start(); err != nil {
		s.tb.Fatalf("redis-server (package redis-server): %v", err)
	}
	s.cmd, s.exited = cmd, exited
	go func() { _ = cmd.Wait(); close(exited) }()
	c := redis.NewClient(&redis.Options{Addr: s.addr(), MaxRetries: -1})
	defer c.Close()
	bustest.WaitFor(s.tb, "redis answers", func() bool {
		err := c.Ping(context.Background()).Err()
		return err == nil || strings.Contains(err.Error(), "NOAUTH") || !s.runs()
	})
	return s.runs()
}

func (s *redisServer) runs() bool {
	select {
	case <-s.exited:
		return false
	default:
		return true
	}
}

// kill ends it as a power cut would.
func (s *redisServer) kill() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		<-s.exited
		s.cmd = nil
	}
}

// freeze stops it, so that it holds its connections and answers nobody.
func (s *redisServer) freeze() { s.signal(syscall.SIGSTOP) }
func (s *redisServer) thaw()   { s.signal(syscall.SIGCONT) }

func (s *redisServer) signal(sig syscall.Signal) {
	s.tb.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.tb.Fatal(err)
	}
}

func (s *redisServer) addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }
func (s *redisServer) url() string  { return "redis://" + s.addr() }

func (s *redisServer) client() *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: s.addr()})
	s.tb.Cleanup(func() { _ = c.Close() })
	return c
}

// subscribed waits until one program listens on a channel.
func (s *redisServer) subscribed(channel string) {
	s.tb.Helper()
	c := s.client()
	bustest.WaitFor(s.tb, "a subscriber of "+channel, func() bool {
		got, err := c.PubSubNumSub(context.Background(), channel).Result()
		return err == nil && got[channel] == 1
	})
}

// ear listens on a channel and keeps what it hears.
type ear struct {
	mu   sync.Mutex
	said []string
}

// listen subscribes, again whenever Redis was away, until the test ends.
func (s *redisServer) listen(channel string) *ear {
	s.tb.Helper()
	e := &ear{}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	c := redis.NewClient(&redis.Options{Addr: s.addr(), MaxRetries: -1, DialerRetries: 1})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			sub := c.Subscribe(ctx, channel)
			stop := context.AfterFunc(ctx, func() { _ = sub.Close() })
			e.hear(ctx, sub)
			stop()
			_ = sub.Close()
			pause(ctx, 20*time.Millisecond)
		}
	}()
	s.tb.Cleanup(func() { cancel(); <-done; _ = c.Close() })
	return e
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

func (e *ear) hear(ctx context.Context, sub *redis.PubSub) {
	for {
		m, err := sub.ReceiveMessage(ctx)
		if err != nil {
			return
		}
		if len(m.Payload) == 18 && strings.Trim(m.Payload, "0123456789") == "" || strings.Contains(m.Payload, "bridge_marker") {
			continue // the bridge's own
		}
		e.mu.Lock()
		e.said = append(e.said, m.Payload)
		e.mu.Unlock()
	}
}

func (e *ear) heard() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string(nil), e.said...)
}

func (e *ear) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.said)
}

// running is a bridge at work.
type running struct {
	*bridge.Service
	tb      testing.TB
	metrics *prometheus.Registry
	stop    context.CancelFunc
	done    chan error
	ended   bool
}

// config is a bridge's for a test, patient with a machine that has other work.
func config(s *redisServer, raw, events bridge.Direction) bridge.Config {
	cfg := bridge.DefaultConfig()
	cfg.Redis, cfg.TwitterRaw, cfg.Events = s.url()+"?read_timeout=30s&write_timeout=30s", raw, events
	cfg.LeaseTTL = time.Minute
	return cfg
}

// run starts a bridge and waits until it copies.
func run(tb testing.TB, conn *bus.Conn, cfg bridge.Config) *running {
	tb.Helper()
	r := launch(tb, conn, cfg)
	bustest.WaitFor(tb, "the bridge copies", r.up)
	return r
}

// launch starts a bridge, prepared as asked.
func launch(tb testing.TB, conn *bus.Conn, cfg bridge.Config, prepare ...func(*bridge.Service)) *running {
	tb.Helper()
	return launchIn(tb, service.Nop(), conn, cfg, prepare...)
}

// launchIn is launch in an environment, whose metrics are replaced.
func launchIn(tb testing.TB, env service.Env, conn *bus.Conn, cfg bridge.Config, prepare ...func(*bridge.Service)) *running {
	tb.Helper()
	reg := prometheus.NewRegistry()
	env.Metrics = reg
	svc, err := bridge.New(cfg, conn, env)
	if err != nil {
		tb.Fatal(err)
	}
	for _, p := range prepare {
		p(svc)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{Service: svc, tb: tb, metrics: reg, stop: cancel, done: make(chan error, 1)}
	go func() { r.done <- svc.Run(ctx) }()
	tb.Cleanup(func() { r.end() })
	return r
}

// end stops the bridge and returns what Run did.
func (r *running) end() {
	r.tb.Helper()
	r.stop()
	if r.ended {
		return
	}
	r.ended = true
	select {
	case err := <-r.done:
		if err != nil {
			r.tb.Errorf("Run = %v", err)
		}
	case <-time.After(20 * time.Second):
		r.tb.Error("Run does not end")
	}
}

func (r *running) up() bool {
	st := r.State()
	for _, c := range st.Channels {
		if !c.RedisUp {
			return false
		}
	}
	return st.Working
}

// metric is the sum of a metric over all labels that contain each of want.
func (r *running) metric(name string, want ...string) float64 {
	r.tb.Helper()
	families, err := r.metrics.Gather()
	if err != nil {
		r.tb.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		if f.GetName() != "blipstream_bridge_"+name {
			continue
		}
		for _, m := range f.GetMetric() {
			labels := m.String()
			ok := true
			for _, w := range want {
				ok = ok && strings.Contains(labels, `"`+w+`"`)
			}
			if ok {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}

// program is a Python program of testdata/legacy.
type program struct {
	tb    testing.TB
	name  string
	cmd   *exec.Cmd
	in    io.WriteCloser
	mu    sync.Mutex
	lines []string
	errs  []string
	done  chan error
}

// python starts a program against s. What it prints is kept.
func python(tb testing.TB, s *redisServer, name string) *program {
	tb.Helper()
	p := &program{tb: tb, name: name, cmd: exec.Command("/usr/bin/python3", "-B", name), done: make(chan error, 1)}
	p.cmd.Dir = "testdata/legacy"
	p.cmd.Env = append(os.Environ(), "REDIS_PORT="+strconv.Itoa(s.port), "PYTHONIOENCODING=utf-8")
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	errs, err := p.cmd.StderrPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		tb.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		tb.Fatalf("%s (packages python3 and python3-redis): %v", name, err)
	}
	var reading sync.WaitGroup
	reading.Go(func() { p.collect(out, &p.lines) })
	reading.Go(func() { p.collect(errs, &p.errs) })
	go func() { reading.Wait(); p.done <- p.cmd.Wait() }()
	tb.Cleanup(p.kill)
	return p
}

// reader starts a program that listens, and waits until it does.
func reader(tb testing.TB, s *redisServer, name string) *program {
	tb.Helper()
	p := python(tb, s, name)
	bustest.WaitFor(tb, name+" listens", func() bool {
		p.alive()
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.errs) > 0 && p.errs[0] == "ready"
	})
	return p
}

func (p *program) collect(from io.Reader, to *[]string) {
	sc := bufio.NewScanner(from)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		p.mu.Lock()
		*to = append(*to, sc.Text())
		p.mu.Unlock()
	}
}

// alive fails the test if the program has died.
func (p *program) alive() {
	p.tb.Helper()
	select {
	case err := <-p.done:
		p.done <- err
		p.mu.Lock()
		defer p.mu.Unlock()
		p.tb.Fatalf("%s has died: %v\n%s", p.name, err, strings.Join(p.errs, "\n"))
	default:
	}
}

func (p *program) printed() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.lines...)
}

func (p *program) kill() {
	_ = p.cmd.Process.Kill()
	select {
	case err := <-p.done:
		p.done <- err
	case <-time.After(10 * time.Second):
		p.tb.Errorf("%s does not end", p.name)
	}
}

// corpus is every recorded payload of Twitter's v1.1 streams.
func corpus(tb testing.TB) []string {
	tb.Helper()
	return corpusOf(tb, "twitter-v1", "*.ndjson")
}

// corpusOf is every recorded payload in the files of a folder.
func corpusOf(tb testing.TB, folder, pattern string) []string {
	tb.Helper()
	dir := os.Getenv("BLIPSTREAM_CORPUS")
	if dir == "" {
		tb.Skip("BLIPSTREAM_CORPUS is not set")
	}
	files, err := filepath.Glob(filepath.Join(dir, folder, pattern))
	if err != nil || len(files) == 0 {
		tb.Fatalf("no corpus of %s in %s: %v", folder, dir, err)
	}
	var lines []string
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			if line = strings.TrimSpace(line); line != "" {
				lines = append(lines, line)
			}
		}
	}
	return lines
}
