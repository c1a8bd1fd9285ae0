package phrase

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/blipstream/blipstream/internal/simulate/dice"
)

func TestSentences(t *testing.T) {
	b, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	if len(b.languages) < 30 {
		t.Errorf("%d languages", len(b.languages))
	}
	d := dice.Of(1, 0, 0)
	for code, l := range b.languages {
		if len(l.sentences) < 7 {
			t.Errorf("%s: %d sentences", code, len(l.sentences))
		}
		for range 200 {
			s := string(b.Append(nil, &d, code, "Anytown"))
			if n := utf8.RuneCountInString(s); !utf8.ValidString(s) || n < 8 || n > 135 || strings.ContainsAny(s, "{}") {
				t.Errorf("%s: sentence of %d characters: %q", code, n, s)
			}
		}
	}
}

func TestNames(t *testing.T) {
	b, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	handle := regexp.MustCompile(`^[A-Za-z0-9_]{4,15}$`)
	d := dice.Of(1, 0, 0)
	for code := range b.languages {
		seen := map[string]bool{}
		for range 300 {
			if u := b.Username(&d); !handle.MatchString(u) {
				t.Errorf("user name %q", u)
			}
			seen[b.Name(&d, code)] = true
		}
		if len(seen) < 20 {
			t.Errorf("%s: %d different names", code, len(seen))
		}
	}
}

func TestParseRefuses(t *testing.T) {
	scripts := map[string]*names{"latin": {[]string{"a"}, []string{"b"}}}
	const head = "script latin\nfood soup\ntag rain\n"
	if _, err := parseLanguage(head+"A {c} and {f}.", scripts); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"", head, head + "A {x}.", head + "A {c.", head + "A {city}.",
		"script runes\nfood soup\ntag rain\nA.", "script latin\ntag rain\nA.",
	} {
		if _, err := parseLanguage(text, scripts); err == nil {
			t.Errorf("taken: %q", text)
		}
	}
	if _, err := parseNames("latin\ta|b\n"); err == nil {
		t.Error("a line of two cells is taken for names")
	}
}

func FuzzParseSentence(f *testing.F) {
	f.Add("A {c} and {f}.")
	f.Add("{")
	f.Fuzz(func(_ *testing.T, line string) { _, _ = parseSentence(line) })
}
