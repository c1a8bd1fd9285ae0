package rules_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/enrich/rules"
)

// observer keeps what rules failed with.
type observer struct{ failed []string }

// RuleFailed implements rules.Observer.
func (o *observer) RuleFailed(k feed.Kind, err error) {
	o.failed = append(o.failed, fmt.Sprintf("%s: %v", k, err))
}

// post is a post with everything in it.
func post() feed.Record {
	magnitude, sentiment := 5.5, -0.25
	return feed.Record{
		ID: "17", Source: "demo", Format: feed.FormatTwitterV1, Received: time.Unix(1700000001, 0), Time: time.Unix(1700000000, 0),
		Lang: "en", Type: feed.TypePost, URL: "https://example.com/17", Simulated: true,
		Author: feed.Author{ID: "9", Username: "ann", Name: "Ann"}, Body: "Coffee & friends in Berlin",
		Position: &feed.Position{Lat: 52.52, Lon: 13.4, Precision: feed.PrecisionPlace, RadiusKm: 12, Origin: "place"},
		Country:  "DE", City: "Berlin", Tags: []string{"coffee", "Berlin"}, Mentions: []string{"bob"}, Links: []string{"https://example.com"},
		Media: true, Sentiment: &sentiment, Magnitude: &magnitude, Upstream: feed.Upstream{ProfileLocation: "Berlin, DE"},
	}
}

const rawPost = `{"id_str":"17","user":{"followers_count":1200,"verified":true,"name":"A\"nn"},"n":null,"list":[1,{"a":"b"}],"text":"x"}`

// derive runs a text over a record.
func derive(t *testing.T, text string, rec feed.Record) ([]feed.Event, *rules.Pending, *observer) {
	t.Helper()
	set, err := rules.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var obs observer
	events, pending := set.Derive(rules.Input{Record: &rec, Raw: []byte(rawPost), Identity: rec.ID}, nil, &obs)
	return events, pending, &obs
}

// when is a text of one rule with a condition.
func when(cond string) string {
	return "rules: [{kind: k, when: '" + strings.ReplaceAll(cond, "'", "''") + "'}]"
}

func TestConditions(t *testing.T) {
	for cond, want := range map[string]bool{
		`post.lang == "en" && post.body.contains("Coffee")`: true,
		`post.body.hasWord("coffee")`:                       true,
		`post.body.hasWord("coff")`:                         false,
		`post.body.hasWord(["tea", "FRIENDS"])`:             true,
		`post.body.hasWord("friends in")`:                   true,
		`post.near(52.5, 13.4, 10.0)`:                       true,
		`post.near(48.1, 11.6, 10.0)`:                       false,
		`post.inBox(13.0, 52.0, 14.0, 53.0)`:                true,
		`post.inBox(170.0, 52.0, -170.0, 53.0)`:             false,
		`post.lat > 52 && post.lat < 53`:                    true,
		`has(post.lat) && has(post.city)`:                   true,
		`"coffee" in post.tags`:                             true,
		`post.tags.exists(t, t.lowerAscii() == "berlin")`:   true,
		`size(post.mentions) == 1 && post.media`:            true,
		`post.time < post.received`:                         true,
		`post.time.getHours() == 22`:                        true,
		`post.username.startsWith("a") || post.lat > 90`:    true,
		`post.body.matches("(?i)COFFEE")`:                   true,
		`post.magnitude >= 5.0`:                             true,
		`post.sentiment < 0`:                                true,
		`raw.user.followers_count > 1000`:                   true,
		`raw.user.verified`:                                 true,
		`has(raw.user.name) && !has(raw.user.other)`:        true,
		`raw.list[1].a == "b" && raw.n == null`:             true,
		`size(raw) == 5`:                                    true,
		`raw.user.name == "A\"nn"`:                          true,
		`post.profileLocation.endsWith("DE")`:               true,
	} {
		events, _, obs := derive(t, when(cond), post())
		if len(events) == 1 != want || len(obs.failed) > 0 {
			t.Errorf("%s: %d events, failed %v, want %v", cond, len(events), obs.failed, want)
		}
	}
}

