package sse

import (
	"bytes"
	"strings"
	"testing"

	r3 "github.com/r3labs/sse/v2"

	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
)

// fields reads wire bytes as the standard says a client does, and returns the
// events: name, id and data of each.
func fields(t *testing.T, wire string) (events [][3]string) {
	t.Helper()
	wire = strings.ReplaceAll(strings.ReplaceAll(wire, "\r\n", "\n"), "\r", "\n")
	for block := range strings.SplitSeq(strings.TrimSuffix(wire, "\n\n"), "\n\n") {
		var e [3]string
		var data []string
		for line := range strings.SplitSeq(block, "\n") {
			name, value, _ := strings.Cut(line, ":")
			value = strings.TrimPrefix(value, " ")
			switch name {
			case "event":
				e[0] = value
			case "id":
				e[1] = value
			case "data":
				data = append(data, value)
			case "retry", "":
			default:
				t.Fatalf("line %q in %q", line, wire)
			}
		}
		e[2] = strings.Join(data, "\n")
		events = append(events, e)
	}
	return events
}

func TestAppend(t *testing.T) {
	got := Append(nil, &r3.Event{ID: []byte("e-7"), Event: []byte("geo_blip"), Data: []byte(`{"a":1}`)})
	if want := "id: e-7\nevent: geo_blip\ndata: {\"a\":1}\n\n"; string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAppendHelloIsOneEvent(t *testing.T) {
	wire, err := AppendHello(nil, ID{"e", 4}, &feedv1.Hello{Epoch: "e", NextSeq: 5})
	if err != nil {
		t.Fatal(err)
	}
	got := fields(t, string(wire))
	if len(got) != 1 || got[0][0] != EventHello || got[0][1] != "e-4" || got[0][2] != `{"epoch":"e","nextSeq":"5"}` {
		t.Errorf("got %q", got)
	}
	if !bytes.Contains(wire, []byte("retry: ")) {
		t.Errorf("no retry: in %q", wire)
	}
}

// FuzzAppend: whatever is in an event, a client reads one event, with the data
// it was given but for line breaks and NUL.
func FuzzAppend(f *testing.F) {
	f.Add("e-1", "simple_tweet", `{"body":"x"}`)
	f.Add("e-1\nevent: x", "a\r\ndata: y", "1\n\nevent: error\ndata: 2")
	f.Add("\x00", "k", "\r\r\n\n\x00id: 9\r")
	f.Add("", "", "\n")
	f.Fuzz(func(t *testing.T, id, kind, data string) {
		if data == "" {
			return
		}
		wire := string(Append(nil, &r3.Event{ID: []byte(id), Event: []byte(kind), Data: []byte(data)}))
		if strings.ContainsAny(wire, "\r\x00") || !strings.HasSuffix(wire, "\n\n") || strings.Contains(wire[:len(wire)-1], "\n\n") {
			t.Fatalf("broken framing: %q", wire)
		}
		if got, want := string(Data([]byte(wire))), fields(t, wire)[0][2]; got != want {
			t.Fatalf("Data is %q, want %q", got, want)
		}
		got := fields(t, wire)
		clean := strings.NewReplacer("\r", "", "\n", "", "\x00", "")
		lines := strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", " ")
		want := [3]string{clean.Replace(kind), clean.Replace(id), lines.Replace(data)}
		if len(got) != 1 || strings.TrimLeft(got[0][0], " ") != strings.TrimLeft(want[0], " ") ||
			strings.TrimLeft(got[0][1], " ") != strings.TrimLeft(want[1], " ") || got[0][2] != want[2] {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	e := r3.Event{ID: []byte("dwx1h2k3-123456"), Event: []byte("simple_tweet"), Data: bytes.Repeat([]byte("x"), 300)}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = Append(buf[:0], &e)
	}
}
