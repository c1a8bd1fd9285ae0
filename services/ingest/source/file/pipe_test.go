package file

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/url"
	"testing"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source"
)

// openPipe makes the source of standard input, with in in its place.
func openPipe(t *testing.T, in io.Reader) source.Source {
	t.Helper()
	src, err := Open(source.Config{Name: "file", URL: &url.URL{Scheme: "file", Opaque: "-"}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	p, ok := src.(*pipeSource)
	if !ok {
		t.Fatalf("standard input is a %T", src)
	}
	p.open = func() (io.ReadCloser, error) { return io.NopCloser(in), nil }
	return p
}

// TestPipe: a pipe stops when it is told to although nothing arrives, goes on
// with the next line on the next call, and ends with its input.
func TestPipe(t *testing.T) {
	in, out := io.Pipe()
	src := openPipe(t, in)
	ctx, cancel := context.WithCancel(t.Context())
	var got []string
	emit := func(it feed.Item) error {
		got = append(got, string(it.Data))
		if it.Cursor != "" {
			t.Errorf("cursor %q", it.Cursor)
		}
		cancel()
		return nil
	}
	go func() { _, _ = io.WriteString(out, "{\"a\":1}\n") }()
	if err := src.Stream(ctx, "", emit); !errors.Is(err, context.Canceled) {
		t.Fatalf("Stream = %v, want context.Canceled", err)
	}
	go func() {
		_, _ = io.WriteString(out, "{\"a\":2}\n{\"a\":3}\nlast")
		_ = out.Close()
	}()
	refused := errors.New("refused")
	if err := src.Stream(t.Context(), "", func(feed.Item) error { return refused }); !errors.Is(err, refused) {
		t.Fatalf("Stream = %v, want emit's error", err)
	}
	if err := src.Stream(t.Context(), "", emit); err != nil {
		t.Fatalf("Stream = %v, want nil at the end", err)
	}
	if len(got) != 4 || got[1] != `{"a":2}` || got[3] != "last" {
		t.Errorf("got %q", got)
	}
}
