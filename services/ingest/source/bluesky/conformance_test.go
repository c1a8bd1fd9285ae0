package bluesky_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/simulate"
	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/bluesky"
	"github.com/blipstream/blipstream/services/ingest/source/peek"
	"github.com/blipstream/blipstream/services/ingest/sourcetest"
)

// watcher is an Observer that remembers.
type watcher struct {
	connected int
	rejected  []source.Rejected
	gaps      []source.Gap
}

func (w *watcher) Connected()       { w.connected++ }
func (w *watcher) Missed(uint64)    {}
func (w *watcher) Gap(g source.Gap) { w.gaps = append(w.gaps, g) }
func (w *watcher) Reject(r source.Rejected) error {
	w.rejected = append(w.rejected, r)
	return nil
}

// serve starts an upstream.
func serve(t *testing.T, o simulate.Options) (*simulate.Bluesky, string) {
	t.Helper()
	s, err := simulate.NewBluesky(o)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	t.Cleanup(s.Close)
	return s, srv.URL
}

// open makes a source that reads the server at base.
func open(t *testing.T, base, params string, obs source.Observer) source.Source {
	t.Helper()
	u, err := url.Parse("bluesky+ws" + strings.TrimPrefix(base, "http") + "/" + params)
	if err != nil {
		t.Fatal(err)
	}
	src, err := bluesky.Open(source.Config{Name: "sky", URL: u, Log: slog.New(slog.DiscardHandler), Observer: obs})
	if err != nil {
		t.Fatal(err)
	}
	return src
}

const items = 60

// wants is what a server of items sends.
func wants(w *simulate.World, second bool) (want [][]byte) {
	for n := range uint64(items) {
		want = append(want, w.AppendBluesky(nil, n, second))
	}
	return want
}

func TestConformance(t *testing.T) {
	for name, params := range map[string]string{"v1": "", "v2": "?wire=v2", "zstd": "?wire=v2&zstd=true"} {
		t.Run(name, func(t *testing.T) {
			sourcetest.Run(t, func(t *testing.T) sourcetest.Upstream {
				t.Helper()
				s, base := serve(t, simulate.Options{Items: items})
				return sourcetest.Upstream{
					Name: "sky", Want: wants(s.World(), strings.Contains(params, "v2")), Resumes: true,
					Open: func(t *testing.T) source.Source { t.Helper(); return open(t, base, params, nil) },
				}
			})
		})
	}
}

var errEnough = errors.New("enough items")

// follow reads over as many connections as it takes, as ingest does, until n
// different items have come, and returns the errors that ended connections.
func follow(t *testing.T, src source.Source, n int) (got [][]byte, ends []*source.Error) {
	t.Helper()
	seen := map[string]bool{}
	var at feed.Cursor
	for {
		err := src.Stream(t.Context(), at, func(it feed.Item) error {
			at = it.Cursor
			if !seen[it.ID] {
				seen[it.ID] = true
				got = append(got, it.Data)
			}
			if len(got) == n {
				return errEnough
			}
			return nil
		})
		if errors.Is(err, errEnough) {
			return got, ends
		}
		told, ok := errors.AsType[*source.Error](err)
		if !ok || len(ends) > 20 {
			t.Fatalf("Stream = %v after %d items", err, len(got))
		}
		ends = append(ends, told)
	}
}

