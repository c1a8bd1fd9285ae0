package hydrate_test

import (
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/enrich/hydrate"
)

func TestHTMLBecomesText(t *testing.T) {
	for source, want := range map[string]string{
		"<p>Tea</p>":                                "Tea",
		"<p>Tea</p><p>Toast</p>":                    "Tea\n\nToast",
		"<p>Tea<br>Toast<br/>Jam<br />Milk</p>":     "Tea\nToast\nJam\nMilk",
		"<p>Tea &amp; toast &lt;3 &#39;x&#x27;</p>": "Tea & toast <3 'x'",
		"<p>&amp;lt;b&amp;gt;</p>":                  "&lt;b&gt;",
		"<p>1 < 2 and 3 > 2</p>":                    "1 < 2 and 3 > 2",
		`<p>see <a href="https://a.example/?q=>x"><span class="invisible">https://</span><span>a.example</span></a></p>`: "see https://a.example",
		`<p><a href="x" class="mention hashtag">#<span>tea</span></a></p>`:                                               "#tea",
		"<ul><li>one</li><li>two</li></ul>end":                                                                           "one\ntwo\n\nend",
		"a<!-- not <b>this</b> -->b":                                                                                     "ab",
		"a<script>alert('x')</script>b":                                                                                  "ab",
		"a<script>alert('x')":                                                                                            "a",
		"line\none":                                                                                                      "line one",
		"<p":                                                                                                             "<p",
		"":                                                                                                               "",
		"<p> </p>":                                                                                                       "",
	} {
		if got := all(t, feed.Upstream{Texts: []string{source}, HTML: true}).Body; got != want {
			t.Errorf("%q became %q, want %q", source, got, want)
		}
	}
	if got := all(t, feed.Upstream{Texts: []string{"<p></p>", "<p>second</p>"}, HTML: true}).Body; got != "second" {
		t.Errorf("of a blank and a full candidate came %q", got)
	}
}

func TestTime(t *testing.T) {
	received := time.Date(2026, 11, 24, 10, 0, 0, 0, time.FixedZone("", 3600))
	chain := newChain(t, "time")
	for told, want := range map[time.Time]time.Time{
		{}:                           received,
		received.Add(-time.Hour):     received.Add(-time.Hour),
		received.AddDate(-15, 0, 0):  received.AddDate(-15, 0, 0),
		received.Add(time.Hour):      received.Add(time.Hour),
		received.Add(25 * time.Hour): received,
		time.Unix(0, 0):              received,
	} {
		rec := feed.Record{Time: told, Received: received}
		chain.Hydrate(&rec)
		if !rec.Time.Equal(want) {
			t.Errorf("%v became %v, want %v", told, rec.Time, want)
		}
	}
	removal := feed.Record{Change: feed.ChangeRemovePost, Received: received}
	if chain.Hydrate(&removal); !removal.Time.IsZero() {
		t.Errorf("a removal was told at %v", removal.Time)
	}
}

func TestType(t *testing.T) {
	chain := newChain(t, "type")
	for _, c := range []struct {
		told feed.PostType
		body string
		want feed.PostType
	}{
		{"", "tea", feed.TypePost},
		{"", "RT @ann: tea", feed.TypeRepost},
		{"", "@ann tea", feed.TypeReply},
		{"", "@ noon", feed.TypePost},
		{"", "", feed.TypePost},
		{feed.TypeQuake, "@ann", feed.TypeQuake},
	} {
		rec := feed.Record{Type: c.told, Body: c.body}
		if chain.Hydrate(&rec); rec.Type != c.want {
			t.Errorf("%q of %q is %q, want %q", c.body, c.told, rec.Type, c.want)
		}
	}
}

func TestEntities(t *testing.T) {
	for body, want := range map[string][3][]string{
		"tea #Tea #tea #ティー＃朝":                                 {{"Tea", "ティー"}},
		"#1 #2nd a#b &#39; ##x":                                {{"2nd", "x"}},
		"hi @ann, @ANN and @bob@social.example.":               {nil, {"ann", "bob@social.example"}},
		"mail a@b.example @carl.bsky.social":                   {nil, {"carl.bsky.social"}},
		"see https://a.example/x#y?z=1. (http://b.example/c)":  {nil, nil, {"https://a.example/x#y?z=1", "http://b.example/c"}},
		"https://en.example/wiki/Tea_(drink) ftp://no.example": {nil, nil, {"https://en.example/wiki/Tea_(drink)"}},
		"nothing here": {},
	} {
		rec := all(t, feed.Upstream{Texts: []string{body}})
		if got := [3][]string{rec.Tags, rec.Mentions, rec.Links}; !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %q, want %q", body, got, want)
		}
	}
	// What the source tells counts, also that there is nothing.
	rec := all(t, feed.Upstream{
		Texts: []string{"#one @two https://three.example"}, Tags: []string{"#a", "A", "", " b "}, Mentions: []string{},
		Links: []string{"https://a.example", "javascript:alert(1)", "HTTPS://B.example"},
	})
	if !reflect.DeepEqual(rec.Tags, []string{"a", "b"}) || rec.Mentions != nil || !reflect.DeepEqual(rec.Links, []string{"https://a.example", "HTTPS://B.example"}) {
		t.Errorf("told: %q %q %q", rec.Tags, rec.Mentions, rec.Links)
	}
	if rec := all(t, feed.Upstream{Texts: []string{strings.Repeat("#a", 5000) + strings.Repeat(" #x1y", 100)}}); len(rec.Tags) > 50 {
		t.Errorf("%d tags", len(rec.Tags))
	}
}

