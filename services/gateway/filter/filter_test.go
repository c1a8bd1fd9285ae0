package filter

import (
	"encoding/json"
	"hash/maphash"
	"net/url"
	"strings"
	"testing"
)

// parse makes a filter of a query.
func parse(tb testing.TB, query string) (f Filter) {
	tb.Helper()
	values, err := url.ParseQuery(query)
	if err != nil {
		tb.Fatal(err)
	}
	for name, v := range values {
		if err := f.Set(name, v); err != nil {
			tb.Fatalf("%s: %v", query, err)
		}
	}
	return f
}

func TestMatch(t *testing.T) {
	const post = `{"id":"1","source":"demo","username":"Kai","name":"Kai N","body":"Rain in Suva: #storm, caf\u00e9 東京タワー","lang":"en-GB","country":"FJ","type":"reply","lat":-17.5,"lon":179.9}`
	for query, want := range map[string]bool{
		"":                                 true,
		"source=demo":                      true,
		"source=other,demo":                true,
		"source=other":                     false,
		"lang=EN":                          true,
		"lang=en-gb":                       true,
		"lang=en-US":                       false,
		"country=fj":                       true,
		"country=JP&country=FJ":            true,
		"country=JP":                       false,
		"q=rain":                           true,
		"q=RAIN+suva":                      true,
		"q=rai":                            false,
		"q=ain":                            false,
		"q=storm":                          true,
		"q=%23storm":                       true,
		"q=%23rain":                        false,
		"q=caf%C3%A9":                      true,
		"q=caf":                            false,
		"q=%E4%BA%AC":                      true, // part of Tokyo
		"q=@kai":                           true,
		"q=rain+snow":                      false,
		"user=kai":                         true,
		"user=@KAI,other":                  true,
		"user=ka":                          false,
		"type=post&type=reply":             true,
		"type=post":                        false,
		"bbox=170,-20,-170,-10":            true,
		"bbox=-170,-20,170,-10":            false,
		"bbox=179,-18,180,-17":             true,
		"bbox=179,-17,180,-16":             false,
		"bbox=179,-18,180,-17&source=demo": true,
		"bbox=179,-18,180,-17&q=snow":      false,
	} {
		f := parse(t, query)
		var facts Facts
		if !facts.Read([]byte(post)) {
			t.Fatal("the post is not read")
		}
		if got := f.Match("simple_tweet", &facts); got != want {
			t.Errorf("%s: %v", query, got)
		}
		if !f.Match("post_removed", &Facts{}) || !f.Match("geo_removed", &Facts{}) {
			t.Errorf("%s: a removal does not pass", query)
		}
	}
	box := parse(t, "bbox=-180,-90,180,90")
	if box.Match("simple_tweet", &Facts{}) {
		t.Error("an event without a position is somewhere")
	}
}

func TestRefused(t *testing.T) {
	for query, name := range map[string]string{
		"user=": "user", "user=@": "user", "user=a+b": "user", "type=": "type", "type=Post": "type",
		"source=": "source", "source=a.b": "source", "lang=english-": "lang", "lang=1": "lang", "country=FIN": "country",
		"q=": "q", "q=+": "q", "q=1+2+3+4+5+6+7+8+9": "q", "bbox=1,2,3": "bbox", "bbox=NaN,0,1,1": "bbox",
		"bbox=0,10,1,5": "bbox", "bbox=0,-91,1,5": "bbox", "bbox=-181,0,1,5": "bbox", "bbox=0,0,Inf,5": "bbox",
		"bbox=0,0,1,1&bbox=0,0,1,1": "bbox", "q=a&q=b": "q",
		"country=" + strings.Repeat("FI,", 64) + "FI": "country",
		"q=" + strings.Repeat("x", 201):               "q",
	} {
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if err := new(Filter).Set(name, values[name]); err == nil {
			t.Errorf("%.60s: taken", query)
		}
	}
}

func TestKeyIsCanonical(t *testing.T) {
	for a, b := range map[string]string{
		"source=b,a&lang=EN":    "lang=en&source=a&source=b&source=a",
		"q=Rain++suva":          "q=suva+rain",
		"bbox=1.0,2,3.50,4":     "bbox=1,+2,3.5,4.0",
		"bbox=-0,0,1,1":         "bbox=0,-0,1,1",
		"country=fi&source=a-b": "source=a-b&country=FI",
	} {
		x, y := parse(t, a), parse(t, b)
		if x.Key() != y.Key() || x.Key() == "" {
			t.Errorf("%q and %q differ", x.Key(), y.Key())
		}
		again := parse(t, x.Key())
		if again.Key() != x.Key() {
			t.Errorf("%q comes back as %q", x.Key(), again.Key())
		}
	}
}

