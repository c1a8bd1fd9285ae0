package xapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/simulate"
	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/xapi"
	"github.com/blipstream/blipstream/services/ingest/sourcetest"
)

const (
	secret = "bearer:token"
	items  = 60
)

// serve starts an upstream.
func serve(t *testing.T, o simulate.Options) (*simulate.X, string) {
	t.Helper()
	o.Secrets = []string{secret}
	s, err := simulate.NewX(o)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	t.Cleanup(s.Close)
	return s, srv.URL
}

// watcher is an Observer that remembers.
type watcher struct {
	rejected   []source.Rejected
	used, most uint64
}

func (*watcher) Connected()                 {}
func (*watcher) Missed(uint64)              {}
func (w *watcher) Budget(used, most uint64) { w.used, w.most = used, most }
func (w *watcher) Reject(r source.Rejected) error {
	w.rejected = append(w.rejected, r)
	return nil
}

func open(t *testing.T, base, params string, obs source.Observer) source.Source {
	t.Helper()
	u, err := url.Parse("x+" + base + "/" + params)
	if err != nil {
		t.Fatal(err)
	}
	src, err := xapi.Open(source.Config{Name: "x", URL: u, Secret: secret, Log: slog.New(slog.DiscardHandler), Observer: obs})
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// want is what the world of a server says.
func want(w *simulate.World) (out [][]byte) {
	for n := range uint64(items) {
		out = append(out, w.AppendX(nil, n, false))
	}
	return out
}

func TestConformance(t *testing.T) {
	sourcetest.Run(t, func(t *testing.T) sourcetest.Upstream {
		t.Helper()
		s, base := serve(t, simulate.Options{Items: items})
		return sourcetest.Upstream{
			Name: "x", Want: want(s.World()),
			// The one before may still be there when the next is opened.
			Open: func(t *testing.T) source.Source { t.Helper(); return patient{open(t, base, "?stream=sample", nil)} },
		}
	})
}

// rules writes a file of rules.
func rules(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rules")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return "rules=" + url.QueryEscape(path)
}

var errEnough = errors.New("enough items")

// readTo reads n items.
func readTo(t *testing.T, src source.Source, n int) {
	t.Helper()
	err := src.Stream(t.Context(), "", func(feed.Item) error {
		if n--; n == 0 {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		t.Fatalf("Stream = %v, %d items short", err, n)
	}
}

// told is why a connection ended, and how many items it gave.
func told(t *testing.T, src source.Source, from feed.Cursor) (*source.Error, int) {
	t.Helper()
	n := 0
	err := src.Stream(t.Context(), from, func(feed.Item) error { n++; return nil })
	e, ok := errors.AsType[*source.Error](err)
	if !ok {
		t.Fatalf("Stream = %v", err)
	}
	return e, n
}

// TestRules: ours become those of the file, and nobody else's are touched.
func TestRules(t *testing.T) {
	s, base := serve(t, simulate.Options{Items: items})
	theirs := open(t, base, "?tag=theirs&"+rules(t, "snow lang:en\n"), nil)
	readTo(t, patient{theirs}, 1)
	readTo(t, patient{open(t, base, "?"+rules(t, "# weather\nrain lang:en\n\nsnow lang:en\n"), nil)}, 1)
	readTo(t, patient{open(t, base, "?"+rules(t, `[{"value":"hail","tag":"ice"},{"value":"rain lang:en"}]`), nil)}, 1)
	got := map[string]string{}
	for _, r := range s.Rules(secret) {
		got[r.Value], _, _ = strings.Cut(r.Tag, ":")
	}
	if len(got) != 3 || got["snow lang:en"] != "theirs" || got["rain lang:en"] != "blipstream" || got["hail"] != "blipstream" {
		t.Errorf("rules %v", s.Rules(secret))
	}
	if e, _ := told(t, open(t, base, "?"+rules(t, "((broken\n"), nil), ""); e.Cause != source.CauseFatal || !strings.Contains(e.Error(), "((broken") {
		t.Errorf("a rule that is wrong: %v", e)
	}
	_, empty := serve(t, simulate.Options{Items: items})
	if e, _ := told(t, open(t, empty, "", nil), ""); e.Cause != source.CauseFatal || !strings.Contains(e.Error(), "RuleConfigurationIssue") {
		t.Errorf("no rules: %v", e)
	}
}

// TestRulesInPages: all pages of rules are read before any is changed.
func TestRulesInPages(t *testing.T) {
	var removed []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch page := r.URL.Query().Get("pagination_token"); {
		case r.Method == http.MethodPost:
			var c struct {
				Delete struct {
					IDs []string `json:"ids"`
				} `json:"delete"`
			}
			if err := json.NewDecoder(r.Body).Decode(&c); err != nil {
				t.Error(err)
			}
			if removed = append(removed, c.Delete.IDs...); len(c.Delete.IDs) > 100 {
				t.Errorf("%d rules are removed at once", len(c.Delete.IDs))
			}
			_, _ = io.WriteString(w, "{}")
		case r.URL.Path != "/2/tweets/search/stream/rules":
			w.WriteHeader(http.StatusNotFound)
		case page == "2":
			_, _ = io.WriteString(w, `{"data":[{"id":"last","value":"old","tag":"blipstream:old"},{"id":"same","value":"snow","tag":"blipstream:s"}]}`)
		default:
			var old []map[string]string
			for i := range 150 {
				old = append(old, map[string]string{"id": strconv.Itoa(i), "value": "old " + strconv.Itoa(i), "tag": "blipstream:x"})
			}
			_ = json.NewEncoder(w).Encode(map[string]any{"data": old, "meta": map[string]string{"next_token": "2"}})
		}
	}))
	defer srv.Close()
	if e, _ := told(t, open(t, srv.URL, "?"+rules(t, `[{"value":"snow","tag":"s"}]`), nil), ""); !strings.Contains(e.Error(), "404") {
		t.Errorf("Stream = %v", e)
	}
	if len(removed) != 151 || removed[150] != "last" {
		t.Errorf("%d rules are removed: %v", len(removed), removed)
	}
}