func TestLanguage(t *testing.T) {
	chain := newChain(t, "language")
	for _, c := range []struct{ told, body, want string }{
		{"de", "plainly English words in here, all of them", "de"},
		{"en-US", "", "en-US"},
		{"EN_us", "", "en-us"},
		{"und", "今日は雨です", "ja"},
		{"undefined", "오늘은 비가 온다", "ko"},
		{"zxx", "🍵", ""},
		{"", "今天下雨", "zh"},
		{"", "วันนี้ฝนตก", "th"},
		{"", "Σήμερα βρέχει", "el"},
		{"", "היום יורד גשם", "he"},
		{"", "اليوم ممطر جدا", "ar"},
		{"", "امروز هوا چقدر خوب است", "fa"},
		{"", "آج بارش ہے اور ٹھنڈ ہے گھر میں", "ur"},
		{"", "आज बारिश है", "hi"},
		{"", "আজ বৃষ্টি", "bn"},
		{"", "இன்று மழை", "ta"},
		{"", "Сегодня был дождь, мы пили чай", "ru"},
		{"", "Сьогодні дощ, п'ємо чай із їжаком", "uk"},
		{"", "The neighbours have been painting their fence since early this morning", "en"},
		{"", "Die Nachbarn streichen seit heute früh ihren Zaun und singen dabei", "de"},
		{"", "Mi vecina canta por las mañanas y canta muy bien, aunque nadie se lo pide nunca", "es"},
		{"", "ok", ""},
		{"", "#hashtag @somebody https://a.example/path/of/words", ""},
		{"", "", ""},
	} {
		rec := feed.Record{Lang: c.told, Body: c.body}
		if chain.Hydrate(&rec); rec.Lang != c.want {
			t.Errorf("%q, told %q, is %q, want %q", c.body, c.told, rec.Lang, c.want)
		}
	}
}

// Only what is asked for tells a mood, and only of English.
func TestSentiment(t *testing.T) {
	chain := newChain(t, "sentiment")
	mood := func(lang, body string) *float64 {
		rec := feed.Record{Lang: lang, Body: body}
		chain.Hydrate(&rec)
		return rec.Sentiment
	}
	if good := mood("en-GB", "What a lovely, wonderful day"); good == nil || *good < 0.3 || *good > 1 {
		t.Errorf("lovely is %v", good)
	}
	if bad := mood("en", "Terrible service, I hate it"); bad == nil || *bad > -0.3 || *bad < -1 {
		t.Errorf("terrible is %v", bad)
	}
	if mood("de", "Terrible") != nil || mood("en", "") != nil || mood("", "lovely") != nil {
		t.Error("a mood of what is not known to be English")
	}
	for _, name := range hydrate.Defaults() {
		if name == "sentiment" {
			t.Error("sentiment runs unasked")
		}
	}
}

// Whatever a text is, the hydrators finish and keep it UTF-8.
func FuzzText(f *testing.F) {
	chain := newChain(f, "body", "type", "language", "entities")
	for _, s := range []string{"<p>a<br>b</p>", "<a href='>'>#x</a>", "RT @a: #b https://c.example/d)", "<!-- -", "&lt;&#0;&", "\xff<\xfe>", "今日は #東京"} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, text string, isHTML bool) {
		rec := feed.Record{Upstream: feed.Upstream{Texts: []string{text}, HTML: isHTML, HTMLEntities: !isHTML}}
		chain.Hydrate(&rec)
		valid := utf8.ValidString(text)
		for _, s := range append(append(append(rec.Tags, rec.Mentions...), rec.Links...), rec.Body, rec.Lang) {
			if valid && !utf8.ValidString(s) {
				t.Errorf("%q became %q", text, s)
			}
		}
	})
}
