package decode_test

import (
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/decode"
)

// A < that begins no tag stays, however many there are: a text of half a megabyte
// that is made to be slow costs no minutes.
func TestHTMLWithoutEnds(t *testing.T) {
	const size = 1 << 19
	for _, bit := range []string{"</", "<a <", "<a href=", `<a"<a'`, "<!", "<3 "} {
		for _, end := range []string{"", `">`, `'>`} {
			text := strings.Repeat(bit, size/len(bit)) + end
			soon(t, bit+end, func() { decode.PlainText(text) })
		}
	}
	hearts := strings.Repeat("<3 ", 100)
	if got := decode.PlainText(hearts + "<b>bold</b> <i"); got != hearts+"bold <i" {
		t.Errorf("read %q", got)
	}
}

func TestPlainTextKeepsWhatIsNoTag(t *testing.T) {
	for in, want := range map[string]string{
		"a < b":                                 "a < b",
		"1 <b and 2":                            "1 <b and 2",
		"<b>x</b> <3 <a":                        "x <3 <a",
		"<a <a <a \"<b>x":                       "<a <a <a \"x",
		strings.Repeat("<a \"", 101) + "&amp;x": strings.Repeat("<a \"", 101) + "&x",
	} {
		if got := decode.PlainText(in); got != want {
			t.Errorf("PlainText(%q) = %q, want %q", in, got, want)
		}
	}
}

// soon fails the test if f takes much longer than it may.
func soon(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatalf("%s takes too long", what)
	}
}
