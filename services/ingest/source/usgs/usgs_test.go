package usgs_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/usgs"
	"github.com/blipstream/blipstream/services/ingest/sourcetest"
)

// made is when the first answer of these tests was made.
const made = 1_772_600_000_000

const minute = 60_000

// at writes a feature of a quake that happened and was changed so many minutes
// before made.
func at(id string, happened, updated int) string {
	return fmt.Sprintf(`{"type":"Feature","properties":{"mag":1.5,"time":%d,"updated":%d,"place":"a, \"b\""},"geometry":{"type":"Point","coordinates":[1,2,3]},"id":%q}`,
		made-happened*minute, made-updated*minute, id)
}

// collection writes an answer made so many minutes after made.
func collection(after int, features ...string) string {
	return fmt.Sprintf(`{"type":"FeatureCollection","metadata":{"generated":%d,"title":"x","count":%d},"features":[%s]}`,
		made+after*minute, len(features), strings.Join(features, ","))
}

// watcher is an Observer that remembers.
type watcher struct {
	connected int
	gaps      []source.Gap
}

func (w *watcher) Connected()                   { w.connected++ }
func (w *watcher) Missed(uint64)                {}
func (w *watcher) Reject(source.Rejected) error { return nil }
func (w *watcher) Gap(g source.Gap)             { w.gaps = append(w.gaps, g) }

func open(t *testing.T, raw string, obs source.Observer) (source.Source, error) {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return usgs.Open(source.Config{Name: "quakes", URL: u, Log: slog.New(slog.DiscardHandler), Observer: obs})
}

// serve gives the answers in turn, the last one again and again.
func serve(t *testing.T, answers ...string) string {
	t.Helper()
	var n atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, answers[min(int(n.Add(1)), len(answers))-1])
	}))
	t.Cleanup(srv.Close)
	return "usgs+" + srv.URL + "/all_hour.geojson?interval=10ms"
}

var errEnough = errors.New("enough")

