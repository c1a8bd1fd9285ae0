package tail_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/r3labs/sse/v2"

	"github.com/blipstream/blipstream/cmd/blipstream/tail"
)

// script is a server whose nth connection is handled by the nth step, and
// every further one by the last.
type script struct {
	mu       sync.Mutex
	steps    []http.HandlerFunc
	requests []*http.Request
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, r)
	step := s.steps[min(len(s.requests), len(s.steps))-1]
	s.mu.Unlock()
	step(w, r)
}

// request is the nth request, from 1.
func (s *script) request(n int) *http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[n-1]
}

// stream sends text as an event stream and ends it cleanly.
func stream(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, text)
	}
}

// hold sends text and keeps the connection open until the client leaves.
func hold(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		stream(text)(w, r)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
}

// tear sends text and breaks the connection.
func tear(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		stream(text)(w, r)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

func refuse(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, body, status) }
}

func event(id int, data string) string {
	return fmt.Sprintf("event: simple_tweet\nid: e-%d\ndata: %s\n\n", id, data)
}

const hello = "event: hello\ndata: {\"epoch\":\"e\",\"nextSeq\":\"41\"}\n\n"

var errEnough = errors.New("enough")

// read runs client c against s until n events came, and returns their data.
func read(t *testing.T, s *script, n int, c tail.Client) ([]string, error) {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	c.URL, c.Log = server.URL, slog.New(slog.DiscardHandler)
	c.MinDelay, c.MaxDelay = time.Millisecond, 5*time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var got []string
	err := c.Run(ctx, func(ev *sse.Event) error {
		got = append(got, string(ev.Data))
		if len(got) == n {
			return errEnough
		}
		return nil
	})
	if ctx.Err() != nil {
		t.Fatalf("timed out with %d of %d events: %q", len(got), n, got)
	}
	return got, err
}

func TestClientOutlivesEveryEndOfAConnection(t *testing.T) {
	big := strings.Repeat("x", 300<<10)
	for name, first := range map[string]http.HandlerFunc{
		"clean end":        stream(hello + event(1, "one")),
		"broken":           tear(hello + event(1, "one")),
		"broken in event":  tear(hello + event(1, "one") + "event: simple_tweet\nid: e-2\ndata: tw"),
		"clean, in event":  stream(hello + event(1, "one") + "event: simple_tweet\nid: e-2\ndata: tw"),
		"silent":           hold(hello + event(1, "one")),
		"comment, lone id": stream(hello + event(1, "one") + ":\n\n: hb\n\nevent: hb\n\n"),
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{steps: []http.HandlerFunc{first, hold(hello + event(2, big))}}
			got, err := read(t, s, 2, tail.Client{Idle: 300 * time.Millisecond})
			if !errors.Is(err, errEnough) {
				t.Fatalf("Run: %v", err)
			}
			if got[0] != "one" || got[1] != big {
				t.Errorf("got %.20q, want one and the big one", got)
			}
			if id := s.request(2).Header.Get("Last-Event-ID"); id != "e-1" {
				t.Errorf("resumed after %q, want e-1", id)
			}
		})
	}
}

func TestClientTriesAgainWhereThatMayHelp(t *testing.T) {
	s := &script{steps: []http.HandlerFunc{
		refuse(http.StatusServiceUnavailable, "starting"), refuse(http.StatusTooManyRequests, "full"),
		stream(hello + event(1, "one")),
	}}
	if _, err := read(t, s, 1, tail.Client{}); !errors.Is(err, errEnough) {
		t.Errorf("Run: %v", err)
	}
}

func TestClientGivesUpWithTheGatewaysWords(t *testing.T) {
	for name, c := range map[string]struct {
		step http.HandlerFunc
		want string
	}{
		"text":    {refuse(http.StatusBadRequest, "kind: no such kind\nmore"), "kind: no such kind"},
		"problem": {refuse(http.StatusForbidden, `{"title":"Forbidden","detail":"not for \u001byou"}`), "not for ␛you"},
		"empty":   {refuse(http.StatusNotFound, ""), "404"},
		"sign-in": {refuse(http.StatusUnauthorized, `{"detail":"a token is needed"}`), "a token is needed: put one into BLIPSTREAM_TOKEN"},
		"no stream": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
		}, "is it a gateway?"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(t, &script{steps: []http.HandlerFunc{c.step}}, 1, tail.Client{})
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error is %q, want one line with %q", err, c.want)
			}
		})
	}
}

func TestClientRefusesAnEventWithoutEnd(t *testing.T) {
	s := &script{steps: []http.HandlerFunc{stream("data: " + strings.Repeat("x", 17<<20))}}
	_, err := read(t, s, 1, tail.Client{})
	if err == nil || !strings.Contains(err.Error(), "larger than 16 MiB") {
		t.Errorf("error is %v", err)
	}
}

