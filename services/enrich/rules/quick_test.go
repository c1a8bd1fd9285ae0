package rules

import (
	"errors"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/interpreter"

	"github.com/blipstream/blipstream/internal/feed"
)

// leaves are conditions of which others are made, among them some that only
// cel can answer, and some that fail.
func leaves() []string {
	return []string{
		`true`, `false`, `post.media`, `post.simulated`, `has(post.lat)`, `has(post.tags)`, `has(post.body)`, `has(post.time)`,
		`post.lang == "en"`, `post.lang != "en"`, `post.lang in ["en", "de"]`, `post.lang in []`, `"tea" in post.tags`, `post.body in post.tags`,
		`post.lat < 10.0`, `post.lat >= -3`, `post.magnitude == 5.5`, `post.sentiment != 0.0`, `post.lon <= 13u`, `10.0 > post.lat`,
		`size(post.body) > 3`, `post.body.size() <= 4`, `size(post.tags) == 0`, `post.tags.size() >= 2`, `size(post.links) == 1`,
		`post.body.contains("tea")`, `post.body.startsWith("Tea")`, `post.body.endsWith("?")`, `post.body.hasWord("tea")`, `post.body.hasWord(["tea", "ümlaut"])`,
		`post.body.matches("[A-Z]{3,}")`, `post.body.matches("^T.a")`, `post.body.matches("(?i)straße|k[0-9]+")`, `post.body.contains(post.lang)`,
		`post.near(52.5, 13.4, 30.0)`, `post.inBox(170.0, -10.0, -170.0, 10.0)`, `post.near(post.lat, 13.4, 30.0)`,
		`post.tags.exists(t, t == "tea")`, `post.tags.all(t, t == "tea")`, `post.tags.exists_one(t, t == "tea")`, `post.mentions.exists(post, post == "ann")`,
		`raw.a == 1`, `raw.a > 0`, `raw.a != 2.5`, `raw.b.c <= -1.0`, `raw.b.c == "x"`, `raw.a != "x"`, `raw.b.d`, `has(raw.a)`, `raw.b == 1`, `raw.post.lat < 1.0`, `1 / size(post.tags) == 1`, `post.time < timestamp("2024-01-01T00:00:00Z")`, `post.?lat.orValue(0.0) == 0.0`, `size("abc") == 3`,
	}
}

// condition is a random one of some leaves.
func condition(r *rand.Rand, leaves []string, depth int) string {
	if depth == 0 || r.IntN(4) == 0 {
		return leaves[r.IntN(len(leaves))]
	}
	a, b := condition(r, leaves, depth-1), condition(r, leaves, depth-1)
	return [...]string{"(" + a + " && " + b + ")", "(" + a + " || " + b + ")", "!(" + a + ")"}[r.IntN(3)]
}

// anyPost is a random post, of which about half of everything is not told.
func anyPost(r *rand.Rand) *feed.Record {
	one := func(of ...string) string { return of[r.IntN(len(of))] }
	number := func() *float64 {
		if r.IntN(2) == 0 {
			return nil
		}
		n := [...]float64{0, 5.5, -3, 13, 1e300}[r.IntN(5)]
		return &n
	}
	list := func() []string {
		return [][]string{nil, {"tea"}, {"tea", "TEA"}, {"ann"}, {strings.Repeat("x", maxEntry+1)}}[r.IntN(5)]
	}
	rec := &feed.Record{
		Change: feed.ChangePost, ID: "1", Source: "s", Lang: one("", "en", "de"), Media: r.IntN(2) == 0, Simulated: r.IntN(2) == 0,
		Body: one("", "tea", "Tea?", "no steak", "TEA TEA", "grüner ümlaut", "STRASSE Straße k7", "éèê", "a\xffb"), Tags: list(), Mentions: list(), Links: list(),
		Sentiment: number(), Magnitude: number(),
	}
	if r.IntN(2) == 0 {
		rec.Position = &feed.Position{Lat: [...]float64{0, 52.5, 52.9, -3}[r.IntN(4)], Lon: [...]float64{13.4, 179, -179, 0}[r.IntN(4)]}
	}
	if r.IntN(2) == 0 {
		rec.Time = time.Unix(1700000000, 0)
	}
	return rec
}

// agree fails the test if a condition is answered otherwise than by cel; it
// reports whether it was answered.
func agree(t *testing.T, text string, e *expression, rec *feed.Record) bool {
	t.Helper()
	raws := []string{
		`{"a":1}`, `{"a":2.5,"b":{"c":-7e2,"d":true}}`, ` {"b":{"c":"x","d":false},"a":"x"}`, `{"a":null,"b":{"c":"\u0078"}}`,
		`{"a":{},"b":[1]}`, `{"a":1e400,"b":1}`, `[1]`, `{}`, "{\"a\":\"\xff\",\"b\":{\"d\":\"true\"}}",
	}
	v := &view{rec: rec, data: []byte(raws[(len(rec.Body)+3*len(rec.Tags)+5*len(rec.Mentions)+7*len(rec.Lang))%len(raws)])}
	said := e.answer(v)
	if said == unsure {
		return false
	}
	frame, err := interpreter.NewExecutionFrame(v)
	if err != nil {
		t.Fatal(err)
	}
	out, err := e.run(v, frame)
	want := no
	switch {
	case err != nil && absent(err):
		want = unknown
	case err != nil:
		t.Errorf("%s: answered %d, cel fails: %v", text, said, err)
		return true
	case out == types.True:
		want = yes
	}
	if said != want {
		t.Errorf("%s: answered %d, cel says %d (%v) of %q and %s", text, said, want, err, rec.Body, v.data)
	}
	return true
}

