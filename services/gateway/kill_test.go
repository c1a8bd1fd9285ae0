//go:build unix

package gateway

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/service"
)

// The variables that make the test's program a gateway, to be killed.
const (
	envNATS = "GATEWAY_TEST_NATS"
	envAddr = "GATEWAY_TEST_ADDR"
)

// envKills is the variable that says how often the gateway is killed.
const envKills = "BLIPSTREAM_E2E_KILLS"

func TestMain(m *testing.M) {
	if url := os.Getenv(envNATS); url != "" {
		if err := serveUntilKilled(url, os.Getenv(envAddr)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// serveUntilKilled is a gateway as its program runs it.
func serveUntilKilled(url, addr string) error {
	conn, err := bus.Connect(bus.Options{URL: url, Name: "gateway"})
	if err != nil {
		return err
	}
	cfg := DefaultConfig()
	cfg.Addr, cfg.AllowOrigin = addr, []string{"*"}
	g, err := New(cfg, conn, service.Nop())
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	return g.Run(ctx)
}

// victim is a gateway in a process of its own, which is killed and started anew
// on the same address.
type victim struct {
	t          *testing.T
	nats, addr string
	cmd        *exec.Cmd
}

// newVictim finds a free address.
func newVictim(t *testing.T, nats string) *victim {
	t.Helper()
	return &victim{t: t, nats: nats, addr: freeAddr(t)}
}

// freeAddr is an address that was free a moment ago.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (v *victim) start() {
	v.t.Helper()
	v.cmd = exec.Command(os.Args[0])
	v.cmd.Env = append(os.Environ(), envNATS+"="+v.nats, envAddr+"="+v.addr)
	v.cmd.Stderr = os.Stderr
	if err := v.cmd.Start(); err != nil {
		v.t.Fatal(err)
	}
}

func (v *victim) kill() {
	_ = v.cmd.Process.Kill() // it may have ended by itself
	_ = v.cmd.Wait()         // killed is how it ends
}

// stop asks the gateway to stop; it has to do so by itself.
func (v *victim) stop() error {
	if err := v.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return v.cmd.Wait()
}

// ready reports whether the gateway takes clients.
func (v *victim) ready() bool {
	resp, err := http.Get("http://" + v.addr + "/readyz")
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// audience is the clients of a gateway, of several libraries and a browser.
type audience []*reader

// read has all of them read url until ctx ends.
func (a audience) read(ctx context.Context, t *testing.T, url string, reading *sync.WaitGroup) {
	t.Helper()
	browse(t, url, a[:tabs], "/events")
	for i, r := range a[tabs:] {
		plain := i%2 == 0
		read, name := r.r3labs, "r3labs"
		switch i % 3 {
		case 1:
			read, name = r.goSSE, "go-sse"
		case 2:
			read, name = r.plain, "plain"
		}
		r.name = fmt.Sprintf("client %d (%s, plain %t)", tabs+i, name, plain)
		reading.Go(func() { read(ctx, url+"/events", plain) })
	}
}

// await waits until ok is true of all of them; who is wrong is not waited for.
func (a audience) await(t *testing.T, what string, ok func(opened int, next uint64) bool) {
	t.Helper()
	bustest.WaitFor(t, what, func() bool {
		for _, r := range a {
			if opened, next, wrong := r.state(); wrong == "" && !ok(opened, next) {
				return false
			}
		}
		return true
	})
}

// TestKilledGateway: while a gateway is killed again and again, 200 clients of
// three libraries and of a browser, compressed and not, get every event once and
// in order, or are told a gap.
func TestKilledGateway(t *testing.T) {
	t.Parallel() // it waits for the browser most of the time
	const clients, perKill = 200, 400
	kills := killsOf(t)
	w := &world{t: t, server: bustest.Start(t), cfg: testConfig()}
	w.connect(bustest.Layout())
	v := newVictim(t, w.server.URL())
	v.start()
	defer func() { v.kill() }()
	all := make(audience, clients)
	for i := range all {
		all[i] = &reader{name: fmt.Sprintf("client %d (EventSource)", i)}
	}
	ctx, cancel := context.WithCancel(t.Context())
	var reading sync.WaitGroup
	all.read(ctx, t, "http://"+v.addr, &reading)
	defer reading.Wait()
	defer cancel()
	all.await(t, "all have opened", func(opened int, _ uint64) bool { return opened > 0 })
	for k := range kills {
		for range perKill / 20 {
			w.publish(5, 100)
			<-time.After(5 * time.Millisecond)
		}
		v.kill()
		v.start()
		for range perKill / 20 {
			w.publish(5, 100)
		}
		all.await(t, "all have come back", func(opened int, _ uint64) bool { return opened > k+1 })
	}
	all.await(t, "all have everything", func(_ int, next uint64) bool { return next > uint64(kills*perKill) })
	for _, r := range all {
		if r.wrong != "" || r.gaps > 0 {
			t.Errorf("%s: %s, %d gaps", r.name, r.wrong, r.gaps)
		}
	}
}

// killsOf is how often the gateway is killed: a browser is away for some
// seconds each time.
func killsOf(t *testing.T) int {
	t.Helper()
	s := os.Getenv(envKills)
	if s == "" {
		return 3
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		t.Fatalf("%s is %q, want a number from 1", envKills, s)
	}
	return n
}
