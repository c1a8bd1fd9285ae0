package gateway

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
	"github.com/blipstream/blipstream/services/gateway/sse"
)

// pipes is a listener of connections in memory, which a fake clock can time.
type pipes struct {
	coming chan net.Conn
	closed chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.coming:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error {
	close(p.closed)
	return nil
}

func (pipes) Addr() net.Addr { return &net.TCPAddr{} }

// timed runs check with a connection to a server as ours is, on a fake clock.
// big answers with more than any buffer holds.
func timed(t *testing.T, check func(t *testing.T, conn net.Conn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &Service{log: slog.New(slog.DiscardHandler)}
		server := s.newServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/big" {
				_, _ = w.Write(make([]byte, 1<<20)) // the client may not read it
			}
		}))
		l := pipes{make(chan net.Conn), make(chan struct{})}
		done := make(chan error)
		go func() { done <- server.Serve(l) }()
		ours, theirs := net.Pipe()
		l.coming <- theirs
		check(t, ours)
		_ = ours.Close()
		if err := errors.Join(server.Close(), ignoreClosed(<-done)); err != nil {
			t.Error(err)
		}
		<-time.After(time.Second) // what the server still does with a connection that it cut
	})
}

// ignoreClosed leaves out the end that was meant.
func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// write sends a part of a request.
func write(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
}

// answered reads an answer: its status, and whether it is the connection's last.
func answered(t *testing.T, from *bufio.Reader) (code int, last bool) {
	t.Helper()
	resp, err := http.ReadResponse(from, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode, resp.Close
}

// TestTimeouts: who sends slowly, keeps a connection for nothing or does not
// read an answer loses it, on time.
func TestTimeouts(t *testing.T) {
	for name, tc := range map[string]struct {
		before string
		answer bool
		want   time.Duration
	}{
		"nothing":        {"", false, headerTimeout},
		"half a header":  {"GET / HTTP/1.1\r\nHost: x\r\nX-Long: ", false, headerTimeout},
		"idle":           {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", true, idleTimeout},
		"unread answers": {"GET /big HTTP/1.1\r\nHost: x\r\n\r\n", false, answerTimeout},
	} {
		timed(t, func(t *testing.T, conn net.Conn) {
			t.Helper()
			began := time.Now()
			write(t, conn, tc.before)
			reader := bufio.NewReader(conn)
			if tc.answer {
				answered(t, reader)
			}
			if strings.Contains(tc.before, "/big") {
				<-time.After(2 * tc.want) // it does not read before that
				if n, _ := io.Copy(io.Discard, reader); n >= 1<<20 {
					t.Errorf("%s: all %d bytes came", name, n)
				}
				return
			}
			_, _ = io.Copy(io.Discard, reader) // until it is cut
			if took := time.Since(began); took < tc.want || took > tc.want+time.Second {
				t.Errorf("%s: cut after %s, want %s", name, took, tc.want)
			}
		})
	}
}

// TestLargeHeadersAreRefused: also a query is a header's first line.
func TestLargeHeadersAreRefused(t *testing.T) {
	long := strings.Repeat("x", maxHeaderBytes+8<<10)
	for name, text := range map[string]string{
		"header": "GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + long + "\r\n\r\n",
		"query":  "GET /events?q=" + long + " HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		timed(t, func(t *testing.T, conn net.Conn) {
			t.Helper()
			go func() { _, _ = io.WriteString(conn, text) }() // it is cut on its way
			if code, _ := answered(t, bufio.NewReader(conn)); code != http.StatusRequestHeaderFieldsTooLarge {
				t.Errorf("%s: %d", name, code)
			}
		})
	}
}

// TestBodiesAreNotWaitedFor: of a body that is announced nothing is read.
func TestBodiesAreNotWaitedFor(t *testing.T) {
	w := newWorld(t, signIn)
	for _, length := range []string{"Content-Length: 1000000", "Transfer-Encoding: chunked"} {
		conn, err := net.Dial("tcp", w.gateway.Addr())
		if err != nil {
			t.Fatal(err)
		}
		write(t, conn, "POST /api/ticket HTTP/1.1\r\nHost: x\r\n"+length+"\r\n\r\n")
		if code, last := answered(t, bufio.NewReader(conn)); code != http.StatusRequestEntityTooLarge || !last {
			t.Errorf("%s: %d, %v", length, code, last)
		}
		_ = conn.Close()
	}
}

