package rules_test

import (
	"fmt"
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