func TestClientAsksForKindsAndSinceOnce(t *testing.T) {
	s := &script{steps: []http.HandlerFunc{refuse(http.StatusBadGateway, ""), stream(hello), stream(event(41, "one"))}}
	if _, err := read(t, s, 1, tail.Client{Kinds: []string{"a", "b"}, Since: "10m"}); !errors.Is(err, errEnough) {
		t.Fatalf("Run: %v", err)
	}
	for n, want := range []string{"kind=a&kind=b&since=10m", "kind=a&kind=b&since=10m", "kind=a&kind=b"} {
		if got := s.request(n + 1).URL.RawQuery; got != want {
			t.Errorf("request %d asks for %q, want %q", n+1, got, want)
		}
	}
	if id := s.request(3).Header.Get("Last-Event-ID"); id != "e-40" {
		t.Errorf("a stream cut before its first event was resumed after %q, want e-40", id)
	}
}

func TestClientTellsGaps(t *testing.T) {
	gap := "event: gap\nid: e-9\ndata: {\"reason\":\"trimmed\",\"fromSeq\":\"3\",\"toSeq\":\"9\",\"count\":\"7\"}\n\n"
	var got []tail.Gap
	s := &script{steps: []http.HandlerFunc{stream(hello + gap + event(10, "ten"))}}
	if _, err := read(t, s, 1, tail.Client{Gap: func(g tail.Gap) { got = append(got, g) }}); !errors.Is(err, errEnough) {
		t.Fatalf("Run: %v", err)
	}
	if want := (tail.Gap{Reason: "trimmed", From: 3, To: 9, Count: 7}); len(got) != 1 || got[0] != want {
		t.Errorf("gaps %+v, want %+v", got, want)
	}
}

func TestClientShowsItsToken(t *testing.T) {
	s := &script{steps: []http.HandlerFunc{stream(hello + event(1, "one")), hold(hello + event(2, "two"))}}
	if _, err := read(t, s, 2, tail.Client{Token: "a.b-c_d.e"}); !errors.Is(err, errEnough) {
		t.Fatalf("Run: %v", err)
	}
	for n := 1; n <= 2; n++ {
		if r := s.request(n); r.Header.Get("Authorization") != "Bearer a.b-c_d.e" || strings.Contains(r.URL.String(), "a.b") {
			t.Errorf("request %d: %s with %q", n, r.URL, r.Header.Get("Authorization"))
		}
	}
}

// TestTokenStaysWhereItWasMeantFor: it follows no redirect, and is not told.
func TestTokenStaysWhereItWasMeantFor(t *testing.T) {
	moved := func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }
	s := &script{steps: []http.HandlerFunc{moved, hold(hello + event(1, "one"))}}
	if _, err := read(t, s, 1, tail.Client{Token: "a.b.c"}); err == nil || !strings.Contains(err.Error(), "302") {
		t.Errorf("followed a redirect: %v", err)
	}
	for _, token := range []string{"two words", "line\nbreak", "\"quoted\""} {
		c := tail.Client{URL: "http://localhost", Token: token}
		if err := c.Check(); err == nil || strings.Contains(err.Error(), token) {
			t.Errorf("%q: %v", token, err)
		}
	}
	for url, want := range map[string]bool{"http://127.0.0.1:1": false, "http://localhost": false, "https://a.example": false, "http://a.example": true} {
		if c := (tail.Client{URL: url, Token: "t"}); c.InTheClear() != want {
			t.Errorf("%s: in the clear %v", url, !want)
		}
	}
}

func TestClientStopsWhenAsked(t *testing.T) {
	for name, step := range map[string]http.HandlerFunc{
		"while reading": hold(hello + event(1, "one")),
		"while waiting": refuse(http.StatusServiceUnavailable, ""),
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				context.AfterFunc(r.Context(), cancel)
				cancel()
				step(w, r)
			}))
			t.Cleanup(server.Close)
			c := tail.Client{URL: server.URL, Log: slog.New(slog.DiscardHandler), MinDelay: time.Hour, MaxDelay: time.Hour}
			if err := c.Run(ctx, func(*sse.Event) error { return nil }); err != nil {
				t.Errorf("Run: %v, want nil", err)
			}
		})
	}
}

func TestClientRefusesWhatIsNoURL(t *testing.T) {
	for _, u := range []string{"", "localhost:8080", "ftp://x", "http://", "::"} {
		c := tail.Client{URL: u}
		if err := c.Run(t.Context(), nil); err == nil {
			t.Errorf("URL %q was taken", u)
		}
	}
}
