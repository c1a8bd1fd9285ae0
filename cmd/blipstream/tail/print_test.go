package tail_test

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/r3labs/sse/v2"

	"github.com/blipstream/blipstream/cmd/blipstream/tail"
)

func TestPrint(t *testing.T) {
	tweet := `{"id":"1","source":"demo","time":"2026-11-23T10:00:00.5Z","username":"ann","name":"Ann \u001b[31m","body":"one\ntwo","new":1}`
	for name, c := range map[string]struct {
		kind, data, want string
		json             bool
	}{
		"post":    {"simple_tweet", tweet, "[2026-11-23T10:00:00Z] @ann (Ann ␛[31m): one two\n", false},
		"json":    {"simple_tweet", tweet, tweet + "\n", true},
		"lines":   {"simple_tweet", "{\n\"a\":1}", "{\"a\":1}\n", true},
		"blip":    {"geo_blip", `{"id":"1","time":"2026-11-23T10:00:00Z","lat":0,"lon":-0.1278,"precision":"point"}`, "[2026-11-23T10:00:00Z] geo_blip 1: 0.0000, -0.1278 (point)\n", false},
		"other":   {"post_removed", `{"id":"1"}`, "post_removed {\"id\":\"1\"}\n", false},
		"unclear": {"simple_tweet", "tw\x07", "simple_tweet tw␇\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			p := tail.Printer{Out: &out, JSON: c.json}
			if err := p.Print(&sse.Event{Event: []byte(c.kind), Data: []byte(c.data)}); err != nil {
				t.Fatal(err)
			}
			if out.String() != c.want {
				t.Errorf("printed %q, want %q", out.String(), c.want)
			}
		})
	}
}

type closedPipe struct{}

var errPipe = errors.New("broken pipe")

func (closedPipe) Write([]byte) (int, error) { return 0, errPipe }

func TestPrintSaysThatNobodyReads(t *testing.T) {
	p := tail.Printer{Out: closedPipe{}}
	if err := p.Print(&sse.Event{Data: []byte("{}")}); !errors.Is(err, errPipe) {
		t.Errorf("error is %v", err)
	}
}

func FuzzHarmless(f *testing.F) {
	for _, s := range []string{"", "a\x1b]0;title\x07", "\u009b31m", "\u202eabc", "\xff\xfe", "日本\u2028語"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := tail.Harmless(s)
		if !utf8.ValidString(got) {
			t.Errorf("%q is not UTF-8", got)
		}
		for _, r := range got {
			if unicode.IsControl(r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) {
				t.Errorf("%q holds %U", got, r)
			}
		}
	})
}
