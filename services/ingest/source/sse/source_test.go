package sse_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/sse"
	"github.com/blipstream/blipstream/services/ingest/sourcetest"
)

// open makes a source that reads server at path.
func open(t *testing.T, server, path, secret string, obs source.Observer) source.Source {
	t.Helper()
	src, err := try(t, "sse+"+server+path, secret, obs)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func try(t *testing.T, raw, secret string, obs source.Observer) (source.Source, error) {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return sse.Open(source.Config{Name: "ev", URL: u, Secret: secret, Log: slog.New(slog.DiscardHandler), Observer: obs})
}

// messages is what the test's upstream sends.
func messages() (out [][]byte) {
	for i := range 40 {
		out = append(out, fmt.Appendf(nil, `{"meta":{"id":"m-%d"},"text":"message %d"}`, i, i))
	}
	return append(out, []byte("{\"text\":\n\"two lines\"}"), []byte(`null`), []byte(`{"trunc`), []byte("\xff"), []byte(`{"meta":{"id":"last"}}`))
}

// serve answers every request with handler.
func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	srv := httptest.NewServer(handler)
	t.Cleanup(srv.Close)
	return srv.URL
}

// upstream serves messages behind the Last-Event-ID, then stays open.
func upstream(t *testing.T, ids bool, between string) string {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		from := 0
		if id := r.Header.Get("Last-Event-ID"); id != "" {
			n, _ := strconv.Atoi(id)
			from = n + 1
		}
		_, _ = io.WriteString(w, ":ok\n\n")
		for i, m := range messages() {
			if i < from {
				continue
			}
			if ids {
				fmt.Fprintf(w, "id: %d\n", i)
			}
			fmt.Fprintf(w, "event: message\ndata: %s\n\n%s", strings.ReplaceAll(string(m), "\n", "\ndata: "), between)
		}
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
}

func TestConformance(t *testing.T) {
	for name, c := range map[string]struct {
		ids           bool
		between, path string
	}{
		"ids":      {true, "", "/?id=/meta/id"},
		"no ids":   {false, "", "/"},
		"":         {true, ":thump\n:thump\n", "/?events=message,other"},
		"hb names": {true, "event: hb\ndata: 1\n\n", "/?events=message"},
	} {
		t.Run(name, func(t *testing.T) {
			sourcetest.Run(t, func(t *testing.T) sourcetest.Upstream {
				t.Helper()
				server := upstream(t, c.ids, c.between)
				return sourcetest.Upstream{
					Name: "ev", Want: messages(), Resumes: c.ids,
					Open: func(t *testing.T) source.Source { t.Helper(); return open(t, server, c.path, "", nil) },
				}
			})
		})
	}
}

// watcher is an Observer that remembers.
type watcher struct {
	connected int
	rejected  []source.Rejected
}

func (w *watcher) Connected()    { w.connected++ }
func (w *watcher) Missed(uint64) {}
func (w *watcher) Reject(r source.Rejected) error {
	w.rejected = append(w.rejected, r)
	return nil
}

// run reads one connection to its end.
func run(t *testing.T, src source.Source, from feed.Cursor) (items []feed.Item, told *source.Error) {
	t.Helper()
	err := src.Stream(t.Context(), from, func(it feed.Item) error { items = append(items, it); return nil })
	if !errors.As(err, &told) {
		t.Fatalf("Stream = %v, want a source.Error", err)
	}
	return items, told
}

// TestEnds: how the ends of connections are told.
func TestEnds(t *testing.T) {
	stream := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, body)
		}
	}
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		cause   source.Cause
		after   time.Duration
		items   int
	}{
		"closed":        {stream("data: a\n\n"), source.CauseClosed, 0, 1},
		"closed, later": {stream("retry: 3000\ndata: a\n\n"), source.CauseClosed, 3 * time.Second, 1},
		"a page":        {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, source.CauseHTTP, 0, 0},
		"no such":       {http.NotFound, source.CauseFatal, 0, 0},
		"limited": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusTooManyRequests)
		}, source.CauseRateLimited, 7 * time.Second, 0},
		"down": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }, source.CauseHTTP, 0, 0},
		"broken": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, "data: a\n\ndata: b")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, source.CauseNetwork, 0, 1},
	} {
		items, told := run(t, open(t, serve(t, c.handler), "/", "", nil), "")
		if told.Cause != c.cause || told.RetryAfter != c.after || len(items) != c.items {
			t.Errorf("%s: %v after %v with %d items: %v", name, told.Cause, told.RetryAfter, len(items), told)
		}
	}
}

// TestRejects: what is too long, or cut short where it will not come again.
func TestRejects(t *testing.T) {
	for id, want := range map[string]int{"": 2, "id: 1\n": 1} {
		server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprintf(w, "%sdata: %s\n\ndata: ok\n\ndata: cut", id, strings.Repeat("x", 5<<20))
		})
		var w watcher
		items, _ := run(t, open(t, server, "/", "", &w), "")
		if len(items) != 1 || len(w.rejected) != want || w.connected != 1 {
			t.Fatalf("id %q: %d items, %d rejected", id, len(items), len(w.rejected))
		}
		if r := w.rejected[0]; r.Reason != source.ReasonTooLong || len(r.Data) != sse.DefaultMaxEvent || (r.Cursor == "") != (id == "") {
			t.Errorf("rejected %s, %d bytes, cursor %q", r.Reason, len(r.Data), r.Cursor)
		}
	}
}

// TestRequest: what the upstream is asked.
func TestRequest(t *testing.T) {
	got := make(chan string, 1)
	server := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		got <- strings.Join([]string{r.URL.RequestURI(), r.Header.Get("Authorization"), r.Header.Get("Accept"), r.Header.Get("Last-Event-ID")}, "|")
	})
	_, _ = run(t, open(t, server, "/x?stream=a&stall=9s&id=/id&format=post&max-event=2000", "bearer:tok", nil), "id-5")
	if g, want := <-got, "/x?stream=a|Bearer tok|text/event-stream|id-5"; g != want {
		t.Errorf("asked %s, want %s", g, want)
	}
	for _, raw := range []string{"sse+https:", "sse+https://h/?id=x", "sse+https://h/?stall=1", "sse+https://h/?max-event=1", "sse+https://h/?format=tweet"} {
		if _, err := try(t, raw, "", nil); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want an error of one line", raw, err)
		}
	}
	if _, err := try(t, "sse+https://h/", "nonsense", nil); err == nil || strings.Contains(err.Error(), "nonsense") {
		t.Errorf("%v, want an error without the secret", err)
	}
}

// TestSilence: a stream that says nothing is given up, comments keep it.
func TestSilence(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		out := http.NewResponseController(w)
		for range 4 {
			_, _ = io.WriteString(w, ":thump\n")
			_ = out.Flush()
			<-time.After(75 * time.Millisecond)
		}
		<-r.Context().Done()
	})
	began := time.Now()
	_, told := run(t, open(t, server, "/?stall=200ms", "", nil), "")
	if !errors.Is(told, source.ErrStalled) || told.Cause != source.CauseClosed || time.Since(began) < 400*time.Millisecond {
		t.Errorf("%v (%v) after %v", told, told.Cause, time.Since(began))
	}
}
