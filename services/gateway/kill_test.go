package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	r3 "github.com/r3labs/sse/v2"
	gosse "github.com/tmaxmax/go-sse"
	backoff "gopkg.in/cenkalti/backoff.v1"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/service"
)

// The variables that make the test's program a gateway, to be killed.
const (
	envNATS = "GATEWAY_TEST_NATS"
	envAddr = "GATEWAY_TEST_ADDR"
)

func TestMain(m *testing.M) {
	if url := os.Getenv(envNATS); url != "" {
		fmt.Fprintln(os.Stderr, serveUntilKilled(url, os.Getenv(envAddr)))
		os.Exit(1)
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
	cfg.Addr = addr
	g, err := New(cfg, conn, service.Nop())
	if err != nil {
		return err
	}
	return g.Run(context.Background())
}

// reader is one client that comes back whenever it is cut off, and accounts for
// every sequence.
type reader struct {
	name string

	mu   sync.Mutex
	last string
	next uint64
	// opened and gaps count; wrong is the first thing that must not be.
	opened, gaps int
	wrong        string
}

// take takes an event.
func (r *reader) take(name, id, data string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var seq uint64
	_, digits, _ := strings.Cut(id, "-")
	_, _ = fmt.Sscan(digits, &seq) // 0 for what has no id
	if id != "" {
		r.last = id
	}
	switch name {
	case "hello":
		if r.opened++; r.next == 0 {
			r.next = seq + 1
		} else if seq+1 != r.next {
			r.fail("hello behind %d, want %d", seq, r.next-1)
		}
	case "hb", "bye":
	case "gap":
		var g gap
		if err := json.Unmarshal([]byte(data), &g); err != nil || g.FromSeq != r.next {
			r.fail("gap %s where %d comes next", data, r.next)
		}
		r.gaps++
		r.next = g.ToSeq + 1
	default:
		if seq != r.next || !json.Valid([]byte(data)) {
			r.fail("event %d, want %d: %.50q", seq, r.next, data)
		}
		r.next = seq + 1
	}
}

func (r *reader) fail(format string, args ...any) {
	if r.wrong == "" {
		r.wrong = fmt.Sprintf(format, args...)
	}
}

// lastID is what the client had last.
func (r *reader) lastID() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

// again is how long a client waits before it comes back.
const again = 50 * time.Millisecond

// r3labs reads with r3labs' client.
func (r *reader) r3labs(ctx context.Context, url string, plain bool) {
	client := r3.NewClient(url)
	client.ReconnectStrategy = backoff.NewConstantBackOff(again)
	client.Connection.Transport = transport(plain)
	for ctx.Err() == nil { // it gives up at a clean end
		_ = client.SubscribeRawWithContext(ctx, func(e *r3.Event) {
			if len(e.Data) > 0 {
				r.take(string(e.Event), string(e.ID), string(e.Data))
			}
		})
		pauseFor(ctx)
	}
}

// goSSE reads with the parser of tmaxmax/go-sse.
func (r *reader) goSSE(ctx context.Context, url string, plain bool) {
	client := &http.Client{Transport: transport(plain)}
	for ; ctx.Err() == nil; pauseFor(ctx) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return
		}
		if id := r.lastID(); id != "" {
			req.Header.Set("Last-Event-ID", id)
		}
		resp, err := client.Do(req)
		if err != nil {
			continue
		}
		for e, err := range gosse.Read(resp.Body, nil) {
			if err != nil || resp.StatusCode != http.StatusOK {
				break
			}
			r.take(e.Type, e.LastEventID, e.Data)
		}
		_ = resp.Body.Close()
	}
}

// transport takes gzip, unless plain.
func transport(plain bool) *http.Transport {
	return &http.Transport{DisableCompression: plain, DisableKeepAlives: true}
}

func pauseFor(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(again):
	}
}

// TestKilledGateway: while a gateway is killed again and again, clients of two
// libraries, compressed and not, get every event once and in order, or are told
// a gap.
func TestKilledGateway(t *testing.T) {
	const (
		clients = 48
		kills   = 4
		events  = 1600 // 400 for each kill
	)
	w := &world{t: t, server: bustest.Start(t), cfg: testConfig()}
	w.connect(bustest.Layout())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close() // free for the gateway
	start := func() *exec.Cmd {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), envNATS+"="+w.server.URL(), envAddr+"="+addr)
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	kill := func(cmd *exec.Cmd) {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	gateway := start()
	defer func() { kill(gateway) }()
	ctx, cancel := context.WithCancel(t.Context())
	var all []*reader
	var reading sync.WaitGroup
	for i := range clients {
		r, url, plain := &reader{name: fmt.Sprint("client ", i)}, "http://"+addr+"/events", i%4 < 2
		all = append(all, r)
		if i%2 == 0 {
			reading.Go(func() { r.r3labs(ctx, url, plain) })
		} else {
			reading.Go(func() { r.goSSE(ctx, url, plain) })
		}
	}
	defer reading.Wait()
	defer cancel()
	opened := func(n int) func() bool {
		return func() bool {
			for _, r := range all {
				r.mu.Lock()
				ok := r.opened >= n
				r.mu.Unlock()
				if !ok {
					return false
				}
			}
			return true
		}
	}
	bustest.WaitFor(t, "all have opened", opened(1))
	for k := range kills {
		for range 20 {
			w.publish(5, 100)
			<-time.After(5 * time.Millisecond)
		}
		kill(gateway)
		gateway = start()
		for range 20 {
			w.publish(5, 100)
		}
		bustest.WaitFor(t, "all have come back", opened(k+2))
	}
	bustest.WaitFor(t, "all have everything", func() bool {
		for _, r := range all {
			r.mu.Lock()
			behind := r.next <= events && r.wrong == ""
			r.mu.Unlock()
			if behind {
				return false
			}
		}
		return true
	})
	for _, r := range all {
		if r.wrong != "" || r.gaps > 0 {
			t.Errorf("%s: %s, %d gaps", r.name, r.wrong, r.gaps)
		}
	}
}
