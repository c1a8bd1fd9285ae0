package sse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source"
)

// all reads every event of a text, in whatever pieces it comes.
func all(t *testing.T, in io.Reader, limit int) (events []Event, r *Reader) {
	t.Helper()
	r = NewReader(in, limit, "")
	for {
		ev, err := r.Next()
		if errors.Is(err, io.EOF) {
			return events, r
		}
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, ev)
	}
}

func (ev Event) String() string {
	flags := map[bool]string{true: "!cut"}[ev.Cut] + map[bool]string{true: "!open"}[ev.Open]
	return ev.Name + "|" + ev.ID + "|" + string(ev.Data) + flags
}

func TestReader(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"plain":               {"event: a\nid: 1\ndata: x\n\ndata:y\n\n", "a|1|x;|1|y"},
		"line ends":           {"id:1\r\ndata: a\r\n\r\nid:2\rdata: b\r\rid:3\ndata: c\n\n", "|1|a;|2|b;|3|c"},
		"several lines":       {"data: a\ndata:\ndata: b\n\n", "||a\n\nb"},
		"comments":            {":ok\n\n: ping\ndata: a\n:x\n\n:)\n:thump\n:thump\nevent: update\ndata: b\n\n", "||a;update||b"},
		"only an id":          {"id: 7\n\ndata: a\n\n", "|7|a"},
		"empty data":          {"id: 7\ndata:\n\ndata: a\n\n", "|7|a"},
		"name without colon":  {"data\ndata: a\n\n", "||\na"},
		"unknown fields":      {"foo: bar\ndata: a\nsomething\n\n", "||a"},
		"id with a null byte": {"id: 1\ndata: a\n\nid: 2\x00\ndata: b\n\n", "|1|a;|1|b"},
		"id no header takes":  {"id: 1\ndata: a\n\nid: 2\x1b\ndata: b\n\nid: 2\t3 é\ndata: c\n\n", "|1|a;|1|b;|2\t3 é|c"},
		"byte order mark":     {"\ufeffdata: a\n\n", "||a"},
		"two spaces":          {"data:  a\n\n", "|| a"},
		"the name is not kept": {
			"event: x\ndata: a\n\ndata: b\n\n", "x||a;||b",
		},
		"cut short":               {"id: 1\ndata: a\n\ndata: b\n", "|1|a;|1|b!open"},
		"too long":                {"data: " + strings.Repeat("x", 50) + "\ndata: y\n\ndata: ok\n\n", "||" + strings.Repeat("x", 16) + "!cut;||ok"},
		"long by line ends alone": {"data: abc\n" + strings.Repeat("data:\n", 50) + "\n", "||abc" + strings.Repeat("\n", 13) + "!cut"},
		"at the limit": {
			"data: " + strings.Repeat("x", 16) + "\n\ndata:" + strings.Repeat("y", 17) + "\n\n",
			"||" + strings.Repeat("x", 16) + ";||" + strings.Repeat("y", 16) + "!cut",
		},
		"a long comment": {":" + strings.Repeat("x", 500) + "\ndata: a\n\n", "||a"},
		"nothing":        {"", ""},
	} {
		for way, in := range map[string]io.Reader{
			"at once": strings.NewReader(c.text), "byte by byte": iotest.OneByteReader(strings.NewReader(c.text)),
		} {
			events, _ := all(t, in, 16)
			var got []string
			for _, ev := range events {
				got = append(got, ev.String())
			}
			if s := strings.Join(got, ";"); s != c.want {
				t.Errorf("%s, %s: %q, want %q", name, way, s, c.want)
			}
		}
	}
}

// TestReaderWaitsForNothing: an event is there when its blank line is, with a
// CR as its end too, and nothing behind it has to come first.
func TestReaderWaitsForNothing(t *testing.T) {
	for _, text := range []string{"data: a\n\n", "data: a\r\n\r\n", "data: a\r\r", "\ufeffdata: a\n\n", "d\n\ndata: a\n\n"} {
		in, out := io.Pipe()
		go func() { _, _ = io.WriteString(out, text) }()
		if ev, err := NewReader(in, 100, "").Next(); err != nil || string(ev.Data) != "a" {
			t.Errorf("%q: %v, %v", text, ev, err)
		}
	}
}

func TestRetry(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"": 0, "retry: 1500\n": 1500 * time.Millisecond, "retry: soon\n": 0, "retry: -5\n": 0, "retry:\n": 0,
		"retry: 999999999999\n": maxRetry, "retry: 99999999999999999999999\n": 0,
	} {
		if _, r := all(t, strings.NewReader(text), 100); r.Retry() != want {
			t.Errorf("%q: %v, want %v", text, r.Retry(), want)
		}
	}
}

func FuzzReader(f *testing.F) {
	f.Add("event: a\nid: 1\ndata: x\n\ndata:y\n\n", 16)
	f.Add("\ufeff:ok\r\n\r\nretry: 5\rdata: \x00\r\r", 1)
	f.Add(":)\n:thump\nevent: delete\ndata: 5\n\n", 100)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		if limit < 1 || limit > 1<<20 {
			return
		}
		whole, _ := all(t, strings.NewReader(text), limit)
		bytes, _ := all(t, iotest.OneByteReader(strings.NewReader(text)), limit)
		if fmt.Sprint(whole) != fmt.Sprint(bytes) {
			t.Errorf("%q: %v at once, %v byte by byte", text, whole, bytes)
		}
		for _, ev := range whole {
			if len(ev.Data) > limit || ev.Size < len(ev.Data) || ev.Size == 0 || ev.Cut != (ev.Size > len(ev.Data)) {
				t.Errorf("%q: %+v of limit %d", text, ev, limit)
			}
		}
	})
}

// keeper is an Observer that saves cursors.
type keeper struct {
	source.Observer
	kept []feed.Cursor
	err  error
}

func (k *keeper) Keep(_ context.Context, at feed.Cursor) error {
	k.kept = append(k.kept, at)
	return k.err
}

// TestPassedOver: where little is taken of much, the cursor moves all the same,
// but not with every event.
func TestPassedOver(t *testing.T) {
	const text = "id: 1\ndata: no\n\nid: 2\ndata: no\n\nid: 3\ndata: yes\n\nid: 4\ndata: no\n\n"
	take := func(ev Event) (feed.Item, bool) {
		return feed.Item{Cursor: feed.Cursor(ev.ID)}, string(ev.Data) == "yes"
	}
	for _, c := range []struct {
		noResume bool
		err      error
		kept     string
		items    int
	}{{false, nil, "[1]", 1}, {true, nil, "[]", 1}, {false, errors.New("not saved"), "[1]", 0}} {
		k, items := keeper{err: c.err}, 0
		r := &reading{
			Profile: &Profile{Take: take, Observer: &k, MaxEvent: 100, NoResume: c.noResume}, ctx: t.Context(),
			emit: func(feed.Item) error { items++; return nil },
		}
		err := r.read(strings.NewReader(text), "")
		if c.err != nil && !errors.Is(err, c.err) || fmt.Sprint(k.kept) != c.kept || items != c.items {
			t.Errorf("%+v: %v, kept %v, %d items", c, err, k.kept, items)
		}
	}
}
