package rules_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/enrich/rules"
)

// A text of rules is refused in one line, or yields a set that can be run.
func FuzzCompile(f *testing.F) {
	for _, name := range []string{"../../../docs/examples/rules.yaml", "../../../docs/examples/ask.yaml"} {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`rules: [{kind: a, when: 'post.tags.exists(t, t == raw.x)', emit: {b: '[1, null]'}, sample: 0.5}]`))
	f.Add([]byte("rules: &a [*a]"))
	f.Add([]byte("rules: [{kind: a, when: true}]\n---\nrules: []"))
	f.Add([]byte("rules: [{kind: a, when: true, tests: [null]}]"))
	rec := post()
	f.Fuzz(func(t *testing.T, text []byte) {
		set, err := rules.Compile(text, nil)
		if err != nil {
			if strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), "rules: ") {
				t.Errorf("error %q is not one line of ours", err)
			}
			return
		}
		var obs observer
		events, _ := set.Derive(rules.Input{Record: &rec, Raw: []byte(rawPost), Identity: "17"}, nil, &obs)
		sound(t, events)
	})
}

// sound fails the test unless events are flat JSON objects of valid kinds.
func sound(t *testing.T, events []feed.Event) {
	t.Helper()
	for _, e := range events {
		var fields map[string]any
		if err := json.Unmarshal(e.Payload, &fields); err != nil || !utf8.Valid(e.Payload) || !e.Kind.Valid() {
			t.Errorf("event %s %s: %v", e.Kind, e.Payload, err)
		}
		for name, v := range fields {
			if _, nested := v.(map[string]any); nested {
				t.Errorf("event %s: %s is nested in %s", e.Kind, name, e.Payload)
			}
		}
	}
}

// hostile are rules that touch everything of a post.
const hostile = `
rules:
  - kind: all
    when: 'post.body.hasWord(post.username) || post.tags.exists(t, t.lowerAscii() in post.mentions) || true'
    emit:
      id2: post.id + post.source
      body: post.body
      name: post.name.upperAscii().trim()
      tags: post.tags.map(t, t + post.lang)
      links: post.links.filter(l, l.matches("^https?://[a-z.]+/"))
      lat: post.?lat
      lon: post.?lon
      size: size(post.body)
      first: 'post.body.substring(0, size(post.body) > 3 ? 3 : 0)'
      when: post.?time
  - {kind: raw, when: 'has(raw.a) || size(raw) >= 0', emit: {a: 'raw.?a', b: 'raw.?b.c', s: 'size(raw)'}}
  - {kind: deep, when: 'raw.a.b.c == 1 || raw.list.exists(x, x == "a")'}
  - {kind: near, when: 'post.near(0.0, 0.0, 100.0) || post.inBox(-1.0, -1.0, 1.0, 1.0)', emit: {lat: post.lat}}
`

// Rules get through with any post and any raw item.
func FuzzDerive(f *testing.F) {
	f.Add("body", "ann", "tag", 0.0, 0.0, []byte(rawPost))
	f.Add("\xff\xfe", "\x00", "", 1e308, -1e308, []byte(`{"a":{"b":{"c":1}},"list":["a"],"b":[[[`))
	f.Add("", "", "\u2028", 0.0, 180.0, []byte(`{"a":"\"","b":{"c":[1,{"d":2}]}}`))
	set, err := rules.Parse([]byte(hostile))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body, name, tag string, lat, lon float64, raw []byte) {
		rec := feed.Record{
			ID: name, Source: "fuzz", Body: body, Author: feed.Author{Username: name, Name: body}, Lang: tag,
			Tags: []string{tag, body}, Mentions: []string{name}, Links: []string{body, "https://example.com/"},
			Position: &feed.Position{Lat: lat, Lon: lon},
		}
		var obs observer
		once, _ := set.Derive(rules.Input{Record: &rec, Raw: raw, Identity: name}, nil, &obs)
		sound(t, once)
		twice, _ := set.Derive(rules.Input{Record: &rec, Raw: raw, Identity: name}, nil, &obs)
		if len(once) != len(twice) {
			t.Fatalf("%d events, and then %d of the same item", len(once), len(twice))
		}
		for i := range once {
			if string(once[i].Payload) != string(twice[i].Payload) {
				t.Errorf("event %s, and then %s of the same item", once[i].Payload, twice[i].Payload)
			}
		}
	})
}
