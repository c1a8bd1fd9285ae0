package hydrate_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/enrich/hydrate"
)

// log is an Observer that remembers what it was told.
type log struct {
	names    []string
	failures []any
}

func (l *log) Hydrated(name string, took time.Duration, failure any) {
	if took < 0 {
		panic("time runs backwards")
	}
	l.names = append(l.names, name)
	l.failures = append(l.failures, failure)
}

// newChain makes a chain that moves no position unless it is asked to.
func newChain(tb testing.TB, names ...string) *hydrate.Chain {
	tb.Helper()
	if len(names) == 0 {
		names = slices.DeleteFunc(hydrate.Names(), func(name string) bool { return name == "spread" })
	}
	chain, err := hydrate.New(names, hydrate.Options{MaxRadiusKm: 500}, nobody{})
	if err != nil {
		tb.Fatal(err)
	}
	return chain
}

// all runs the hydrators that need no cities over what upstream told.
func all(t *testing.T, up feed.Upstream) feed.Record {
	t.Helper()
	names := []string{"author", "body", "time", "type", "language", "entities", "media", "position"}
	chain, err := hydrate.New(names, hydrate.Options{MaxRadiusKm: 500, Positions: []string{"point", "place"}}, nobody{})
	if err != nil {
		t.Fatal(err)
	}
	rec := feed.Record{Upstream: up}
	chain.Hydrate(&rec)
	return rec
}

func TestNewRefuses(t *testing.T) {
	_, err := hydrate.New([]string{"author", "mood"}, hydrate.Options{}, &log{})
	if err == nil || !strings.Contains(err.Error(), `"mood"`) || !strings.Contains(err.Error(), "author, body, time, type, ") {
		t.Errorf("unknown name: error %v", err)
	}
	if _, err := hydrate.New([]string{"body", "body"}, hydrate.Options{}, &log{}); err == nil {
		t.Error("a name given twice was taken")
	}
	for _, positions := range [][]string{{"point", "guess"}, {"point", "place", "point"}} {
		if _, err := hydrate.New([]string{"position"}, hydrate.Options{Positions: positions}, &log{}); err == nil {
			t.Errorf("positions %q were taken", positions)
		}
	}
}

func TestOrderIsTheConfiguredOne(t *testing.T) {
	seen := &log{}
	chain, err := hydrate.New([]string{"position", "author"}, hydrate.Options{}, seen)
	if err != nil {
		t.Fatal(err)
	}
	rec := feed.Record{Upstream: feed.Upstream{Texts: []string{"x"}, Author: feed.Author{Username: "a"}}}
	chain.Hydrate(&rec)
	if want := []string{"position", "author"}; !reflect.DeepEqual(seen.names, want) {
		t.Errorf("ran %v, want %v", seen.names, want)
	}
	if rec.Body != "" || rec.Author.Username != "a" {
		t.Errorf("record %+v", rec)
	}
}

// clumsy sets a body and then panics.
type clumsy struct{}

func (clumsy) Name() string { return "clumsy" }

func (clumsy) Hydrate(rec *feed.Record) {
	rec.Body, rec.Country, rec.City, rec.Lang, rec.URL = "half done", "XX", "X", "xx", "x"
	rec.Tags, rec.Sentiment, rec.Position, rec.Media = []string{"x"}, new(float64), &feed.Position{}, true
	panic("clumsy")
}

func TestPanicCostsNothingElse(t *testing.T) {
	seen := &log{}
	chain := hydrate.NewChain(seen, hydrate.NewBody(), clumsy{}, hydrate.Author{})
	rec := feed.Record{Upstream: feed.Upstream{Texts: []string{"whole"}, Author: feed.Author{Username: "a"}}}
	chain.Hydrate(&rec)
	want := feed.Record{Upstream: rec.Upstream, Body: "whole", Author: feed.Author{Username: "a", Name: "a"}}
	if !reflect.DeepEqual(rec, want) {
		t.Errorf("record %+v", rec)
	}
	if want := []any{nil, "clumsy", nil}; !reflect.DeepEqual(seen.failures, want) {
		t.Errorf("failures %v, want %v", seen.failures, want)
	}
}

func TestAuthor(t *testing.T) {
	for _, c := range []struct{ told, want feed.Author }{
		{feed.Author{ID: "1", Username: "ann", Name: "Ann"}, feed.Author{ID: "1", Username: "ann", Name: "Ann"}},
		{feed.Author{Username: "ann"}, feed.Author{Username: "ann", Name: "ann"}},
		{feed.Author{Username: "@ann ", Name: "  "}, feed.Author{Username: "ann", Name: "ann"}},
		{feed.Author{Name: "Ann"}, feed.Author{Name: "Ann"}},
		{feed.Author{}, feed.Author{}},
	} {
		if got := all(t, feed.Upstream{Author: c.told}).Author; got != c.want {
			t.Errorf("%+v became %+v, want %+v", c.told, got, c.want)
		}
	}
}

func TestBody(t *testing.T) {
	for _, c := range []struct {
		texts    []string
		entities bool
		want     string
	}{
		{[]string{"full", "cut…"}, true, "full"},
		{[]string{"", " \n", "third"}, true, "third"},
		{[]string{"Tea &amp; toast &lt;3 &gt;"}, true, "Tea & toast <3 >"},
		{[]string{"&amp;lt;b&amp;gt; &amp;amp;"}, true, "&lt;b&gt; &amp;"},
		{[]string{"&quot;&#39;&AMP;"}, true, "&quot;&#39;&AMP;"},
		{[]string{"Tea &amp; toast"}, false, "Tea &amp; toast"},
		{[]string{" kept as it is "}, true, " kept as it is "},
		{nil, true, ""},
	} {
		if got := all(t, feed.Upstream{Texts: c.texts, HTMLEntities: c.entities}).Body; got != c.want {
			t.Errorf("%q became %q, want %q", c.texts, got, c.want)
		}
	}
}