// read reads n items, and then as long as it takes to see that none follows.
func read(t *testing.T, raw string, from feed.Cursor, n int, obs source.Observer) (items []feed.Item) {
	t.Helper()
	src, err := open(t, raw, obs)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err = src.Stream(ctx, from, func(it feed.Item) error {
		if items = append(items, it); len(items) == n {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		t.Fatalf("Stream = %v after %d items of %d", err, len(items), n)
	}
	return items
}

func ids(items []feed.Item) string {
	var names []string
	for _, it := range items {
		name, version, _ := strings.Cut(it.ID, "@")
		if strings.HasPrefix(version, "deleted") {
			name = "-" + name
		}
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

// TestFollows: what is new, what is changed, what is deleted, what only got old.
func TestFollows(t *testing.T) {
	url := serve(t,
		collection(0, at("c", 2, 1), at("b", 30, 20), at("a", 58, 50)),
		collection(1, at("d", 0, 0), at("b", 30, -1), at("c", 2, 1)), // a is too old, b is changed
		collection(0, at("x", 0, 0)),                                 // an older answer
		collection(2, at("d", 0, 0), at("c", 2, 1), at("e", 0, -2)),  // b is deleted
	)
	items := read(t, url, "", 7, nil)
	if got := ids(items); got != "a b c d b e -b" {
		t.Errorf("items %s", got)
	}
	if string(items[0].Data) != at("a", 58, 50) || items[0].Identity != items[0].ID || items[0].Cursor != "" || items[2].Cursor == "" {
		t.Errorf("%+v", items[0])
	}
	if want := fmt.Sprintf(`{"type":"Feature","id":"b","properties":{"status":"deleted","updated":%d},"geometry":null}`, made+2*minute); string(items[6].Data) != want {
		t.Errorf("deletion %s", items[6].Data)
	}
	if items[1].ID == items[4].ID || items[1].Identity == items[4].Identity {
		t.Errorf("a change has the id of the first: %s", items[4].ID)
	}
}

// TestResume: a restart tells what changed meanwhile, deletions included, and
// nothing else; one that was too long tells of a gap.
func TestResume(t *testing.T) {
	first := read(t, serve(t, collection(0, at("a", 9, 9), at("b", 8, 8))), "", 2, nil)
	var w watcher
	rest := read(t, serve(t, collection(5, at("b", 8, 8), at("c", 1, 1))), first[1].Cursor, 2, &w)
	if got := ids(rest); got != "c -a" || len(w.gaps) != 0 {
		t.Errorf("items %s, gaps %v", got, w.gaps)
	}
	late := read(t, serve(t, collection(500, at("z", -499, -499))), first[1].Cursor, 1, &w)
	if ids(late) != "z" || len(w.gaps) != 1 || w.gaps[0].To.Sub(w.gaps[0].From) != 440*time.Minute {
		t.Errorf("items %s, gaps %v", ids(late), w.gaps)
	}
	src, err := open(t, serve(t, ""), nil)
	if err != nil {
		t.Fatal(err)
	}
	told := (*source.Error)(nil)
	if err := src.Stream(t.Context(), "nonsense", nil); !errors.As(err, &told) || told.Cause != source.CauseFatal {
		t.Errorf("a foreign cursor: %v", err)
	}
}

// kept is an Observer that saves cursors.
type kept struct {
	watcher
	at feed.Cursor
}

var errKept = errors.New("kept")

func (k *kept) Keep(_ context.Context, at feed.Cursor) error {
	k.at = at
	return errKept
}

// TestQuietFeed: a feed in which nothing happens is read all the same: who comes
// back later has missed nothing, and is told of no gap.
func TestQuietFeed(t *testing.T) {
	var k kept
	src, err := open(t, serve(t, collection(0, at("a", 1, 1)), collection(10, at("a", 1, 1)), collection(40, at("a", 1, 1))), &k)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	err = src.Stream(t.Context(), "", func(feed.Item) error { n++; return nil })
	if err != errKept || n != 1 { //nolint:errorlint // the very error is asked for
		t.Fatalf("Stream = %v after %d items", err, n)
	}
	items := read(t, serve(t, collection(90, at("a", 1, 1), at("b", -89, -89))), k.at, 1, &k)
	if ids(items) != "b" || len(k.gaps) != 0 {
		t.Errorf("items %s, gaps %v", ids(items), k.gaps)
	}
}

// TestFeedThatFails: a feed that is suddenly almost empty deletes nothing,
// unless it stays so, however little it held: what was removed once stays away.
func TestFeedThatFails(t *testing.T) {
	for _, held := range []int{1, 2, 8, 20} {
		var many []string
		var gone []string
		for i := range held {
			id := fmt.Sprintf("q%02d", i)
			many, gone = append(many, at(id, 5, 20-i)), append(gone, "-"+id)
		}
		whole, again := collection(0, many...), collection(2, append(many, at("new", 0, -2))...)
		items := read(t, serve(t, whole, collection(1), again), "", held+1, nil)
		if got := ids(items[held:]); got != "new" {
			t.Errorf("of %d: then %s", held, got)
		}
		items = read(t, serve(t, whole, collection(1), collection(2)), "", 2*held, nil)
		if got := ids(items[held:]); got != strings.Join(gone, " ") {
			t.Errorf("of %d: then %s", held, got)
		}
	}
}

func TestConformance(t *testing.T) {
	var want [][]byte
	var features []string
	for i := range 30 {
		f := at(fmt.Sprintf("q%02d", i), 40-i, 30-i)
		want, features = append(want, []byte(f)), append(features, f)
	}
	sourcetest.Run(t, func(t *testing.T) sourcetest.Upstream {
		t.Helper()
		url := serve(t, collection(0, features...))
		return sourcetest.Upstream{
			Name: "quakes", Want: want, Resumes: true, Sparse: true,
			Open: func(t *testing.T) source.Source {
				t.Helper()
				src, err := open(t, url, nil)
				if err != nil {
					t.Fatal(err)
				}
				return src
			},
		}
	})
}

// TestAsks: only for what has changed, compressed; "connected" once it is read.
func TestAsks(t *testing.T) {
	var asked []string
	done := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("If-None-Match")+"|"+r.Header.Get("If-Modified-Since"))
		switch len(asked) {
		case 1:
			w.Header().Set("ETag", `"1"`)
			w.Header().Set("Last-Modified", "Wed, 04 Mar 2026 05:06:07 GMT")
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = io.WriteString(z, collection(0, at("a", 1, 1)))
			_ = z.Close()
		case 2:
			w.WriteHeader(http.StatusNotModified)
		case 3:
			close(done)
			w.Header().Set("Retry-After", "9")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	defer srv.Close()
	var w watcher
	src, err := open(t, "usgs+"+srv.URL+"/?interval=10ms", &w)
	if err != nil {
		t.Fatal(err)
	}
	told := (*source.Error)(nil)
	if err := src.Stream(t.Context(), "", func(feed.Item) error { return nil }); !errors.As(err, &told) || told.Cause != source.CauseRateLimited || told.RetryAfter != 9*time.Second {
		t.Errorf("Stream = %v", err)
	}
	<-done
	if got, want := strings.Join(asked, " "), `| "1"|Wed, 04 Mar 2026 05:06:07 GMT "1"|Wed, 04 Mar 2026 05:06:07 GMT`; got != want || w.connected != 1 {
		t.Errorf("asked %s, connected %d", got, w.connected)
	}
}

// TestBrokenAnswers: nothing of a broken answer is believed.
func TestBrokenAnswers(t *testing.T) {
	for _, body := range []string{
		"", "x", "null", "[]", "{}", `{"features":[]}`, collection(0, at("a", 1, 1))[:200],
		`{"metadata":{"generated":1},"features":{}}`, `{"metadata":{"generated":1},"features":[1,]}`,
	} {
		var w watcher
		src, err := open(t, serve(t, body), &w)
		if err != nil {
			t.Fatal(err)
		}
		told := (*source.Error)(nil)
		err = src.Stream(t.Context(), "", func(it feed.Item) error { t.Errorf("%q: item %s", body, it.ID); return nil })
		if !errors.As(err, &told) || told.Cause != source.CauseHTTP || w.connected != 0 {
			t.Errorf("%q: %v, connected %d", body, err, w.connected)
		}
	}
}

func TestURLs(t *testing.T) {
	for _, raw := range []string{"usgs:", "usgs:2.5_week", "usgs:significant_month?interval=30s#big", "usgs+https://h/x.geojson"} {
		if _, err := open(t, raw, nil); err != nil {
			t.Errorf("%s: %v", raw, err)
		}
	}
	for _, raw := range []string{"usgs:hour", "usgs:3.0_day", "usgs:all_year", "usgs://h/all_day", "usgs+https:", "usgs:?interval=1s", "usgs:?track=x"} {
		if _, err := open(t, raw, nil); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want an error of one line", raw, err)
		}
	}
}