func BenchmarkDerive(b *testing.B) {
	rec := post()
	for name, text := range map[string]string{
		"compare":  when(`post.lang == "ja" && post.type == "post"`),
		"contains": when(`post.body.contains("earthquake")`),
		"word":     when(`post.body.hasWord("earthquake")`),
		"regex":    when(`post.body.matches("(?i)earth ?quake")`),
		"tags":     when(`post.tags.exists(t, t.lowerAscii() == "quake")`),
		"absent":   when(`post.magnitude > 6.0`),
		"raw":      when(`raw.user.followers_count > 100000.0`),
		"emit":     "rules: [{kind: k, when: 'true', emit: {username: post.username, body: post.body, lat: 'post.?lat', lon: 'post.?lon'}}]",
	} {
		b.Run(name, func(b *testing.B) {
			set, err := rules.Parse([]byte(text))
			if err != nil {
				b.Fatal(err)
			}
			var obs observer
			var events []feed.Event
			b.ReportAllocs()
			for b.Loop() {
				events, _ = set.Derive(rules.Input{Record: &rec, Raw: []byte(rawPost), Identity: "17"}, events[:0], &obs)
			}
		})
	}
}

// What a post does not tell makes no event, and is no failure.
func TestAbsentIsNoFailure(t *testing.T) {
	rec := post()
	rec.Position, rec.Magnitude, rec.Time = nil, nil, time.Time{}
	for _, rule := range []string{
		`{kind: k, when: post.lat > 0.0}`,
		`{kind: k, when: 'post.near(0.0, 0.0, 1.0)'}`,
		`{kind: k, when: post.magnitude < 3.0 || post.lon < 0}`,
		`{kind: k, when: raw.user.nothing == 1}`,
		`{kind: k, when: raw.nothing.more == 1}`,
		`{kind: k, when: 'true', emit: {lat: post.lat}}`,
		`{kind: k, when: 'true', emit: {x: raw.nothing}}`,
		`{kind: k, when: 'has(post.time)'}`,
	} {
		events, _, obs := derive(t, "rules: ["+rule+"]", rec)
		if len(events) > 0 || len(obs.failed) > 0 {
			t.Errorf("%s: events %v, failed %v", rule, events, obs.failed)
		}
	}
	events, _, _ := derive(t, `rules: [{kind: k, when: 'true', emit: {lat: 'post.?lat', x: 'raw.?nothing', n: 'null', t: 'post.?time'}}]`, rec)
	if len(events) != 1 || string(events[0].Payload) != `{"id":"17","source":"demo","userId":"9","simulated":true}` {
		t.Errorf("events %s", events[0].Payload)
	}
}

func TestPayload(t *testing.T) {
	events, _, obs := derive(t, `
rules:
  - kind: k
    when: 'true'
    emit:
      text: '"a\"<\n"'
      int: size(post.body)
      double: post.lat
      tiny: 1.0e-9
      flag: post.media
      when: post.received
      wait: duration("90s")
      list: '["a", post.lang]'
      mixed: '[1, null, 2.5, true]'
      nan: '0.0 / 0.0'
      raw: raw.user.followers_count
`, post())
	const want = `{"id":"17","source":"demo","time":"2023-11-14T22:13:20Z","userId":"9","simulated":true,` +
		`"text":"a\"<\n","int":26,"double":52.52,"tiny":1e-09,"flag":true,"when":"2023-11-14T22:13:21Z","wait":"90s",` +
		`"list":["a","en"],"mixed":[1,2.5,true],"raw":1200}`
	if len(events) != 1 || len(obs.failed) > 0 || string(events[0].Payload) != want {
		t.Errorf("failed %v, events %s\nwant %s", obs.failed, events, want)
	}
	for expr, want := range map[string]string{
		"9007199254740993": "too many digits", "raw.user": "cannot be in an event", "[[1]]": "is a list",
		`post.body.split("")[99]`: "index out of bounds",
	} {
		set, err := rules.Parse([]byte("rules: [{kind: k, when: 'true', emit: {x: '" + expr + "'}}]"))
		if err == nil {
			rec, o := post(), observer{}
			set.Derive(rules.Input{Record: &rec, Raw: []byte(rawPost)}, nil, &o)
			err = fmt.Errorf("%v", o.failed)
		}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", expr, err, want)
		}
	}
}

