package param_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source/param"
)

func of(t *testing.T, raw string) *param.Params {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return param.Of("x", u)
}

func TestTaken(t *testing.T) {
	p := of(t, "x:?a=text&d=5s&n=7&f=true&o=two&theirs=1")
	if a, d, n := p.Text("a", ""), p.Duration("d", time.Minute, time.Second, time.Hour), p.Int("n", 1, 1, 9); a != "text" || d != 5*time.Second || n != 7 {
		t.Errorf("%q %v %d", a, d, n)
	}
	if f, o := p.Flag("f"), p.OneOf("o", "one", "two"); !f || o != "two" {
		t.Errorf("%v %q", f, o)
	}
	if p.Err() != nil || p.Rest().Encode() != "theirs=1" {
		t.Errorf("%v, rest %v", p.Err(), p.Rest())
	}
	if p.NoMore(); p.Err() == nil {
		t.Error("a parameter that nobody knows was taken")
	}
}

func TestDefaults(t *testing.T) {
	p := of(t, "x:")
	if a, d, n := p.Text("a", "b"), p.Duration("d", time.Minute, 0, time.Hour), p.Int("n", 3, 1, 9); a != "b" || d != time.Minute || n != 3 {
		t.Errorf("%q %v %d", a, d, n)
	}
	if f, o := p.Flag("f"), p.OneOf("o", "one", "two"); f || o != "one" || p.Err() != nil {
		t.Errorf("%v %q %v", f, o, p.Err())
	}
}

func TestFormat(t *testing.T) {
	for _, f := range append(feed.Formats(), "") {
		p := of(t, "x:?format="+string(f))
		if got := p.Format(); got != f || p.Err() != nil || len(p.Rest()) != 0 {
			t.Errorf("format %q: %q, %v, rest %v", f, got, p.Err(), p.Rest())
		}
	}
}

func TestWrong(t *testing.T) {
	p := of(t, "x:?d=5&n=10&f=perhaps&o=three&g=1&format=tweet")
	p.Format()
	p.Duration("d", time.Minute, time.Second, time.Hour)
	p.Int("n", 1, 1, 9)
	p.Flag("f")
	p.OneOf("o", "one", "two")
	p.Fail("g", errors.New("no such thing"))
	err := p.Err()
	if err == nil || strings.Contains(err.Error(), "\n") {
		t.Fatalf("error %v, want one line", err)
	}
	for _, name := range []string{"d", "n", "f", "o", "g", "format"} {
		if !strings.Contains(err.Error(), "parameter "+name+":") {
			t.Errorf("nothing of parameter %s in %v", name, err)
		}
	}
	if of(t, "x:?%zz").Err() == nil {
		t.Error("a broken query was taken")
	}
}
