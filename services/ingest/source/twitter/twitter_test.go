package twitter_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source"
)

// watcher is an Observer that remembers.
type watcher struct {
	connected int
	missed    []uint64
	rejected  []source.Rejected
}

func (w *watcher) Connected()      { w.connected++ }
func (w *watcher) Missed(n uint64) { w.missed = append(w.missed, n) }
func (w *watcher) Reject(r source.Rejected) error {
	w.rejected = append(w.rejected, r)
	return nil
}

// serve answers every request with handler.
func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	srv := httptest.NewServer(handler)
	t.Cleanup(srv.Close)
	return srv.URL
}

// run reads one connection to its end.
func run(t *testing.T, src source.Source) (items []feed.Item, told *source.Error) {
	t.Helper()
	err := src.Stream(t.Context(), "", func(it feed.Item) error { items = append(items, it); return nil })
	if !errors.As(err, &told) {
		t.Fatalf("Stream = %v, want a source.Error", err)
	}
	return items, told
}

func TestNotices(t *testing.T) {
	const body = "{\"limit\":{\"track\":5}}\r\n{\"limit\":{\"track\":5}}\r\n{\"limit\":{\"track\":12}}\r\n{\"warning\":{\"code\":\"FALLING_BEHIND\"}}\r\n"
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
	var w watcher
	src := open(t, server, "/", "", &w)
	first, told := run(t, src)
	second, _ := run(t, src)
	ids := map[string]bool{}
	for _, it := range append(first, second...) {
		ids[it.ID] = true
	}
	if len(ids) != 8 {
		t.Errorf("%d ids for 8 notices", len(ids))
	}
	if fmt.Sprint(w.missed) != "[5 7 5 7]" || w.connected != 2 || told.Cause != source.CauseClosed {
		t.Errorf("missed %v, connected %d, cause %v", w.missed, w.connected, told.Cause)
	}
}

func TestDisconnects(t *testing.T) {
	for code, want := range map[int]source.Cause{
		1: source.CauseClosed, 4: source.CauseClosed, 12: source.CauseClosed,
		2: source.CauseRateLimited, 6: source.CauseRateLimited, 7: source.CauseRateLimited,
	} {
		server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, "{\"disconnect\":{\"code\":%d,\"stream_name\":\"s\",\"reason\":\"why\"}}\r\n", code)
		})
		if items, told := run(t, open(t, server, "/", "", nil)); told.Cause != want || len(items) != 1 {
			t.Errorf("code %d: %v with %d items, want %v with 1", code, told.Cause, len(items), want)
		}
	}
}

func TestRejects(t *testing.T) {
	body := "{\"id_str\":\"1\"}\r\n" + strings.Repeat("x", 5000) + "\r\n{\"id_str\":\"2\"}\r\n{\"id_str\":\"3\"}"
	for end, want := range map[string]int{"": 3, ",\"cut": 3, "\r\n{\"cut": 3} {
		server := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body+end) })
		var w watcher
		items, _ := run(t, open(t, server, "/?max-frame=2000", "", &w))
		rejected := 1
		if end == "\r\n{\"cut" || end == ",\"cut" {
			rejected = 2
		}
		if end == ",\"cut" {
			want--
		}
		if len(items) != want || len(w.rejected) != rejected {
			t.Fatalf("end %q: %d items, %d rejected", end, len(items), len(w.rejected))
		}
		if r := w.rejected[0]; r.Reason != source.ReasonTooLong || len(r.Data) != 2000 {
			t.Errorf("rejected %s, %d bytes", r.Reason, len(r.Data))
		}
	}
}

// TestRequest: what the upstream is asked, and with which credentials.
func TestRequest(t *testing.T) {
	got := make(chan string, 1)
	server := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		got <- strings.Join([]string{r.Method, r.URL.RequestURI(), r.PostForm.Encode(), r.Header.Get("Authorization"), r.Header.Get("Accept-Encoding")}, "|")
	})
	for path, want := range map[string]string{
		"/1.1/statuses/filter.json?track=a,b&stall=9s": "POST|/1.1/statuses/filter.json|track=a%2Cb|Bearer tok|gzip",
		"/sample.json?x=1": "GET|/sample.json?x=1||Bearer tok|gzip",
	} {
		_, _ = run(t, open(t, server, path, "bearer:tok", nil))
		if g := <-got; g != want {
			t.Errorf("asked %s, want %s", g, want)
		}
	}
}

// TestRedirect: a credential does not follow a redirect.
func TestRedirect(t *testing.T) {
	other := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("asked with %q", r.Header.Get("Authorization"))
	})
	server := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other, http.StatusFound) })
	if _, told := run(t, open(t, server, "/", "bearer:tok", nil)); told.Cause != source.CauseFatal {
		t.Errorf("cause %v, want fatal", told.Cause)
	}
}

// TestOneTweetThenSilence: a tweet is emitted when its last byte has come,
// compressed or not, whatever the framing; nothing follows.
func TestOneTweetThenSilence(t *testing.T) {
	const tweet = `{"id_str":"1"}`
	for name, c := range map[string]struct {
		path, body string
		gz         bool
	}{
		"crlf":      {"/", tweet + "\r\n", false},
		"gzip":      {"/", tweet + "\r\n", true},
		"lone lf":   {"/", tweet + "\n", false},
		"delimited": {"/?delimited=length", "16\r\n" + tweet + "\r\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			server := serve(t, func(w http.ResponseWriter, r *http.Request) {
				var out io.Writer = w
				if c.gz {
					w.Header().Set("Content-Encoding", "gzip")
					z := gzip.NewWriter(w)
					defer z.Flush()
					out = z
				}
				_, _ = io.WriteString(out, c.body)
				if z, ok := out.(*gzip.Writer); ok {
					_ = z.Flush()
				}
				_ = http.NewResponseController(w).Flush()
				<-r.Context().Done()
			})
			ctx, cancel := context.WithCancel(t.Context())
			err := open(t, server, c.path, "", nil).Stream(ctx, "", func(it feed.Item) error {
				if string(it.Data) != tweet {
					t.Errorf("item %q", it.Data)
				}
				cancel()
				return nil
			})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("Stream = %v", err)
			}
		})
	}
}

// TestRefusal: the error of a refusal says what the upstream said, on one line.
func TestRefusal(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "77")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, "Easy there,\n\tTurbo")
	})
	_, told := run(t, open(t, server, "/", "", nil))
	if told.Cause != source.CauseRateLimited || told.RetryAfter.Seconds() != 77 || !strings.Contains(told.Error(), "Easy there, Turbo") {
		t.Errorf("%v, %v, %v", told.Cause, told.RetryAfter, told)
	}
}