// TestFaults: every fault that ends a connection or not leaves all items, in
// order, byte for byte.
func TestFaults(t *testing.T) {
	for fault, want := range map[string]source.Cause{
		"fault=eof&after=20":                  source.CauseClosed,
		"fault=cut&after=20":                  source.CauseNetwork,
		"fault=silence&after=20":              source.CauseClosed,
		"fault=half-open&after=20":            source.CauseClosed,
		"fault=disconnect&code=1001&after=20": source.CauseClosed,
		"fault=disconnect&code=1013&after=20": source.CauseHTTP,
		"fault=status&status=503":             source.CauseHTTP,
		"fault=status&status=429&reset=20s":   source.CauseRateLimited,
		"fault=bytes&after=20":                source.CauseFatal, // never told: nothing ends
		"fault=huge&after=20":                 source.CauseFatal,
		"fault=bomb&after=20":                 source.CauseFatal,
	} {
		for _, params := range []string{"?idle=300ms", "?idle=300ms&wire=v2&zstd=true"} {
			t.Run(fault+params, func(t *testing.T) {
				f, err := simulate.ParseFault(fault)
				if err != nil {
					t.Fatal(err)
				}
				s, base := serve(t, simulate.Options{Items: items, Script: []simulate.Fault{f}})
				w := &watcher{}
				if f.Kind != simulate.FaultSilence && f.Kind != simulate.FaultHalfOpen {
					params = strings.Replace(params, "idle=300ms", "idle=1m", 1) // silence is not what is waited for
				}
				got, ends := follow(t, open(t, base, params, w), items)
				for i, m := range wants(s.World(), strings.Contains(params, "v2")) {
					if !bytes.Equal(got[i], m) {
						t.Fatalf("item %d is %.200s", i, got[i])
					}
				}
				if want == source.CauseFatal && len(ends) != 0 || want != source.CauseFatal && (len(ends) != 1 || ends[0].Cause != want) {
					t.Errorf("connections ended by %v, want %v", ends, want)
				}
				if len(w.gaps) != 0 {
					t.Errorf("gaps %+v", w.gaps)
				}
			})
		}
	}
}

// TestRejected: what is too long, or would become so, is kept and passed over.
func TestRejected(t *testing.T) {
	for fault, params := range map[string]string{"huge": "", "bomb": "?wire=v2&zstd=true"} {
		_, base := serve(t, simulate.Options{Items: items, Script: []simulate.Fault{{Kind: simulate.FaultKind(fault), After: 20}}})
		w := &watcher{}
		follow(t, open(t, base, params, w), items)
		if len(w.rejected) != 1 || w.rejected[0].Reason != source.ReasonTooLong || len(w.rejected[0].Data) == 0 || w.rejected[0].Cursor == "" {
			t.Errorf("%s: rejected %d", fault, len(w.rejected))
		}
	}
}

// TestOddEvents: what nobody knows is handed on like everything else, under an
// id, and costs neither the connection nor the place in the stream.
func TestOddEvents(t *testing.T) {
	for _, fault := range []simulate.FaultKind{simulate.FaultDrift, simulate.FaultMalformed} {
		_, base := serve(t, simulate.Options{Items: items, Script: []simulate.Fault{{Kind: fault, After: 20}}})
		extra := map[simulate.FaultKind]int{simulate.FaultDrift: 2, simulate.FaultMalformed: 6}[fault]
		got, ends := follow(t, open(t, base, "", nil), items+extra)
		if len(got) != items+extra || len(ends) != 0 {
			t.Errorf("%s: %d items, ends %v", fault, len(got), ends)
		}
	}
}

// TestClamped: an upstream that silently begins later than asked is found out,
// and one that does as it is asked is not accused.
func TestClamped(t *testing.T) {
	world := simulate.DefaultWorld(1)
	world.Gap = 1e9 // one item a second
	w, err := simulate.NewWorld(world)
	if err != nil {
		t.Fatal(err)
	}
	const clamp = 100
	_, base := serve(t, simulate.Options{World: w, Items: 400, Script: []simulate.Fault{{}, {Kind: simulate.FaultClamp, After: clamp}, {}}})
	obs := &watcher{}
	src := open(t, base, "", obs)
	at := readTo(t, src, "", 10)
	if readTo(t, src, at, 1); len(obs.gaps) != 1 {
		t.Fatalf("gaps %+v, want one", obs.gaps)
	}
	if g := obs.gaps[0]; g.To.Sub(g.From) < (clamp-5)*1e9 || g.To.Sub(g.From) > (clamp+5)*1e9 {
		t.Errorf("gap from %v to %v", g.From, g.To)
	}
	if readTo(t, src, at, 1); len(obs.gaps) != 1 {
		t.Errorf("gaps %+v, want no more", obs.gaps)
	}
}

