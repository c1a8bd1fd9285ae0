package gazetteer_test

import (
	"os"
	"strings"
	"testing"

	"github.com/blipstream/blipstream/internal/gazetteer"
)

// load makes a gazetteer.
func load(tb testing.TB) *gazetteer.Gazetteer {
	tb.Helper()
	g, err := gazetteer.New()
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

// labelled is one text of testdata and the city it names.
type labelled struct{ lang, want, text string }

// read reads a table of labelled texts.
func read(tb testing.TB, path string) []labelled {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	var all []labelled
	for line := range strings.Lines(string(data)) {
		if cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t"); line[0] != '#' && len(cells) == 3 {
			all = append(all, labelled{cells[0], cells[1], cells[2]})
		}
	}
	return all
}

// wanted is the city of a label, in any language, found as people name it in
// their profiles; nil for "-" and for a city that has no name in that language.
func wanted(tb testing.TB, g *gazetteer.Gazetteer, label string) *gazetteer.City {
	tb.Helper()
	if label == "-" {
		return nil
	}
	name, country, _ := strings.Cut(label, "|")
	city := g.Profile(name, gazetteer.Hints{Country: country})
	if city != nil && city.Country != country {
		tb.Fatalf("label %s is %+v", label, city)
	}
	return city
}

// Of the places that are found in 200 and more texts of 20 and more languages,
// written for this test by hand and half of them with words that are cities
// elsewhere, at least 95 of 100 are what the text names.
func TestTextsOfManyLanguages(t *testing.T) {
	g := load(t)
	var right, wrong, missed, silent int
	langs := map[string]bool{}
	for _, l := range read(t, "testdata/texts.tsv") {
		langs[l.lang] = true
		got, want := g.Mention(l.text, gazetteer.Hints{Lang: l.lang}), wanted(t, g, l.want)
		switch {
		case got == nil && l.want == "-":
			silent++
		case got == nil:
			missed++
			t.Logf("missed %s in %q", l.want, l.text)
		case got == want:
			right++
		default:
			wrong++
			t.Logf("took %s, %s, for %s in %q", got.Name, got.Country, l.want, l.text)
		}
	}
	precision, recall := float64(right)/float64(right+wrong), float64(right)/float64(right+wrong+missed)
	t.Logf("%d texts in %d languages: precision %.3f, recall %.3f", right+wrong+missed+silent, len(langs), precision, recall)
	if precision < 0.95 || recall < 0.8 || right+wrong+missed+silent < 200 || len(langs) < 20 {
		t.Errorf("precision %.3f, recall %.3f", precision, recall)
	}
}
