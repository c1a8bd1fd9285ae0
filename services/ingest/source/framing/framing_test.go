package framing_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/blipstream/blipstream/services/ingest/source/framing"
)

// read collects the messages of in until its end.
func read(tb testing.TB, in io.Reader, mode framing.Mode, limit int) (frames []framing.Frame) {
	tb.Helper()
	r := framing.New(in, mode, limit)
	for {
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			return frames
		}
		if err != nil {
			tb.Fatalf("Next: %v", err)
		}
		f.Data = bytes.Clone(f.Data)
		frames = append(frames, f)
	}
}

func texts(frames []framing.Frame) (out []string) {
	for _, f := range frames {
		out = append(out, string(f.Data))
	}
	return out
}

func TestModes(t *testing.T) {
	for name, c := range map[string]struct {
		mode framing.Mode
		in   string
		want []string
	}{
		"crlf with a bare lf inside":     {framing.CRLF, "{\"a\":\n1}\r\n\r\n{\"b\":2}\r\n", []string{"{\"a\":\n1}", `{"b":2}`}},
		"crlf never splits at lf":        {framing.CRLF, "{\"a\":1}\n{\"b\":2}\r\n", []string{"{\"a\":1}\n{\"b\":2}"}},
		"bare lf keep-alives":            {framing.CRLF, "\n\n{\"a\":1}\r\n\n{\"b\":2}\r\n", []string{`{"a":1}`, `{"b":2}`}},
		"lf":                             {framing.LF, "{\"a\":1}\n\n \n{\"b\":2}\r\nx", []string{`{"a":1}`, `{"b":2}`, "x"}},
		"lf keeps what is not an end":    {framing.LF, "  {\"a\":1} \n", []string{`  {"a":1} `}},
		"auto is crlf":                   {framing.Auto, "{\"a\":\"x\ny\"}\r\n{\"b\":\n2}\r\n", []string{"{\"a\":\"x\ny\"}", "{\"b\":\n2}"}},
		"auto finds lf":                  {framing.Auto, "{\"a\":1}\n\r\nnot json\n{\"b\":2}\n", []string{`{"a":1}`, "not json", `{"b":2}`}},
		"auto: lf after the end":         {framing.Auto, "{\"a\":1}\n\r\n{\"b\":\n2}\r\n{\"c\":\n3}\r\n", []string{`{"a":1}`, `{"b":`, "2}", "{\"c\":\n3}"}},
		"auto: a bare lf before crlf":    {framing.Auto, "{\"a\":\n1}\r\n{\"b\":1}\n{\"c\":1}\r\n", []string{"{\"a\":\n1}", "{\"b\":1}\n{\"c\":1}"}},
		"auto: pretty-printed":           {framing.Auto, "{\"a\":[\n{\"b\":1},\n{\"c\":2}\n]}\r\n", []string{"{\"a\":[\n{\"b\":1},\n{\"c\":2}\n]}"}},
		"auto: lf after a broken start":  {framing.Auto, "{\"a\": [\n{\"b\":1}\n{\"c\":2}\n", []string{`{"a": [`, `{"b":1}`, `{"c":2}`}},
		"auto: braces inside strings":    {framing.Auto, "{\"a\":\"}\\\"}\n\"}\r\n", []string{"{\"a\":\"}\\\"}\n\"}"}},
		"delimited":                      {framing.Delimited, "\r\n9\r\n{\"a\":1}\r\n\n\n10\n{\"b\":\n2}\r\n", []string{`{"a":1}`, "{\"b\":\n2}"}},
		"delimited, but it is not":       {framing.Delimited, "{\"a\":1}\r\n9\r\n{\"b\":2}\r\n", []string{`{"a":1}`, `{"b":2}`}},
		"delimited: absurd lengths":      {framing.Delimited, "99999999999999999999\n0\n9\n{\"b\":2}\r\n", []string{"99999999999999999999", "0", `{"b":2}`}},
		"delimited: a keep-alive inside": {framing.Delimited, "2\r\n\r\n9\r\n{\"b\":2}\r\n", []string{`{"b":2}`}},
		"nothing":                        {framing.Auto, "\r\n\r\n \n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			for how, in := range map[string]io.Reader{
				"whole": strings.NewReader(c.in), "bytes": iotest.OneByteReader(strings.NewReader(c.in)),
			} {
				if got := texts(read(t, in, c.mode, 1<<10)); !slices.Equal(got, c.want) {
					t.Errorf("%s: got %q, want %q", how, got, c.want)
				}
			}
		})
	}
}

