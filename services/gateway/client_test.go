package gateway

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	r3 "github.com/r3labs/sse/v2"
	gosse "github.com/tmaxmax/go-sse"

	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/services/gateway/ssetest"
)

func testEnv() service.Env { return service.Nop() }

// atRest makes a gateway that does not run.
func atRest(t *testing.T, cfg Config) *Service {
	t.Helper()
	g, err := New(cfg, nil, testEnv())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.listener.Close() })
	return g
}

// httpGet asks a gateway that need not run.
func httpGet(g *Service, path string) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	g.server.Handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
	return rec
}

// dial opens a stream on a bare socket and leaves it unread.
func (w *world) dial(query string) net.Conn {
	w.t.Helper()
	conn, err := net.Dial("tcp", w.gateway.Addr())
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = conn.Close() })
	if tcp, ok := conn.(*net.TCPConn); !ok || tcp.SetReadBuffer(32<<10) != nil {
		w.t.Fatal("no bounded read buffer")
	}
	if _, err := fmt.Fprintf(conn, "GET /events%s HTTP/1.1\r\nHost: x\r\n\r\n", query); err != nil {
		w.t.Fatal(err)
	}
	return conn
}

// clients waits until n streams are open.
func (w *world) clients(n int) {
	w.t.Helper()
	bustest.WaitFor(w.t, fmt.Sprintf("%d clients", n), func() bool { return w.gateway.limits.count() == n })
}

// TestSlowReaders: clients that never read hold up nobody and pin no memory;
// when one of them reads again it is told what it missed.
func TestSlowReaders(t *testing.T) {
	w := newWorld(t, nil)
	const slow = 8
	var dead []net.Conn
	for range slow {
		dead = append(dead, w.dial(""))
	}
	good := w.open("", "")
	w.next(good)
	w.clients(slow + 1)
	before := heap()
	const last = 20000 // 20 MiB for a ring of 1
	published := make(chan struct{})
	go func() { // straight into the log: the server would be seen in the heap
		defer close(published)
		for seq := uint64(1); seq <= last; seq++ {
			w.gateway.tail.Append(seq, "geo_blip", fmt.Appendf(nil, "id: e-%d\nevent: geo_blip\ndata: %01000d\n\n", seq, seq))
			if seq%500 == 0 {
				w.behind(good, seq) // it keeps up
			}
		}
	}()
	<-published
	if grown := heap() - before; grown > 4<<20 {
		t.Errorf("the heap grew by %d KiB", grown>>10)
	}
	told := w.revive(dead[0], last)
	if len(told) == 0 || told[0].Reason != reasonSlow {
		t.Errorf("told %+v", told)
	}
}

// TestClientAtRestHoldsNothing: what it took to send a client its history, a
// compressor of a mebibyte among it, is not held for as long as it stays.
func TestClientAtRestHoldsNothing(t *testing.T) {
	w := newWorld(t, nil)
	w.publish(100, 500)
	w.settle()
	const clients = 20
	before := heap()
	for range clients {
		s := w.open("", w.id(0)) // Go's transport takes gzip
		w.account(s, 1, 200)
	}
	bustest.WaitFor(t, "the memory is free again", func() bool { return heap()-before < clients<<20/2 })
}

// behind reads a stream up to sequence last.
func (w *world) behind(s *ssetest.Stream, last uint64) {
	for {
		e, err := s.Next()
		if err != nil || e.Name == "gap" {
			w.t.Errorf("the other client got %+v, %v", e, err)
			return
		}
		if e.Name == "geo_blip" && w.seq(e.ID) == last {
			return
		}
	}
}

// heap is the memory in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// revive reads a connection that was left unread, up to sequence last.
func (w *world) revive(conn net.Conn, last uint64) []gap {
	w.t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = resp.Body.Close() })
	s := ssetest.Wrap(resp)
	w.next(s)
	return w.account(s, 1, last)
}

func TestWriterCutsWhoTakesNothing(t *testing.T) {
	g := atRest(t, testConfig())
	sh, now := newShard(g), time.Now()
	p := &peer{}
	if sh.progress(p, 0, false, now) || sh.givesUp(p, now.Add(stallTimeout-1)) {
		t.Error("a stalled client is not waited for")
	}
	if !sh.givesUp(p, now.Add(stallTimeout)) {
		t.Error("a client that took nothing for so long is kept")
	}
	if sh.progress(p, 1, false, now.Add(stallTimeout)); sh.givesUp(p, now.Add(2*stallTimeout-1)) {
		t.Error("a client that took something is cut")
	}
}

