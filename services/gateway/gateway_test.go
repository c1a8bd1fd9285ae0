package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/services/gateway/ssetest"
)

// world is a gateway on a server of its own, and what a test needs to move it.
type world struct {
	t       testing.TB
	server  *bustest.Server
	conn    *bus.Conn
	cfg     Config
	gateway *Service
	stop    func()
	serial  atomic.Int64
}

// testConfig has limits that a test can reach.
func testConfig() Config {
	cfg := DefaultConfig()
	cfg.Addr = "127.0.0.1:0"
	cfg.RingBytes = minRing
	return cfg
}

// newWorld starts a server and a gateway.
func newWorld(tb testing.TB, change func(*Config)) *world {
	tb.Helper()
	w := &world{t: tb, server: bustest.Start(tb), cfg: testConfig()}
	w.connect(bustest.Layout())
	if change != nil {
		change(&w.cfg)
	}
	w.start()
	return w
}

// connect makes the connection, and streams of that layout.
func (w *world) connect(layout bus.Layout) {
	w.t.Helper()
	w.conn = w.server.Dial(w.t, bus.Options{Name: "gateway", Layout: &layout})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := w.conn.Ensure(ctx, layout); err != nil {
		w.t.Fatal(err)
	}
}

// start makes and runs a gateway.
func (w *world) start() {
	w.t.Helper()
	g, err := New(w.cfg, w.conn, service.Nop())
	if err != nil {
		w.t.Fatal(err)
	}
	w.gateway = g
	w.run()
}

// run runs the gateway, and waits until it is ready.
func (w *world) run() {
	w.t.Helper()
	g := w.gateway
	ended, end := context.WithCancel(context.Background())
	end() // await then does not wait
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	var once atomic.Bool
	w.stop = func() {
		if cancel(); once.CompareAndSwap(false, true) {
			if err := <-done; err != nil {
				w.t.Errorf("run: %v", err)
			}
		}
	}
	w.t.Cleanup(w.stop)
	bustest.WaitFor(w.t, "the gateway is ready", func() bool { return g.ready() == nil })
	bustest.WaitFor(w.t, "the gateway knows what was removed", func() bool { return g.removals.await(ended, 1) == nil })
}

// url is the gateway's address.
func (w *world) url() string { return "http://" + w.gateway.Addr() }

// publish stores n posts, each with a blip: 2n events. pad makes them larger.
func (w *world) publish(n, pad int) {
	w.t.Helper()
	msgs := make([]bus.Msg, 0, 2*n)
	for range n {
		id := strconv.FormatInt(w.serial.Add(1), 10)
		for _, kind := range []feed.Kind{feed.KindSimpleTweet, feed.KindGeoBlip} {
			msgs = append(msgs, bus.Msg{
				Subject: feed.EventSubject(kind), ID: feed.EventID(kind, "test", id),
				Data: fmt.Appendf(nil, `{"id":"%s","source":"test","body":"%s"}`, id, strings.Repeat("x", pad)),
			})
		}
	}
	bustest.Publish(w.t, w.conn, feed.StreamEvents, msgs...)
}

// settle waits until the gateway has copied all of the stream.
func (w *world) settle() {
	w.t.Helper()
	state, err := w.conn.Stream(w.t.Context(), feed.StreamEvents)
	if err != nil {
		w.t.Fatal(err)
	}
	bustest.WaitFor(w.t, "the gateway has the stream", func() bool {
		s := w.gateway.tail.State()
		return s.Epoch == state.Epoch && s.Next > state.LastSeq
	})
}

// open opens a stream that ends with the test.
func (w *world) open(query, lastID string) *ssetest.Stream {
	w.t.Helper()
	return w.openAs("/events"+query, lastID, "")
}

// openAs opens a stream of that path. encoding is what the client takes: ""
// leaves that to Go's own transport, which takes gzip and undoes it.
func (w *world) openAs(path, lastID, encoding string) *ssetest.Stream {
	w.t.Helper()
	header := http.Header{}
	if lastID != "" {
		header.Set("Last-Event-ID", lastID)
	}
	if encoding != "" {
		header.Set("Accept-Encoding", encoding)
	}
	return w.openWith(path, header)
}

