package websocket_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	coder "github.com/coder/websocket"

	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/upstream"
	"github.com/blipstream/blipstream/services/ingest/source/websocket"
)

// patience is an idle timeout that no test is meant to reach.
const patience = time.Minute

// serve runs handle on every connection, and returns the server's URL.
func serve(t *testing.T, handle func(ctx context.Context, c *coder.Conn)) string {
	t.Helper()
	srv := httptest.NewServer(handler(handle))
	t.Cleanup(srv.Close)
	return srv.URL
}

func handler(handle func(ctx context.Context, c *coder.Conn)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := coder.Accept(w, r, &coder.AcceptOptions{Subprotocols: []string{"b.v1"}})
		if err != nil {
			return
		}
		defer func() { _ = c.CloseNow() }()
		handle(r.Context(), c)
	}
}

// read reads a connection to its end.
func read(t *testing.T, o websocket.Options) (got []websocket.Message, err error) {
	t.Helper()
	o.Who = "test: read it"
	if o.Idle == 0 {
		o.Idle = patience
	}
	err = websocket.Read(t.Context(), o, nil, func(m websocket.Message) error {
		m.Data = bytes.Clone(m.Data)
		got = append(got, m)
		return nil
	})
	return got, err
}

// told is the source.Error in err.
func told(t *testing.T, err error) *source.Error {
	t.Helper()
	e, ok := errors.AsType[*source.Error](err)
	if !ok {
		t.Fatalf("Read = %v, want a source.Error", err)
	}
	return e
}

func TestMessages(t *testing.T) {
	const limit = 10_000
	long := bytes.Repeat([]byte("0123456789"), 600_000)
	url := serve(t, func(ctx context.Context, c *coder.Conn) {
		_, hello, err := c.Read(ctx)
		if err != nil || string(hello) != "subscribe" {
			t.Errorf("hello %q, %v", hello, err)
		}
		_ = c.Write(ctx, coder.MessageText, []byte("one"))
		_ = c.Write(ctx, coder.MessageBinary, long[:limit])
		_ = c.Write(ctx, coder.MessageText, long)
		w, err := c.Writer(ctx, coder.MessageText) // in fragments
		if err != nil {
			t.Error(err)
			return
		}
		for _, part := range []string{"f", "ou", "r"} {
			_, _ = io.WriteString(w, part)
		}
		_ = w.Close()
		_ = c.Close(coder.StatusGoingAway, "shutting down")
	})
	got, err := read(t, websocket.Options{URL: url, Hello: []byte("subscribe"), Limit: limit})
	if e := told(t, err); e.Cause != source.CauseClosed || !strings.Contains(e.Error(), "1001 shutting down") {
		t.Errorf("Read = %v (%v)", e, e.Cause)
	}
	want := []websocket.Message{
		{Data: []byte("one"), Size: 3},
		{Data: long[:limit], Binary: true, Size: limit},
		{Data: long[:limit], Size: int64(len(long)), Cut: true},
		{Data: []byte("four"), Size: 4},
	}
	if len(got) != len(want) {
		t.Fatalf("%d messages, want %d", len(got), len(want))
	}
	for i, m := range got {
		if !bytes.Equal(m.Data, want[i].Data) || m.Binary != want[i].Binary || m.Size != want[i].Size || m.Cut != want[i].Cut {
			t.Errorf("message %d: %d bytes of %d, binary %v, cut %v", i, len(m.Data), m.Size, m.Binary, m.Cut)
		}
	}
}

func TestCloseCodes(t *testing.T) {
	for code, want := range map[coder.StatusCode]source.Cause{
		1000: source.CauseClosed, 1001: source.CauseClosed, 1012: source.CauseClosed,
		1002: source.CauseHTTP, 1008: source.CauseHTTP, 1011: source.CauseHTTP, 1013: source.CauseHTTP, 4001: source.CauseHTTP,
	} {
		url := serve(t, func(_ context.Context, c *coder.Conn) { _ = c.Close(code, "why") })
		if _, err := read(t, websocket.Options{URL: url}); told(t, err).Cause != want {
			t.Errorf("code %d: %v, want %v", code, err, want)
		}
	}
	url := serve(t, func(context.Context, *coder.Conn) {}) // no close frame
	if _, err := read(t, websocket.Options{URL: url}); told(t, err).Cause != source.CauseClosed {
		t.Errorf("no close frame: %v", err)
	}
}

