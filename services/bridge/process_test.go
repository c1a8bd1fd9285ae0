package bridge_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
)

// process is the bridge as a program of its own.
type process struct {
	tb  testing.TB
	cmd *exec.Cmd
	log bytes.Buffer
}

// build compiles the program.
func build(tb testing.TB) string {
	tb.Helper()
	bin := filepath.Join(tb.TempDir(), "bridge")
	if out, err := exec.Command("go", "build", "-o", bin, "./cmd/bridge").CombinedOutput(); err != nil {
		tb.Fatalf("%v\n%s", err, out)
	}
	return bin
}

func start(tb testing.TB, bin string, srv *bustest.Server, red *redisServer, args ...string) *process {
	tb.Helper()
	p := &process{tb: tb}
	p.cmd = exec.Command(bin, append([]string{"--nats", srv.URL(), "--redis", red.url(), "--no-ensure"}, args...)...)
	p.cmd.Stderr = &p.log
	if err := p.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(p.kill)
	return p
}

func (p *process) kill() {
	if p.cmd.ProcessState == nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	}
}

// interrupt asks it to stop and returns its exit code.
func (p *process) interrupt() int {
	p.tb.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.tb.Fatal(err)
	}
	_ = p.cmd.Wait() // the code tells
	return p.cmd.ProcessState.ExitCode()
}

// rss is a line of /proc/<pid>/status, in bytes: VmRSS is the memory now, VmHWM
// the most there was.
func (p *process) rss(name string) int {
	p.tb.Helper()
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid), "status"))
	if err != nil {
		p.tb.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			kb, err := strconv.Atoi(strings.Fields(value)[0])
			if err != nil {
				p.tb.Fatal(err)
			}
			return kb << 10
		}
	}
	p.tb.Fatalf("no %s in %s", name, status)
	return 0
}

// TestMemoryIsBounded has a backlog of 80 MB wait for Redis and pass.
func TestMemoryIsBounded(t *testing.T) {
	srv, red := bustest.Start(t), startRedis(t)
	conn := srv.Conn(t, "test")
	p := start(t, build(t), srv, red, "--twitter-raw", "out")
	ear := red.listen("twitter_raw")
	red.subscribed("twitter_raw")
	bustest.WaitFor(t, "the bridge makes its durable", func() bool {
		_, err := conn.Lag(t.Context(), feed.StreamRaw, "bridge-twitter-raw")
		return err == nil
	})
	bustest.PublishRaw(t, conn, feed.Item{ID: "0", Source: "t", Format: feed.FormatTwitterV1, Data: []byte(rawTweet(0, "x"))})
	bustest.WaitFor(t, "the bridge copies", func() bool { return ear.count() > 0 })
	before := p.rss("VmRSS")
	red.kill()
	text := strings.Repeat("x", 10_000)
	const items = 8000
	for i := 1; i <= items; i += 1000 {
		var batch []feed.Item
		for id := i; id < i+1000; id++ {
			batch = append(batch, feed.Item{ID: strconv.Itoa(id), Source: "t", Format: feed.FormatTwitterV1, Data: []byte(rawTweet(id, text))})
		}
		bustest.PublishRaw(t, conn, batch...)
	}
	waiting := p.rss("VmRSS") - before
	red.start()
	bustest.WaitFor(t, "the backlog passes", func() bool { return ear.count() >= items+1 })
	most := p.rss("VmHWM")
	t.Logf("%d MB at rest, %d MB more with 80 MB waiting, %d MB at most", before>>20, waiting>>20, most>>20)
	// What was read when Redis went may stay: the queue and a pull window.
	if waiting > 64<<20 || most > 160<<20 {
		t.Errorf("%d MB at rest, %d MB more with 80 MB waiting, %d MB at most", before>>20, waiting>>20, most>>20)
	}
	if code := p.interrupt(); code != 0 {
		t.Errorf("exit code %d\n%s", code, p.log.String())
	}
}