// What is answered without cel is answered as cel would.
func TestQuickAnswers(t *testing.T) {
	lang, err := language()
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2)) // the same ones in every run
	texts := leaves()
	for range 300 {
		texts = append(texts, condition(r, leaves(), 3))
	}
	answered, asked := 0, 0
	for _, text := range texts {
		e, err := compileBool(lang.plain, text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for range 40 {
			asked++
			if agree(t, text, e, anyPost(r)) {
				answered++
			}
		}
	}
	if answered*2 < asked {
		t.Errorf("only %d of %d are answered without cel", answered, asked)
	}
}

// Which conditions are answered without cel: those of the kinds that the
// benchmark has, on posts for which they do not hold.
func TestQuickIsUsed(t *testing.T) {
	lang, err := language()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		`post.lang in ["es", "pt"] && size(post.tags) > 0`, `post.near(52.5, 13.4, 30.0)`, `post.body.matches("[A-Z]{8,}")`,
		`post.tags.exists(t, t.lowerAscii() == "news")`, `post.lang == "en" && raw.user.followers_count > 500000`,
	} {
		e, err := compileBool(lang.plain, text)
		if err != nil {
			t.Fatal(err)
		}
		v := &view{rec: &feed.Record{Change: feed.ChangePost, Lang: "ja"}, data: []byte(`{}`)}
		if said := e.answer(v); said == unsure || said == yes {
			t.Errorf("%s: answered %d", text, said)
		}
		v.data = make([]byte, provedItem+1)
		if e.answer(v) != unsure {
			t.Errorf("%s: answered on an item that no proof covers", text)
		}
	}
}

// An automaton finds what package regexp finds.
func TestAutomaton(t *testing.T) {
	texts := []string{"", "a", "aaab", "ABCDEFGH", "ABCDEFG", "costs $5", "€7", "Straße STRASSE", "K\u212a", "x\ny", "foo bar baz", "ſ", "日本語", "\xff\xfe", "abcabcabd"}
	for pattern, made := range map[string]bool{
		`[A-Z]{8,}`: true, `[$€£][0-9]+`: true, `a+b`: true, `(?i)k`: true, `(?i)s`: true, `x.y`: true, `(?s)x.y`: true, `foo|ba[rz]`: true,
		`(foo.*){2}`: true, `[^a-z]`: true, `\p{Han}{2}`: true, `abcabd`: true, `^a`: true, `\bfoo`: true, `\bba[rz]\b`: true, `o\B`: true, `b$`: true, `(?m)^y$`: true, `^$`: true, `\A\z`: true, `a*`: true, `(^|\W)K`: true,
		`(?i)\b(breaking|alert|urgent|just in)\b`: true, `(.{1,50}[ ]?){1,8}7$`: true, `(a.{30,60}b?){1,8}7$`: false, `(a|b)*a(a|b){9}`: false,
	} {
		p, err := newPattern(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if (p.auto != nil) != made {
			t.Errorf("%s: automaton %v", pattern, p.auto != nil)
		}
		for _, s := range texts {
			if got, ok := p.matches(s); !ok || got != regexp.MustCompile(pattern).MatchString(s) {
				t.Errorf("%s in %q: %v, %v", pattern, s, got, ok)
			}
		}
	}
}

// Any pattern is searched as package regexp searches it, or refused.
func FuzzPattern(f *testing.F) {
	f.Add(`[A-Z]{2,}|b+`, "aBCd")
	f.Add(`(?i)ſ|\x{10FFFF}`, "S\xff")
	f.Add(`(?m)^a\b.*\B$`, "b\na bé")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		p, err := newPattern(pattern)
		if err != nil || len(pattern) > 100 {
			return
		}
		if got, ok := p.matches(text); ok && got != p.re.MatchString(text) {
			t.Errorf("%q in %q: %v", pattern, text, got)
		}
	})
}

// The rules of the benchmark are answered without cel nearly always.
func TestQuickOnTwenty(t *testing.T) {
	text, err := os.ReadFile("../bench/rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	set, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range set.rules {
		if r.when.quick == nil {
			t.Errorf("%s has no quick answer", r.kind)
		}
	}
	if _, err := newPattern("("); err == nil || errors.Is(err, errAbsent) {
		t.Errorf("a broken pattern gives %v", err)
	}
}