func TestByeComesLast(t *testing.T) {
	w := newWorld(t, nil)
	var streams []*ssetest.Stream
	for range 5 {
		s := w.openAs("/events", "", "identity")
		w.next(s)
		streams = append(streams, s)
	}
	w.clients(5)
	w.publish(2, 10)
	w.settle()
	w.stop()
	seen := map[string]bool{}
	for _, s := range streams {
		for i := uint64(1); i <= 4; i++ {
			if e := w.next(s); w.seq(e.ID) != i {
				t.Fatalf("got %+v, want %d", e, i)
			}
		}
		e := w.next(s)
		if e.Name != "bye" || !strings.Contains(e.Data, `"reason":"shutdown"`) {
			t.Errorf("got %+v, want bye", e)
		}
		seen[e.Data] = true
		if _, err := s.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("after bye: %v", err)
		}
	}
	if len(seen) < 2 {
		t.Errorf("all clients are asked back at once: %v", seen)
	}
	if n := w.gateway.limits.count(); n != 0 {
		t.Errorf("%d clients are left", n)
	}
	if w.gateway.ready() == nil {
		t.Error("still ready")
	}
}

// TestByeWithoutAWriter: who has just been greeted when the writers stop is told
// as the others are.
func TestByeWithoutAWriter(t *testing.T) {
	g := atRest(t, testConfig())
	g.hub.reset("e", 1, nil)
	close(g.follower.warm)
	for _, sh := range g.writers.shards {
		sh.farewell()
	}
	go func() { _ = g.server.Serve(g.listener) }() // until the listener is closed
	conn, err := net.Dial("tcp", g.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET /events HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(conn)
	if text := string(all); err != nil || !strings.Contains(text, "event: hello\n") || !strings.Contains(text, "event: bye\n") {
		t.Errorf("got %q, %v", all, err)
	}
}

func TestClientsAreCountedOut(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Heartbeat = 20 * time.Millisecond })
	for range 3 {
		w.next(w.open("", ""))
	}
	w.clients(3)
	s := w.open("", "")
	w.next(s)
	s.Close()
	w.clients(3)
	if v := testutil.ToFloat64(w.gateway.metrics.clients); v != 3 {
		t.Errorf("metric says %v", v)
	}
}

func TestLimits(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.MaxClients, c.MaxClientsPerAddr, c.TrustForwarded = 3, 2, true })
	status := func(addr string) int {
		ctx, cancel := context.WithCancel(t.Context())
		t.Cleanup(cancel)
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url()+"/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Forwarded-For", "203.0.113.99, "+addr)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = resp.Body.Close() })
		if resp.StatusCode != http.StatusOK && resp.Header.Get("Retry-After") == "" {
			t.Error("refused without Retry-After")
		}
		return resp.StatusCode
	}
	var got []int
	for _, addr := range []string{"2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.1", "192.0.2.2"} {
		got = append(got, status(addr))
	}
	if fmt.Sprint(got) != "[200 200 429 200 503]" {
		t.Errorf("answered %v", got)
	}
}

// TestStockClients: two clients by others read the stream, one of them by the
// name it has for kinds.
func TestStockClients(t *testing.T) {
	w := newWorld(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r3got, gogot := make(chan string, 100), make(chan string, 100)
	client := r3.NewClient(w.url() + "/events")
	var done sync.WaitGroup
	done.Go(func() {
		// It ends with the context, by an error of its own choosing.
		_ = client.SubscribeWithContext(ctx, "geo_blip", func(e *r3.Event) {
			r3got <- string(e.Event) + " " + string(e.ID) + " " + string(e.Data)
		})
	})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url()+"/events?kind=geo_blip", nil)
	if err != nil {
		t.Fatal(err)
	}
	other := gosse.NewConnection(req)
	other.SubscribeToAll(func(e gosse.Event) { gogot <- e.Type + " " + e.LastEventID + " " + e.Data })
	done.Go(func() {
		if err := other.Connect(); !errors.Is(err, context.Canceled) {
			t.Errorf("go-sse: %v", err)
		}
	})
	w.clients(2)
	w.publish(3, 10)
	for _, got := range []chan string{r3got, gogot} {
		if e := <-got; !strings.HasPrefix(e, "hello "+w.id(0)+" {") {
			t.Errorf("got %q", e)
		}
		for seq := uint64(2); seq <= 6; seq += 2 {
			want := fmt.Sprintf(`geo_blip %s {"id":"%d","source":"test","body":"xxxxxxxxxx"}`, w.id(seq), seq/2)
			if e := <-got; e != want {
				t.Errorf("got %q, want %q", e, want)
			}
		}
	}
	cancel()
	w.stop()
	done.Wait()
}

// TestOneEventThenSilence: it does not wait for a second one.
func TestOneEventThenSilence(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Window = time.Second })
	s := w.open("?kind=simple_tweet", "")
	w.next(s)
	w.publish(1, 10)
	if e := w.next(s); e.Name != "simple_tweet" {
		t.Errorf("got %+v", e)
	}
}