// TestTooManyInTheStream: the word that another connection is in the way may come
// over a stream that was let in; it is the same word.
func TestTooManyInTheStream(t *testing.T) {
	ended := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			ended++
			_, _ = io.WriteString(w, "{}")
			return
		}
		_, _ = io.WriteString(w, `{"errors":[{"title":"ConnectionException","connection_issue":"TooManyConnections"}]}`+"\r\n")
	}))
	defer srv.Close()
	if e, n := told(t, open(t, srv.URL, "?stream=sample", nil), ""); e.Cause != source.CauseRateLimited || n != 1 || ended != 0 {
		t.Errorf("%v after %d items, %d ended", e, n, ended)
	}
	if e, n := told(t, open(t, srv.URL, "?stream=sample&takeover=true", nil), ""); e.Cause != source.CauseClosed || n != 1 || ended != 1 {
		t.Errorf("%v after %d items, %d ended", e, n, ended)
	}
}

// patient reads again while the connection before has not been noticed to end.
type patient struct{ source.Source }

func (p patient) Stream(ctx context.Context, from feed.Cursor, emit func(feed.Item) error) error {
	for {
		err := p.Source.Stream(ctx, from, emit)
		if err == nil || !strings.Contains(err.Error(), "TooManyConnections") {
			return err
		}
	}
}

// TestBudget: no post more than max-posts is read; a source that has none left
// does not even connect.
func TestBudget(t *testing.T) {
	s, base := serve(t, simulate.Options{})
	w := &watcher{}
	e, n := told(t, open(t, base, "?stream=sample&max-posts=40", w), "")
	if e.Cause != source.CauseFatal || n != 40 || !strings.Contains(e.Error(), "max-posts") || w.used != 40 || w.most != 40 {
		t.Errorf("%d posts, then %v; told %d of %d", n, e, w.used, w.most)
	}
	before := s.Stats().Connections
	if e, n := told(t, open(t, base, "?stream=sample&max-posts=40", nil), "40"); e.Cause != source.CauseFatal || n != 0 || s.Stats().Connections != before {
		t.Errorf("used up: %d posts, then %v", n, e)
	}
}

// keeper is an Observer that saves cursors, as the service does.
type keeper struct {
	watcher
	saved uint64
	err   error
}

func (k *keeper) Keep(ctx context.Context, at feed.Cursor) error {
	if k.err != nil {
		return k.err
	}
	n, err := strconv.ParseUint(string(at), 10, 64)
	k.saved = n
	return errors.Join(err, ctx.Err())
}

// TestCountIsSavedFirst: no post is read that a process which comes after a
// killed one would not count; one that ends in order leaves the exact count.
func TestCountIsSavedFirst(t *testing.T) {
	_, base := serve(t, simulate.Options{})
	var k keeper
	read := uint64(0)
	process := func(from feed.Cursor, posts uint64) {
		t.Helper()
		until := read + posts
		err := patient{open(t, base, "?stream=sample&max-posts=1000", &k)}.Stream(t.Context(), from, func(it feed.Item) error {
			if read++; k.saved < read || string(it.Cursor) != strconv.FormatUint(k.saved, 10) {
				t.Fatalf("post %d is read while %d are saved, cursor %s", read, k.saved, it.Cursor)
			}
			if read == until {
				return errEnough
			}
			return nil
		})
		if !errors.Is(err, errEnough) {
			t.Fatal(err)
		}
	}
	process("", 150)
	if k.saved != 150 {
		t.Errorf("%d are saved at the end, want the 150 that were read", k.saved)
	}
	process("150", 1)
	read = 192 // as if it had been killed with what was set aside unread
	process("192", 100)
	if k.saved != 292 {
		t.Errorf("%d are saved at the end, want 292", k.saved)
	}
	k.err = errors.New("not saved")
	err := open(t, base, "?stream=sample&max-posts=1000", &k).Stream(t.Context(), "292", func(feed.Item) error {
		t.Error("read a post that nobody knows to count")
		return nil
	})
	if err != k.err { //nolint:errorlint // the very error is asked for
		t.Errorf("Stream = %v", err)
	}
}