// openWith opens a stream that ends with the test.
func (w *world) openWith(path string, header http.Header) *ssetest.Stream {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	w.t.Cleanup(cancel)
	s, err := ssetest.Open(ctx, nil, w.url()+path, header)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(s.Close)
	return s
}

// next reads an event.
func (w *world) next(s *ssetest.Stream) ssetest.Event {
	w.t.Helper()
	e, err := s.Next()
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

// gap is a gap as a client reads it.
type gap struct {
	Reason                string
	FromSeq, ToSeq, Count uint64 `json:",string"`
}

// account reads until sequence last and checks that from sequence from on each
// is there once, in order, or in a gap. It returns the gaps.
func (w *world) account(s *ssetest.Stream, from, last uint64) (gaps []gap) {
	w.t.Helper()
	for next := from; next <= last; {
		e := w.next(s)
		switch e.Name {
		case "hello", "hb":
		case "gap":
			var g gap
			if err := json.Unmarshal([]byte(e.Data), &g); err != nil {
				w.t.Fatal(err)
			}
			gaps = append(gaps, g)
			if g.ToSeq == 0 {
				continue
			}
			if g.FromSeq != next || g.Count != g.ToSeq-g.FromSeq+1 {
				w.t.Fatalf("gap %+v where %d comes next", g, next)
			}
			next = g.ToSeq + 1
		default:
			if seq := w.seq(e.ID); seq != next {
				w.t.Fatalf("got event %d, want %d", seq, next)
			}
			next++
		}
	}
	return gaps
}

// seq is the sequence in an id.
func (w *world) seq(id string) (seq uint64) {
	w.t.Helper()
	_, digits, _ := strings.Cut(id, "-")
	if _, err := fmt.Sscan(digits, &seq); err != nil {
		w.t.Fatalf("id %q: %v", id, err)
	}
	return seq
}

// id is the id of a sequence of the present stream.
func (w *world) id(seq uint64) string {
	return fmt.Sprintf("%s-%d", w.gateway.tail.State().Epoch, seq)
}

// envURL and envToken have the conformance suite examine another server, and
// what to show it.
const (
	envURL   = "BLIPSTREAM_E2E_URL"
	envToken = "BLIPSTREAM_E2E_TOKEN"
)

func TestConformance(t *testing.T) {
	h2c := &http.Transport{Protocols: new(http.Protocols)}
	h2c.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(h2c.CloseIdleConnections)
	if url := os.Getenv(envURL); url != "" {
		ssetest.Run(t, ssetest.Target{URL: url, Client: &http.Client{Transport: bearer(os.Getenv(envToken))}})
		return
	}
	for name, client := range map[string]*http.Client{"HTTP1": nil, "HTTP2": {Transport: h2c}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(c *Config) { c.Heartbeat = 100 * time.Millisecond })
			ssetest.Run(t, ssetest.Target{
				URL: w.url(), Heartbeat: w.cfg.Heartbeat, Client: client,
				Emit:  func(testing.TB) { w.publishWhole(3) },
				Forge: w.forge, Stop: func(testing.TB) { w.stop() },
			})
		})
	}
}

// bearer shows a token with each request; "" shows none.
type bearer string

// RoundTrip sends a request.
func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	if b != "" {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+string(b))
	}
	return http.DefaultTransport.RoundTrip(r)
}

// publishWhole stores n posts, each with a blip, that have all a filter asks for.
func (w *world) publishWhole(n int) {
	w.t.Helper()
	for range n {
		id := strconv.FormatInt(w.serial.Add(1), 10)
		for _, kind := range []feed.Kind{feed.KindSimpleTweet, feed.KindGeoBlip} {
			bustest.Publish(w.t, w.conn, feed.StreamEvents, bus.Msg{
				Subject: feed.EventSubject(kind), ID: feed.EventID(kind, "test", id),
				Data: fmt.Appendf(nil, `{"id":"%s","source":"test","lang":"fi","country":"FI","body":"rain again","lat":60.2,"lon":24.9}`, id),
			})
		}
	}
}

// forge stores a post whose payload is data.
func (w *world) forge(tb testing.TB, data []byte) {
	tb.Helper()
	bustest.Publish(tb, w.conn, feed.StreamEvents, bus.Msg{
		Subject: feed.EventSubject(feed.KindSimpleTweet), ID: strconv.FormatInt(w.serial.Add(1), 10), Data: data,
	})
}