// TestAtOnce: a message is there as soon as its last byte is, whatever comes
// after it or does not.
func TestAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		mode framing.Mode
		in   string
	}{
		"crlf": {framing.CRLF, "{\"a\":1}\r\n"}, "auto": {framing.Auto, "{\"a\":1}\r\n"},
		"auto lf": {framing.Auto, "{\"a\":1}\n"}, "lf": {framing.LF, "{\"a\":1}\n"},
		"delimited": {framing.Delimited, "9\n{\"a\":1}\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			pr, pw := io.Pipe()
			defer pr.Close()
			go func() { _, _ = pw.Write([]byte(c.in)) }() // and then silence
			f, err := framing.New(pr, c.mode, 1<<10).Next()
			if err != nil || string(f.Data) != `{"a":1}` {
				t.Errorf("Next = %q, %v", f.Data, err)
			}
		})
	}
}

func TestTooLong(t *testing.T) {
	long := `{"a":"` + strings.Repeat("x", 200<<10) + `"}`
	next := `{"b":2}`
	for name, c := range map[string]struct {
		mode framing.Mode
		in   string
	}{
		"crlf":      {framing.CRLF, long + "\r\n" + next + "\r\n"},
		"auto":      {framing.Auto, long + "\r\n" + next + "\r\n"},
		"auto lf":   {framing.Auto, long + "\n" + next + "\n"},
		"lf":        {framing.LF, long + "\n" + next + "\n"},
		"delimited": {framing.Delimited, strconv.Itoa(len(long)+2) + "\n" + long + "\r\n9\n" + next + "\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got := read(t, strings.NewReader(c.in), c.mode, 1000)
			if len(got) != 2 {
				t.Fatalf("%d messages, want 2", len(got))
			}
			if !got[0].Cut || string(got[0].Data) != long[:1000] || got[0].Size < int64(len(long)) {
				t.Errorf("first: cut %v, %d bytes of %d", got[0].Cut, len(got[0].Data), got[0].Size)
			}
			if got[1].Cut || string(got[1].Data) != next {
				t.Errorf("second = %q, cut %v", got[1].Data, got[1].Cut)
			}
		})
	}
	exact := read(t, strings.NewReader(strings.Repeat("x", 1000)+"\r\n"), framing.CRLF, 1000)
	if len(exact) != 1 || exact[0].Cut || len(exact[0].Data) != 1000 {
		t.Errorf("a message as long as the limit was cut")
	}
}

func TestOpenEnd(t *testing.T) {
	got := read(t, strings.NewReader("{\"a\":1}\r\n{\"b\":"), framing.Auto, 100)
	if len(got) != 2 || got[0].Open || !got[1].Open || string(got[1].Data) != `{"b":` {
		t.Errorf("got %+v", got)
	}
}

func TestOffset(t *testing.T) {
	in := "{\"a\":1}\n\n\r\n{\"b\":2}\r\nend"
	r := framing.New(strings.NewReader(in), framing.LF, 100)
	for _, want := range []int64{8, 20, 23} {
		if _, err := r.Next(); err != nil || r.Offset() != want {
			t.Errorf("offset %d, %v, want %d", r.Offset(), err, want)
		}
	}
}

// FuzzReader: no mode loses, repeats or invents a byte of what it is given,
// and how the bytes are split over reads does not matter.
func FuzzReader(f *testing.F) {
	f.Add([]byte("{\"a\":\n1}\r\n\r\n{\"b\":2}\n"), uint8(0))
	f.Add([]byte("9\r\n{\"a\":1}\r\n"), uint8(3))
	f.Add([]byte("{\n{}\n{}\n"), uint8(0))
	f.Add([]byte("\u00a0\n\xa0"), uint8(1))
	f.Fuzz(func(t *testing.T, in []byte, mode uint8) {
		const limit = 50
		m := framing.Mode(mode % 4)
		whole := read(t, bytes.NewReader(in), m, limit)
		split := read(t, iotest.OneByteReader(bytes.NewReader(in)), m, limit)
		if !slices.Equal(texts(whole), texts(split)) {
			t.Fatalf("split over reads: %q, at once: %q", texts(split), texts(whole))
		}
		rest := in
		for _, fr := range whole {
			if len(fr.Data) > limit {
				t.Fatalf("%d bytes, limit %d", len(fr.Data), limit)
			}
			i := bytes.Index(rest, fr.Data)
			if i < 0 {
				t.Fatalf("%q is not in the rest %q", fr.Data, rest)
			}
			if m != framing.Delimited && !fr.Cut && len(bytes.Trim(rest[:i], " \t\r\n")) > 0 && !cutBefore(whole) {
				t.Fatalf("%q was skipped", rest[:i])
			}
			rest = rest[i+len(fr.Data):]
		}
	})
}

// cutBefore reports whether a message was cut: then bytes are missing by intent.
func cutBefore(frames []framing.Frame) bool {
	return slices.ContainsFunc(frames, func(f framing.Frame) bool { return f.Cut })
}
