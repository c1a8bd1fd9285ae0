package file_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/file"
	"github.com/blipstream/blipstream/services/ingest/sourcetest"
)

// want is a recording's items: some the same, some no JSON at all.
func want() (items [][]byte) {
	for i := range 30 {
		items = append(items, fmt.Appendf(nil, `{"id_str":"%d","text":"%s"}`, i, strings.Repeat("ü", i*100)))
	}
	return append(items, []byte(`{"same":1}`), []byte(`{"same":1}`), []byte("  null"), []byte("{\"\xff"), []byte("last, without an end"))
}

// text is the recording: with blank lines, and one line that ends in CR LF.
func text() []byte {
	joined := bytes.Join(want(), []byte("\n"))
	return bytes.Replace(bytes.Replace(joined, []byte("}\n"), []byte("}\r\n"), 1), []byte("}\n"), []byte("}\n\n \t\n"), 3)
}

func gzipped(tb testing.TB, data []byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(data); err != nil {
		tb.Fatal(err)
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func zstandard(tb testing.TB, data []byte) []byte {
	tb.Helper()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return z.EncodeAll(data, nil)
}

// write makes a file in the test's folder.
func write(tb testing.TB, data []byte) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "rec")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

func open(tb testing.TB, rawURL string, obs source.Observer) source.Source {
	tb.Helper()
	src, err := tryOpen(rawURL, obs)
	if err != nil {
		tb.Fatalf("Open(%s): %v", rawURL, err)
	}
	return src
}

func tryOpen(rawURL string, obs source.Observer) (source.Source, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, err
	}
	return file.Open(source.Config{Name: "file", URL: u, Log: slog.New(slog.DiscardHandler), Observer: obs})
}

// readAll reads a source from a cursor to its end, or to limit items.
func readAll(tb testing.TB, src source.Source, from feed.Cursor, limit int) (items []feed.Item) {
	tb.Helper()
	enough := errors.New("enough")
	err := src.Stream(context.Background(), from, func(it feed.Item) error {
		if items = append(items, it); len(items) == limit {
			return enough
		}
		return nil
	})
	if err != nil && !errors.Is(err, enough) {
		tb.Fatalf("Stream: %v", err)
	}
	return items
}

func texts(items []feed.Item) (out []string) {
	for _, it := range items {
		out = append(out, string(it.Data))
	}
	return out
}

func TestConformance(t *testing.T) {
	for name, pack := range map[string]func(testing.TB, []byte) []byte{
		"plain": func(_ testing.TB, b []byte) []byte { return b }, "gzip": gzipped, "zstd": zstandard,
	} {
		t.Run(name, func(t *testing.T) {
			sourcetest.Run(t, func(t *testing.T) sourcetest.Upstream {
				t.Helper()
				path := write(t, pack(t, text()))
				return sourcetest.Upstream{
					Name: "file", Want: want(), Resumes: true, Ends: true,
					Open: func(t *testing.T) source.Source { t.Helper(); return open(t, "file:"+path, nil) },
				}
			})
		})
	}
}

func TestURLs(t *testing.T) {
	path := write(t, []byte("{}\n"))
	t.Chdir(filepath.Dir(path))
	for _, good := range []string{"file:rec", "file:./rec", "file://" + path, "file:" + path, "file:%72ec?speed=0.5&max-gap=1s&loop=false", "file:rec?loop"} {
		if _, err := tryOpen(good, nil); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		"file:", "file:none", "file:.", "file://rec", "file:rec?speed=-1", "file:rec?speed=x", "file:rec?speed=NaN",
		"file:rec?max-gap=5", "file:rec?loop=maybe", "file:-?loop", "file:rec?sped=1", "file:rec?max-line=1",
	} {
		if _, err := tryOpen(bad, nil); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want an error of one line", bad, err)
		}
	}
}

func TestLoop(t *testing.T) {
	path := write(t, []byte("{\"a\":1}\n{\"a\":1}\n"))
	items := readAll(t, open(t, "file:"+path+"?loop", nil), "", 6)
	ids := map[string]bool{}
	for i, it := range items {
		ids[it.ID] = true
		if first := i < 2; first != (it.Identity == "") {
			t.Errorf("item %d has the identity %q", i, it.Identity)
		}
	}
	if len(ids) != 6 {
		t.Errorf("%d ids for 6 items", len(ids))
	}
	rest := readAll(t, open(t, "file:"+path+"?loop", nil), items[2].Cursor, 3)
	for i, it := range rest {
		if it.ID != items[3+i].ID {
			t.Errorf("resumed in the second pass: item %d is %s, want %s", i, it.ID, items[3+i].ID)
		}
	}
	if got := readAll(t, open(t, "file:"+write(t, nil)+"?loop", nil), "", 0); len(got) != 0 {
		t.Errorf("an empty file gave %d items", len(got))
	}
}