// readTo reads n items and returns the cursor of the last.
func readTo(t *testing.T, src source.Source, from feed.Cursor, n int) (at feed.Cursor) {
	t.Helper()
	err := src.Stream(t.Context(), from, func(it feed.Item) error {
		if n--; n == 0 {
			at = it.Cursor
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		t.Fatal(err)
	}
	return at
}

// TestRotation: a connection that ends goes to the next instance, five seconds
// before the last event; on the same one it goes on behind the sequence.
func TestRotation(t *testing.T) {
	one, base := serve(t, simulate.Options{Items: items, Script: []simulate.Fault{{Kind: simulate.FaultEOF, After: 10}}})
	two, other := serve(t, simulate.Options{World: one.World(), Items: items})
	src := open(t, base, "?hosts="+strings.TrimPrefix(other, "http://"), nil)
	got, ends := follow(t, src, items)
	if len(got) != items || len(ends) != 1 {
		t.Errorf("%d items, ends %v", len(got), ends)
	}
	if c := two.Stats().Cursors; len(c) != 1 || len(c[0]) != 16 {
		t.Errorf("asked the second instance for %q, want a time", c)
	}
	at := readTo(t, open(t, base, "", nil), "", 20)
	readTo(t, open(t, base, "?hosts="+strings.TrimPrefix(other, "http://"), nil), at, 1)
	if c := one.Stats().Cursors; c[len(c)-1] != "20" {
		t.Errorf("asked the same instance for %q, want the sequence", c)
	}
}

// TestOtherKeepsMore: an instance that keeps less than was asked for costs
// nothing while another has it.
func TestOtherKeepsMore(t *testing.T) {
	first, base := serve(t, simulate.Options{Items: items})
	at := readTo(t, open(t, base, "?wire=v2", nil), "", 20)
	young := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error":"CursorTooOld"}`)
	}))
	t.Cleanup(young.Close)
	obs := &watcher{}
	src := open(t, young.URL, "?wire=v2&hosts="+strings.TrimPrefix(base, "http://"), obs)
	// The cursor is of an instance that is no longer in the list.
	at = feed.Cursor(strings.Split(string(at), ".")[0] + "@gone.example")
	if err := src.Stream(t.Context(), at, nil); err == nil {
		t.Fatal("an instance was read that refuses")
	}
	readTo(t, src, at, 1)
	if c := first.Stats().Cursors; c[len(c)-1] == "" || len(obs.gaps) != 0 {
		t.Errorf("asked the other instance for %q, gaps %v", c[len(c)-1], obs.gaps)
	}
}

// TestAccounts: of the accounts that are asked for come all events, and no
// others; more of them than fit into a URL are named in a message.
func TestAccounts(t *testing.T) {
	s, base := serve(t, simulate.Options{Items: items})
	first := s.World().AppendBluesky(nil, 0, false)
	author := string(peek.Text(peek.Field(first, "did")))
	for _, others := range []int{0, 3000} {
		var got []byte
		src := open(t, base, "?dids="+strings.Repeat("did:plc:a,", others)+author, nil)
		err := src.Stream(t.Context(), "", func(it feed.Item) error {
			got = it.Data
			return errEnough
		})
		if !errors.Is(err, errEnough) || !bytes.Equal(got, first) {
			t.Errorf("beside %d: %v, %.200s", others, err, got)
		}
	}
}

func TestRefused(t *testing.T) {
	for status, want := range map[string]source.Cause{"400": source.CauseFatal, "401": source.CauseFatal, "403": source.CauseFatal, "500": source.CauseHTTP} {
		f, err := simulate.ParseFault("fault=status&status=" + status)
		if err != nil {
			t.Fatal(err)
		}
		_, base := serve(t, simulate.Options{Items: items, Script: []simulate.Fault{f}})
		err = open(t, base, "", nil).Stream(t.Context(), "", func(feed.Item) error { return io.EOF })
		if told, ok := errors.AsType[*source.Error](err); !ok || told.Cause != want {
			t.Errorf("status %s: %v", status, err)
		}
	}
}