// TestStandbyTakesOverFromTheDead kills the bridge that works by -9 while it
// sends: the next one goes on where it was, in order.
func TestStandbyTakesOverFromTheDead(t *testing.T) {
	t.Parallel()
	srv, red := bustest.Start(t), startRedis(t)
	conn := srv.Conn(t, "test")
	ear := red.listen("events")
	red.subscribed("events")
	bin := build(t)
	args := []string{"--events", "out", "--lease-ttl", "1s"}
	first := start(t, bin, srv, red, args...)
	bustest.WaitFor(t, "the first makes its durable", func() bool {
		_, err := conn.Lag(t.Context(), feed.StreamEvents, "bridge-events")
		return err == nil
	})
	l := startLoad(t, conn)
	bustest.WaitFor(t, "the load flows", func() bool { return ear.count() > 300 })
	second := start(t, bin, srv, red, args...)
	bustest.WaitFor(t, "the load flows on", func() bool { return ear.count() > 600 })
	first.kill()
	gone := time.Now()
	seen := ear.count()
	bustest.WaitFor(t, "the second sends", func() bool { return ear.count() > seen+100 })
	t.Logf("taken over in %s", time.Since(gone).Round(time.Millisecond))
	l.stop()
	bustest.WaitFor(t, "everything is heard", func() bool {
		said := numbers(t, ear.heard())
		return said[len(said)-1] == l.sent()
	})
	checkOrder(t, numbers(t, ear.heard()), 1, l.sent(), 2*512)
	if code := second.interrupt(); code != 0 {
		t.Errorf("exit code %d\n%s", code, second.log.String())
	}
}

// A certificate of one's own is trusted by the variable that Go programs know.
func TestTLSByACertificateOfOnesOwn(t *testing.T) {
	cert, key := certificate(t)
	port := strconv.Itoa(freePort(t))
	srv, red := bustest.Start(t), startRedis(t, "--tls-port", port, "--tls-auth-clients", "no", "--tls-cert-file", cert, "--tls-key-file", key,
		"--tls-ca-cert-file", cert)
	t.Setenv("SSL_CERT_FILE", cert)
	p := start(t, build(t), srv, red, "--redis", "rediss://127.0.0.1:"+port, "--twitter-raw", "in")
	red.subscribed("twitter_raw")
	publishRaw(t, red, 1, 3)
	storedOnce(t, srv.Conn(t, "test"), 3)
	if code := p.interrupt(); code != 0 {
		t.Errorf("exit code %d\n%s", code, p.log.String())
	}
}

// TestTakeoverLosesNothingThatComesIn kills the bridge that works by -9 while
// messages come in: the standby has listened, too.
func TestTakeoverLosesNothingThatComesIn(t *testing.T) {
	t.Parallel()
	srv, red := bustest.Start(t), startRedis(t)
	conn := srv.Conn(t, "test")
	bin := build(t)
	args := []string{"--twitter-raw", "in", "--lease-ttl", "1s"}
	first := start(t, bin, srv, red, args...)
	red.subscribed("twitter_raw")
	publishRaw(t, red, 1, 10)
	storedOnce(t, conn, 10)
	second := start(t, bin, srv, red, args...)
	listeners := red.client()
	bustest.WaitFor(t, "the standby listens", func() bool {
		n, err := listeners.PubSubNumSub(t.Context(), "twitter_raw").Result()
		return err == nil && n["twitter_raw"] == 2
	})
	sent := 10
	for range 20 {
		publishRaw(t, red, sent+1, sent+100)
		sent += 100
	}
	first.kill()
	next := "legacy:" + strconv.Itoa(sent+1)
	bustest.WaitFor(t, "the standby stores", func() bool {
		publishRaw(t, red, sent+1, sent+10)
		sent += 10
		return slices.ContainsFunc(bustest.ReadAll(t, conn, feed.StreamRaw), func(m bus.Stored) bool {
			return m.Header.Get("Nats-Msg-Id") == next
		})
	})
	storedOnce(t, conn, sent)
	if code := second.interrupt(); code != 0 {
		t.Errorf("exit code %d\n%s", code, second.log.String())
	}
}

func TestProgramRefusesInOneLine(t *testing.T) {
	bin := build(t)
	for _, args := range [][]string{
		{},
		{"--twitter-raw", "both"},
		{"--twitter-raw", "in", "--events", "out", "--events-channel", "twitter_raw"},
		{"--events", "in", "--redis", "redis://:s3cret@x:y"},
	} {
		out, err := exec.Command(bin, args...).CombinedOutput()
		if err == nil || strings.Count(string(out), "\n") != 1 || strings.Contains(string(out), "s3cret") {
			t.Errorf("%v: %v: %s", args, err, out)
		}
	}
}