// TestChangedFile: a cursor of another file, or beyond the end, starts over; a
// file that has grown does not.
func TestChangedFile(t *testing.T) {
	const before = "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n"
	path := write(t, []byte(before))
	at := readAll(t, open(t, "file:"+path, nil), "", 2)[1].Cursor
	for name, c := range map[string]struct {
		now  string
		want []string
	}{
		"same":      {before, []string{`{"a":3}`}},
		"grown":     {before + "{\"a\":4}\n", []string{`{"a":3}`, `{"a":4}`}},
		"shrunk":    {"{\"a\":1}\n", []string{`{"a":1}`}},
		"another":   {"{\"b\":1}\n{\"b\":2}\n{\"b\":3}\n", []string{`{"b":1}`, `{"b":2}`, `{"b":3}`}},
		"now empty": {"", nil},
	} {
		if err := os.WriteFile(path, []byte(c.now), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := texts(readAll(t, open(t, "file:"+path, nil), at, 0)); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// TestShrunkBehindHead: the beginning is the same, the offset is not there.
func TestShrunkBehindHead(t *testing.T) {
	long := []byte(strings.Repeat("{\"a\":\"0123456789\"}\n", 1000))
	path := write(t, gzipped(t, long))
	at := readAll(t, open(t, "file:"+path, nil), "", 900)[899].Cursor
	plain := write(t, long)
	atPlain := readAll(t, open(t, "file:"+plain, nil), "", 900)[899].Cursor
	if err := os.WriteFile(plain, long[:500*19], 0o600); err != nil {
		t.Fatal(err)
	}
	if got := len(readAll(t, open(t, "file:"+plain, nil), atPlain, 0)); got != 500 {
		t.Errorf("%d items after the file shrank, want all 500", got)
	}
	if got := len(readAll(t, open(t, "file:"+path, nil), at, 0)); got != 100 {
		t.Errorf("%d items from the compressed file, want the last 100", got)
	}
}

// rejects collects what a source rejects.
type rejects struct{ got []source.Rejected }

func (*rejects) Connected()                       {}
func (*rejects) Missed(uint64)                    {}
func (r *rejects) Reject(x source.Rejected) error { r.got = append(r.got, x); return nil }

func TestTooLong(t *testing.T) {
	path := write(t, []byte("{\"a\":1}\n"+strings.Repeat("x", 5000)+"\n{\"b\":2}\n"))
	var r rejects
	src := open(t, "file:"+path+"?max-line=2000", &r)
	items := readAll(t, src, "", 0)
	if got := texts(items); !slices.Equal(got, []string{`{"a":1}`, `{"b":2}`}) {
		t.Errorf("items %q", got)
	}
	if len(r.got) != 1 || r.got[0].Reason != source.ReasonTooLong || len(r.got[0].Data) != 2000 {
		t.Fatalf("rejected %+v", r.got)
	}
	if got := texts(readAll(t, src, r.got[0].Cursor, 0)); !slices.Equal(got, []string{`{"b":2}`}) {
		t.Errorf("behind the long line: %q", got)
	}
}

// TestTruncated: what is there of a compressed file that was cut off is read,
// and the end is told as what it is.
func TestTruncated(t *testing.T) {
	var long []byte
	for i := range 5000 {
		long = fmt.Appendf(long, "{\"n\":%d,\"x\":%d}\n", i, i*7919%10007)
	}
	for name, packed := range map[string][]byte{"gzip": gzipped(t, long), "zstd": zstandard(t, long)} {
		var r rejects
		src := open(t, "file:"+write(t, packed[:len(packed)-100]), &r)
		n := 0
		err := src.Stream(t.Context(), "", func(it feed.Item) error {
			if want := fmt.Sprintf(`{"n":%d,"x":%d}`, n, n*7919%10007); string(it.Data) != want {
				t.Errorf("%s: item %d is %s", name, n, it.Data)
			}
			n++
			return nil
		})
		var told *source.Error
		if !errors.As(err, &told) || told.Cause != source.CauseFatal || (name == "gzip" && n == 0) {
			t.Errorf("%s: Stream = %v after %d items, want a fatal error", name, err, n)
		}
	}
}

func FuzzCursor(f *testing.F) {
	path := write(f, text())
	src := open(f, "file:"+path, nil)
	for _, it := range readAll(f, src, "", 3) {
		f.Add(string(it.Cursor))
	}
	f.Add("0-9223372036854775807-0-e3b0c44298fc1c14")
	f.Add("18446744073709551616-1--1-")
	all := texts(readAll(f, src, "", 0))
	f.Fuzz(func(t *testing.T, cursor string) {
		got := texts(readAll(t, src, feed.Cursor(cursor), 0))
		for _, line := range got[min(1, len(got)):] { // the first may start within a line
			if !slices.Contains(all, line) {
				t.Errorf("cursor %q gave the line %q", cursor, line)
			}
		}
	})
}