func TestSampleIsTheSameEverywhere(t *testing.T) {
	const n = 10_000
	set, err := rules.Parse([]byte(`rules: [{kind: tenth, when: 'true', sample: 0.1}, {kind: half, when: 'true', sample: 0.5}, {kind: all, when: 'true', sample: 1}]`))
	if err != nil {
		t.Fatal(err)
	}
	counts := map[feed.Kind]int{}
	for i := range n {
		rec := feed.Record{Source: "demo"}
		events, _ := set.Derive(rules.Input{Record: &rec, Identity: strconv.Itoa(i)}, nil, &observer{})
		for _, e := range events {
			counts[e.Kind]++
		}
		if len(events) == 2 && events[0].Kind == "tenth" {
			t.Fatalf("%d is in a tenth and not in a half", i)
		}
	}
	// Five times the deviation of a fair draw.
	if c := counts["tenth"]; c < 850 || c > 1150 {
		t.Errorf("a tenth of %d is %d", n, c)
	}
	if c := counts["half"]; c < 4750 || c > 5250 || counts["all"] != n {
		t.Errorf("counts %v", counts)
	}
	rec := feed.Record{Source: "demo"}
	if events, _ := set.Derive(rules.Input{Record: &rec, Identity: "33"}, nil, &observer{}); len(events) != 3 {
		t.Error("item 33 is no longer in a tenth: the draw has changed, and replays differ from what was")
	}
}

// What costs too much is refused, or stopped.
func TestCost(t *testing.T) {
	const loops = `post.links.exists(a, post.tags.exists(b, a.contains(b)))`
	if _, err := rules.Parse([]byte(when(loops + "||" + loops + "||" + loops + "||" + loops))); err == nil || !strings.Contains(err.Error(), "may cost") {
		t.Errorf("error %v, want one about the cost", err)
	}
	if _, err := rules.Parse([]byte(when(`post.tags.exists(a, post.tags.exists(b, post.tags.exists(c, a == b)))`))); err == nil {
		t.Error("three loops in each other are taken")
	}
	for _, growing := range []string{`post.body.replace("a", post.body) == ""`, `post.tags.join(post.body) == ""`, `"%s".format([post.body]) == ""`} {
		if _, err := rules.Parse([]byte(when(growing))); err == nil || !strings.Contains(err.Error(), "any amount of memory") {
			t.Errorf("%s: error %v, want one about memory", growing, err)
		}
	}
	set, err := rules.Parse([]byte(when(`raw.list.all(x, x.size() < 10 && x != "" && x != "b")`)))
	if err != nil {
		t.Fatal(err)
	}
	long := `{"list":["a"` + strings.Repeat(`,"a"`, 200_000) + `]}`
	rec, obs := post(), observer{}
	set.Derive(rules.Input{Record: &rec, Raw: []byte(long)}, nil, &obs)
	if len(obs.failed) != 1 || !strings.Contains(obs.failed[0], "cost limit exceeded") {
		t.Errorf("failed %v, want that the limit was exceeded", obs.failed)
	}
}

// Removals are not for rules.
func TestOnlyPosts(t *testing.T) {
	rec := post()
	rec.Change = feed.ChangeRemovePost
	if events, _, _ := derive(t, when("true"), rec); len(events) > 0 {
		t.Errorf("events %v of a removal", events)
	}
}

func TestAskOnceForAll(t *testing.T) {
	_, pending, obs := derive(t, `
ask:
  mood: {subject: a.b, send: {text: post.body}}
  lost: {subject: a.c, send: {x: post.magnitude}, on_error: dead, timeout: 1s}
rules:
  - {kind: a, when: 'true', ask: mood, keep: answer.ok, emit: {s: answer.score}}
  - {kind: b, when: 'true', ask: mood}
  - {kind: c, when: 'true', ask: lost}
`, post())
	if pending == nil || len(pending.Questions) != 2 || len(obs.failed) > 0 {
		t.Fatalf("pending %+v, failed %v", pending, obs.failed)
	}
	if q := pending.Questions[0]; string(q.Data) != `{"id":"17","source":"demo","time":"2023-11-14T22:13:20Z","userId":"9","simulated":true,"text":"Coffee & friends in Berlin"}` {
		t.Errorf("question %s", q.Data)
	}
	events, err := pending.Answered(0, []byte(`{"ok":true,"score":7}`), nil, obs)
	if err != nil || len(events) != 2 || !strings.HasSuffix(string(events[0].Payload), `"s":7}`) {
		t.Errorf("events %s, %v", events, err)
	}
	for _, bad := range []string{"", "7", "[1]", `{"a":`, `{"a":1}x`} {
		if events, err := pending.Answered(1, []byte(bad), nil, obs); err == nil || len(events) > 0 {
			t.Errorf("answer %q: events %s, %v", bad, events, err)
		}
	}
}

