package pack

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// unpack reads a stream that ends without a trailer.
func unpack(tb testing.TB, stream []byte) string {
	tb.Helper()
	r, err := gzip.NewReader(bytes.NewReader(stream))
	if err != nil {
		tb.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		tb.Fatalf("ends with %v", err)
	}
	return string(got)
}

// TestBlocksJoinFromAnyBorder: whatever block a client begins with, and
// whatever is put between, it reads what was written.
func TestBlocksJoinFromAnyBorder(t *testing.T) {
	var w Writer
	var blocks [][]byte
	var texts []string
	for i := range 20 {
		text := strings.Repeat(fmt.Sprintf("event: frame %d\n", i), i*10)
		block, err := w.Append(nil, []byte(text[:len(text)/2]), []byte(text[len(text)/2:]))
		if err != nil {
			t.Fatal(err)
		}
		blocks, texts = append(blocks, block), append(texts, text)
	}
	for first := range blocks {
		stream, want := AppendHeader(nil), []byte(nil)
		for i := first; i < len(blocks); i++ {
			stream = append(AppendStored(stream, []byte("own ")), blocks[i]...)
			want = append(append(want, "own "...), texts[i]...)
		}
		if got := unpack(t, stream); got != string(want) {
			t.Fatalf("from %d: got %d bytes, want %d", first, len(got), len(want))
		}
	}
}

func TestStoredOfAnySize(t *testing.T) {
	for _, n := range []int{0, 1, maxStored, maxStored + 1, 3 * maxStored} {
		want := strings.Repeat("x", n)
		if got := unpack(t, AppendStored(AppendHeader(nil), []byte(want))); got != want {
			t.Errorf("%d bytes come back as %d", n, len(got))
		}
	}
}

// FuzzBlocks: any two texts come back joined.
func FuzzBlocks(f *testing.F) {
	f.Add("data: a\n\n", strings.Repeat("data: b\n\n", 100))
	f.Fuzz(func(t *testing.T, a, b string) {
		var w Writer
		stream := AppendHeader(nil)
		for _, text := range []string{a, b, a} {
			var err error
			if stream, err = w.Append(stream, []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		if got := unpack(t, stream); got != a+b+a {
			t.Fatalf("got %q", got)
		}
	})
}

// BenchmarkFrame compresses a frame of 10 posts, as /live sends it ten times a
// second, once for all clients.
func BenchmarkFrame(b *testing.B) {
	var frame []byte
	for i := range 10 {
		frame = fmt.Appendf(frame, `{"id":"17262626262%d","source":"demo","time":"2026-11-23T12:00:0%dZ","username":"kai%d","body":"Rain over the harbour, tea %d and toast","lang":"en","type":"post","country":"FJ"},`, i*7919, i, i, i*31)
	}
	var w Writer
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		out, _ = w.Append(out[:0], frame)
	}
	b.ReportMetric(float64(len(frame))/float64(len(out)), "ratio")
}

// TestEachPieceCanBeReadAtOnce: a reader need not wait for the next piece.
func TestEachPieceCanBeReadAtOnce(t *testing.T) {
	in, out := io.Pipe()
	defer in.Close()
	var w Writer
	pieces := []string{"hello", strings.Repeat("frame ", 1000), "x", strings.Repeat("y", 300)}
	go func() {
		stream := AppendHeader(nil)
		for i, piece := range pieces {
			if i%2 == 0 {
				stream = AppendStored(stream, []byte(piece))
			} else {
				stream, _ = w.Append(stream, []byte(piece))
			}
			_, _ = out.Write(stream)
			stream = stream[:0]
		}
	}()
	r, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, piece := range pieces { // a reader that waits for more hangs here
		got := make([]byte, len(piece))
		if _, err := io.ReadFull(r, got); err != nil || string(got) != piece {
			t.Fatalf("got %.20q, %v", got, err)
		}
	}
}