// TestSecurityHeaders: whatever is answered, also a refusal.
func TestSecurityHeaders(t *testing.T) {
	w := newWorld(t, signIn)
	good := token(t, hour(), nil)
	for _, tc := range []struct {
		method, path, token string
		code                int
	}{
		{http.MethodGet, "/", "", 200},
		{http.MethodGet, "/assets/none.js", "", 404},
		{http.MethodGet, "/api/stats", good, 200},
		{http.MethodGet, "/api/stats", "", 401},
		{http.MethodHead, "/events", good, 200},
		{http.MethodGet, "/events?x=1", good, 400},
		{http.MethodPut, "/events", good, 405},
		{http.MethodGet, "/metrics", "", 200},
		{http.MethodPost, ticketPath, good, 200},
	} {
		got := ask(w.gateway, tc.method, tc.path, tc.token)
		if got.Code != tc.code {
			t.Errorf("%s %s: %d, want %d", tc.method, tc.path, got.Code, tc.code)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
		} {
			if v := got.Header().Get(name); v != want {
				t.Errorf("%s %s: %s is %q", tc.method, tc.path, name, v)
			}
		}
		policy := got.Header().Get("Content-Security-Policy")
		for _, directive := range []string{"default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"} {
			if !strings.Contains(policy, directive) || strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
				t.Errorf("%s %s: policy %q, want %s", tc.method, tc.path, policy, directive)
			}
		}
		if secret := strings.HasPrefix(tc.path, "/api/"); secret && got.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s: may be kept: %q", tc.method, tc.path, got.Header().Get("Cache-Control"))
		}
	}
}

// TestOriginsInCaches: an answer for one origin must not be kept for another.
func TestOriginsInCaches(t *testing.T) {
	cfg := testConfig()
	cfg.AllowOrigin = []string{"https://a.example", "https://b.example"}
	g := atRest(t, cfg)
	for origin, want := range map[string]string{
		"https://a.example": "https://a.example", "https://b.example": "https://b.example",
		"https://a.example.evil": "", "http://a.example": "", "null": "", "": "",
	} {
		r := httptest.NewRequest(http.MethodOptions, "/live", nil)
		r.Header.Set("Origin", origin)
		rec := httptest.NewRecorder()
		g.server.Handler.ServeHTTP(rec, r)
		h := rec.Header()
		if h.Get("Access-Control-Allow-Origin") != want || h.Get("Vary") != "Origin" || h.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%q: %v", origin, h)
		}
		if allowed := h.Get("Access-Control-Allow-Methods") != ""; allowed != (want != "") {
			t.Errorf("%q: methods %q", origin, h.Get("Access-Control-Allow-Methods"))
		}
	}
}

// TestSpread: clients do not come back all at once, neither after a bye nor
// after a broken connection.
func TestSpread(t *testing.T) {
	const clients = 400
	byes, retries := map[int]bool{}, map[int]bool{}
	for range clients {
		bye, err := appendBye(nil, byeShutdown)
		if err != nil {
			t.Fatal(err)
		}
		hello, err := sse.AppendHello(nil, sse.ID{Epoch: "e"}, &feedv1.Hello{})
		if err != nil {
			t.Fatal(err)
		}
		byes[number(t, bye, `"reopenAfterMs":`, "}")] = true
		retries[number(t, hello, "retry: ", "\n")] = true
	}
	for name, tc := range map[string]struct {
		seen     map[int]bool
		min, max int
	}{"bye": {byes, 500, 4000}, "retry": {retries, 3000, 8000}} {
		early, late := tc.max, tc.min
		for ms := range tc.seen {
			early, late = min(early, ms), max(late, ms)
		}
		span := tc.max - tc.min
		if early < tc.min || late > tc.max || late-early < span*8/10 || len(tc.seen) < clients/2 {
			t.Errorf("%s: %d values from %d to %d", name, len(tc.seen), early, late)
		}
	}
}

// number finds a number between two texts.
func number(t *testing.T, in []byte, before, after string) int {
	t.Helper()
	_, rest, _ := bytes.Cut(in, []byte(before))
	digits, _, ok := bytes.Cut(rest, []byte(after))
	n, err := strconv.Atoi(string(digits))
	if err != nil || !ok {
		t.Fatalf("%q: %v", in, err)
	}
	return n
}