func TestRefused(t *testing.T) {
	for status, want := range map[int]source.Cause{
		200: source.CauseHTTP, 302: source.CauseFatal, 401: source.CauseFatal, 429: source.CauseRateLimited, 503: source.CauseHTTP,
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "not\ntoday")
		}))
		_, err := read(t, websocket.Options{URL: srv.URL})
		srv.Close()
		e := told(t, err)
		if e.Cause != want || e.RetryAfter != 7*time.Second || !strings.Contains(e.Error(), "not today") {
			t.Errorf("status %d: %v (%v, %v), want %v", status, e, e.Cause, e.RetryAfter, want)
		}
	}
	if _, err := read(t, websocket.Options{URL: "http://127.0.0.1:1"}); told(t, err).Cause != source.CauseNetwork {
		t.Errorf("nobody there: %v", err)
	}
}

func TestSubprotocolAndTake(t *testing.T) {
	url := serve(t, func(ctx context.Context, c *coder.Conn) {
		_ = c.Write(ctx, coder.MessageText, []byte("x"))
		_, _, _ = c.Read(ctx)
	})
	failed := errors.New("take failed")
	protocol := ""
	err := websocket.Read(t.Context(), websocket.Options{URL: url, Idle: patience, Subprotocols: []string{"a", "b.v1"}},
		func(h http.Header) { protocol = h.Get("Sec-Websocket-Protocol") },
		func(websocket.Message) error { return failed })
	if err != failed || protocol != "b.v1" { //nolint:errorlint // the very error is asked for
		t.Errorf("Read = %v, protocol %q", err, protocol)
	}
}

// memory is a network of one server without sockets, so that a fake clock can run.
func memory(t *testing.T, h http.Handler) upstream.Dial {
	t.Helper()
	l := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	srv := &http.Server{Handler: h}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		select {
		case l.conns <- theirs:
			return ours, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (*pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }

// TestIdle: the upstream's pings keep a connection alive, silence ends it, and
// a bus that takes nothing for long is not the upstream's silence.
func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const idle, every, pings, blocked = 50 * time.Second, 30 * time.Second, 10, 20 * time.Minute
		dial := memory(t, handler(func(ctx context.Context, c *coder.Conn) {
			ctx = c.CloseRead(ctx)
			_ = c.Write(ctx, coder.MessageText, []byte("x"))
			<-time.After(blocked)
			for range pings {
				<-time.After(every)
				if err := c.Ping(ctx); err != nil {
					t.Errorf("ping: %v", err)
				}
			}
			<-ctx.Done()
		}))
		began := time.Now()
		err := websocket.Read(t.Context(), websocket.Options{URL: "ws://upstream/", Idle: idle, Dial: dial}, nil,
			func(websocket.Message) error { <-time.After(blocked); return nil })
		if e := told(t, err); !errors.Is(e, source.ErrStalled) || e.Cause != source.CauseClosed {
			t.Errorf("Read = %v (%v), want a stall", e, e.Cause)
		}
		if took, want := time.Since(began), blocked+pings*every+idle; took != want {
			t.Errorf("stalled after %v, want %v", took, want)
		}
	})
}

// TestPing: answers to own pings are a sign of life.
func TestPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const idle, quiet = 40 * time.Second, 10 * time.Minute
		dial := memory(t, handler(func(ctx context.Context, c *coder.Conn) {
			ctx = c.CloseRead(ctx)
			<-time.After(quiet)
			_ = c.Write(ctx, coder.MessageText, []byte("late"))
			<-ctx.Done()
		}))
		enough := errors.New("enough")
		began := time.Now()
		err := websocket.Read(t.Context(), websocket.Options{URL: "ws://upstream/", Idle: idle, Ping: 15 * time.Second, Dial: dial}, nil,
			func(websocket.Message) error { return enough })
		if !errors.Is(err, enough) || time.Since(began) != quiet {
			t.Errorf("Read = %v after %v", err, time.Since(began))
		}
	})
}

// TestNoAnswer: an upstream that takes the connection and says nothing at all.
func TestNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial := memory(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
		began := time.Now()
		_, err := read(t, websocket.Options{URL: "ws://upstream/", Idle: 10 * time.Second, Dial: dial})
		if e := told(t, err); !errors.Is(e, source.ErrStalled) || e.Cause != source.CauseNetwork || time.Since(began) != 10*time.Second {
			t.Errorf("Read = %v (%v) after %v", e, e.Cause, time.Since(began))
		}
	})
}