// TestTakeover: a connection in the way is ended only by who is told to.
func TestTakeover(t *testing.T) {
	s, base := serve(t, simulate.Options{Items: items})
	inside, done := make(chan struct{}), make(chan error, 1)
	first := open(t, base, "?stream=sample", nil)
	go func() {
		n := 0
		done <- first.Stream(t.Context(), "", func(feed.Item) error {
			if n++; n == items {
				close(inside)
			}
			return nil
		})
	}()
	<-inside
	if e, _ := told(t, open(t, base, "?stream=sample", nil), ""); e.Cause != source.CauseRateLimited || s.Ended() != 0 {
		t.Errorf("without takeover: %v, %d ended", e, s.Ended())
	}
	second := open(t, base, "?stream=sample&takeover=true", nil)
	if e, _ := told(t, second, ""); e.Cause != source.CauseClosed || s.Ended() != 1 {
		t.Errorf("takeover: %v, %d ended", e, s.Ended())
	}
	if e, ok := errors.AsType[*source.Error](<-done); !ok || e.Cause != source.CauseClosed {
		t.Errorf("the first ended by %v", e)
	}
	readTo(t, second, items)
	if s.Stats().MaxOpen != 1 {
		t.Errorf("%d connections at once", s.Stats().MaxOpen)
	}
}

// TestFaults: what each fault means, and that what came before and after it is
// whole.
func TestFaults(t *testing.T) {
	for fault, cause := range map[string]source.Cause{
		"fault=eof&after=20":                source.CauseClosed,
		"fault=cut&after=20":                source.CauseNetwork,
		"fault=silence&after=20":            source.CauseClosed,
		"fault=half-open&after=20":          source.CauseClosed,
		"fault=disconnect&after=20":         source.CauseClosed,
		"fault=status&status=503":           source.CauseHTTP,
		"fault=status&status=429&reset=20s": source.CauseRateLimited,
		"fault=status&status=401":           source.CauseFatal,
		"fault=status&status=403":           source.CauseFatal,
	} {
		f, err := simulate.ParseFault(fault)
		if err != nil {
			t.Fatal(err)
		}
		s, base := serve(t, simulate.Options{Items: items, Script: []simulate.Fault{f}})
		idle := "1m"
		if f.Kind == simulate.FaultSilence || f.Kind == simulate.FaultHalfOpen {
			idle = "300ms"
		}
		src := open(t, base, "?stream=sample&idle="+idle, nil)
		e, n := told(t, src, "")
		if e.Cause != cause || n < 20 && strings.Contains(fault, "after") {
			t.Errorf("%s: %v (%v) after %d items", fault, e, e.Cause, n)
		}
		if f.Kind == simulate.FaultHalfOpen {
			continue // the upstream does not notice that we have gone
		}
		i := 0
		err = patient{src}.Stream(t.Context(), "", func(it feed.Item) error {
			if !bytes.Equal(it.Data, s.World().AppendX(nil, uint64(i), false)) {
				t.Errorf("%s: item %d is %.200s", fault, i, it.Data)
			}
			if i++; i == items {
				return errEnough
			}
			return nil
		})
		if !errors.Is(err, errEnough) {
			t.Errorf("%s: then %v", fault, err)
		}
	}
}

// TestOdd: what comes in between costs neither the connection nor an item.
func TestOdd(t *testing.T) {
	for fault, extra := range map[string]int{"fault=bytes&after=20": 0, "fault=drift&after=20": 1, "fault=malformed&after=20": 21, "fault=huge&after=20": 0} {
		f, err := simulate.ParseFault(fault)
		if err != nil {
			t.Fatal(err)
		}
		_, base := serve(t, simulate.Options{Items: items, Script: []simulate.Fault{f}})
		w := &watcher{}
		readTo(t, open(t, base, "?stream=sample&max-frame=1048576", w), items+extra)
		if f.Kind == simulate.FaultHuge && (len(w.rejected) != 1 || w.rejected[0].Reason != source.ReasonTooLong) {
			t.Errorf("%s: rejected %d", fault, len(w.rejected))
		}
	}
}