func TestMemoryGivesAPositionItsText(t *testing.T) {
	seed, m := maphash.MakeSeed(), NewMemory()
	var post, blip Facts
	post.Read([]byte(`{"id":"1","source":"a","body":"rain"}`))
	m.Join(seed, &post)
	f := parse(t, "q=rain")
	for payload, want := range map[string]bool{
		`{"id":"1","source":"a","lat":1,"lon":1}`: true,
		`{"id":"2","source":"a","lat":1,"lon":1}`: false,
		`{"id":"1","source":"b","lat":1,"lon":1}`: false,
	} {
		blip.Read([]byte(payload))
		m.Join(seed, &blip)
		if got := f.Match("geo_blip", &blip); got != want {
			t.Errorf("%s: %v", payload, got)
		}
	}
	for i := range 3 * remembered {
		post.ID = []byte{byte(i), byte(i >> 8)}
		m.Join(seed, &post)
	}
	if len(m.texts) > remembered {
		t.Errorf("%d texts are kept", len(m.texts))
	}
}

// FuzzFacts: no payload stops the reader, and of a JSON object it reads what a
// JSON decoder reads.
func FuzzFacts(f *testing.F) {
	f.Add(`{"id":"1","source":"demo","lat":0,"lon":-180,"body":"\ud83c\udf0d \"q\"","x":{"id":["}"]}}`)
	f.Add(`{"id": 5 ,"lat":1e1}` + "\n")
	f.Add(`{"id":"\`)
	f.Add(`{"a":[[[[`)
	f.Fuzz(func(t *testing.T, payload string) {
		var facts Facts
		ok := facts.Read([]byte(payload))
		var want map[string]any
		if json.Unmarshal([]byte(payload), &want) != nil {
			return
		}
		deep := strings.Count(payload, "[")+strings.Count(payload, "{") > maxDepth
		if !ok && !deep && want != nil {
			t.Fatalf("not read: %q", payload)
		}
		if strings.Count(payload, `"id"`) != 1 || strings.Contains(payload, `\`) || !ok {
			return // nested, or twice
		}
		if id, is := want["id"].(string); is && strings.ToValidUTF8(string(facts.ID), "") != strings.ReplaceAll(id, "\ufffd", "") &&
			!strings.Contains(payload, "\ufffd") {
			t.Fatalf("id %q, want %q", facts.ID, id)
		}
	})
}

// FuzzFilter: no value stops the parser, and what it lets through has a key
// that reads back as the same filter.
func FuzzFilter(f *testing.F) {
	f.Add("bbox", "170,-20,-170,-10", "demo")
	f.Add("q", "Rain \u0130 ß", "x")
	f.Add("lang", "pt-BR,en", "")
	f.Add("country", "fi", "")
	f.Fuzz(func(t *testing.T, name, value, text string) {
		var filter Filter
		if !Known(name) || filter.Set(name, []string{value}) != nil {
			return
		}
		key := filter.Key()
		values, err := url.ParseQuery(key)
		if err != nil || key == "" {
			t.Fatalf("key %q: %v", key, err)
		}
		var again Filter
		if err := again.Set(name, values[name]); err != nil && name != ParamQ {
			t.Fatalf("key %q: %v", key, err)
		} else if err == nil && again.Key() != key && name != ParamQ {
			t.Fatalf("%q comes back as %q", key, again.Key())
		}
		filter.Match("simple_tweet", &Facts{Body: []byte(text), Lang: []byte(text), Source: []byte(text)})
	})
}

func BenchmarkFacts(b *testing.B) {
	payload := []byte(`{"id":"1726262626262626262","source":"demo","time":"2026-11-23T12:00:00Z","username":"kai","name":"Kai N","body":"` + strings.Repeat("rain in Suva ", 12) + `","userId":"123456789","lang":"en","type":"post","country":"FJ","simulated":true}`)
	var facts Facts
	b.ReportAllocs()
	for b.Loop() {
		facts.Read(payload)
	}
}