// What a pattern may cost is known by what it does, not by how long it is.
func TestPatternsCost(t *testing.T) {
	const dense = `(a.{30,60}b?){1,8}7$`
	if _, err := rules.Parse([]byte(when(`post.body.matches("` + dense + `")`))); err == nil || !strings.Contains(err.Error(), "may cost") {
		t.Errorf("error %v, want one about the cost", err)
	}
	for _, sound := range []string{
		`post.body.matches("(?i)\\b(breaking|alert|urgent|just in)\\b")`, `post.tags.exists(t, t.matches("^(?i)crypto[0-9]*$"))`,
		`post.links.exists(l, l.matches("^https?://(www\\.)?(youtube\\.com|youtu\\.be)/"))`, `matches(post.body, "^[A-Z ]+$")`,
	} {
		if _, err := rules.Parse([]byte(when(sound))); err != nil {
			t.Errorf("%s: %v", sound, err)
		}
	}
	// Of raw texts nobody knows how long they are.
	set, err := rules.Parse([]byte(when(`raw.text.matches("(a.{9,12}b?){1,4}7$") || raw.text.matches("z")`)))
	if err != nil {
		t.Fatal(err)
	}
	rec := post()
	for size, failures := range map[int]int{100: 0, 1 << 20: 1} {
		var obs observer
		raw := []byte(`{"text":"` + strings.Repeat("a ", size/2) + `"}`)
		if events, _ := set.Derive(rules.Input{Record: &rec, Raw: raw, Identity: "1"}, nil, &obs); len(events) > 0 || len(obs.failed) != failures {
			t.Errorf("%d bytes: %d events, failed %v", size, len(events), obs.failed)
		}
	}
}

// Rules that are cheap one by one must be so together.
func TestSetsCost(t *testing.T) {
	expensive := `post.body.hasWord(["a"` + strings.Repeat(`, "b"`, 700) + `])`
	if _, err := rules.Parse(alike(50, expensive)); err == nil || !strings.Contains(err.Error(), "all together") {
		t.Errorf("error %v, want one about the cost of all", err)
	}
	set, err := rules.Parse(alike(40, `raw.text.matches("z")`))
	if err != nil {
		t.Fatal(err)
	}
	rec := post()
	raw := []byte(`{"text":"` + strings.Repeat("a", 1<<20) + `"}`)
	var obs observer
	set.Derive(rules.Input{Record: &rec, Raw: raw, Identity: "1"}, nil, &obs)
	if n := len(obs.failed); n < 10 || n > 20 || !strings.Contains(obs.failed[n-1], "all rules together") {
		t.Errorf("%d rules failed, the last by %v", n, obs.failed[max(n-1, 0):])
	}
}

// alike is a text of n rules with the same condition.
func alike(n int, when string) []byte {
	text := []byte("rules:\n")
	for i := range n {
		text = fmt.Appendf(text, "- {kind: k%d, when: '%s'}\n", i, when)
	}
	return text
}

// A word that comes of a post is looked for if it is not too long; that it is
// fails the rule.
func TestLongWord(t *testing.T) {
	rec := post()
	rec.Body = strings.Repeat("a ", 100)
	rec.Author.Name = rec.Body + "a"
	for _, cond := range []string{"post.body.hasWord(post.name)", "post.body.hasWord([post.name])"} {
		events, _, obs := derive(t, when(cond), rec)
		if len(events) > 0 || len(obs.failed) != 1 || !strings.Contains(obs.failed[0], "longer than 200 bytes") {
			t.Errorf("%s: %d events, failed %v", cond, len(events), obs.failed)
		}
	}
}
