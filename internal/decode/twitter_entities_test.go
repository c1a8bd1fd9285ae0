package decode_test

import (
	"reflect"
	"testing"

	"github.com/blipstream/blipstream/internal/feed"
)

// What was found in the text that is carried is told, not what was found in a
// shorter form of it.
func TestEntities(t *testing.T) {
	const found = `"entities":{"hashtags":[{"text":"tea","indices":[0,4]},{"text":"東京"}],"symbols":[],` +
		`"urls":[{"url":"https://t.co/1","expanded_url":"https://example.org/a?b"},{"url":"https://t.co/2","expanded_url":null}],` +
		`"user_mentions":[{"screen_name":"poet","id":5}]}`
	const none = `"entities":{"hashtags":[],"urls":[],"user_mentions":[]}`
	const user = `"user":{"screen_name":"fan","location":"Lagos, Nigeria"}`
	whole := feed.Upstream{
		Tags: []string{"tea", "東京"}, Mentions: []string{"poet"}, Links: []string{"https://example.org/a?b", "https://t.co/2"},
	}
	empty := feed.Upstream{Tags: []string{}, Mentions: []string{}, Links: []string{}}
	repeated := whole
	repeated.Mentions = []string{"bard", "poet"}
	pictured := empty
	pictured.Media = true
	for name, c := range map[string]struct {
		tweet string
		want  feed.Upstream
	}{
		"told":       {`{"id_str":"1","text":"x",` + user + `,` + found + `}`, whole},
		"told empty": {`{"id_str":"1","text":"x",` + user + `,` + none + `}`, empty},
		"not told":   {`{"id_str":"1","text":"x",` + user + `}`, feed.Upstream{}},
		"odd":        {`{"id_str":"1","text":"x",` + user + `,"entities":{"hashtags":"tea","urls":[7],"media":{}}}`, feed.Upstream{Links: []string{""}}},
		"extended": {
			`{"id_str":"1","text":"x…",` + user + `,` + none + `,"extended_tweet":{"full_text":"x y",` + found + `}}`, whole,
		},
		"repeated": {
			`{"id_str":"1","text":"RT @bard: x…",` + user + `,` + none + `,"retweeted_status":{"text":"x…","user":{"screen_name":"bard"},` +
				none + `,"extended_tweet":{"full_text":"x y",` + found + `}}}`, repeated,
		},
		"quoted": {`{"id_str":"1","text":"x",` + user + `,` + none + `,"quoted_status":{"text":"y",` + found + `}}`, empty},
		"picture": {
			`{"id_str":"1","text":"x",` + user + `,` + none + `,"extended_entities":{"media":[{"type":"photo"}]}}`, pictured,
		},
		"no picture": {`{"id_str":"1","text":"x",` + user + `,` + none + `,"extended_entities":{"media":[ ]}}`, empty},
	} {
		up := must(t, c.tweet).Upstream
		if up.ProfileLocation != "Lagos, Nigeria" {
			t.Errorf("%s: location %q", name, up.ProfileLocation)
		}
		got := feed.Upstream{Tags: up.Tags, Mentions: up.Mentions, Links: up.Links, Media: up.Media}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

// Only what may be a tweet's address is one, and nothing that was made up.
func TestAddress(t *testing.T) {
	for tweet, want := range map[string]string{
		`{"id_str":"12","text":"x","user":{"screen_name":"Ann_1"}}`:                             "https://x.com/Ann_1/status/12",
		`{"id_str":"12","text":"x","user":{"screen_name":"Ann_1"},"blipstream_simulated":true}`: "",
		`{"id_str":"12","text":"x","user":{"screen_name":"../../ann"}}`:                         "",
		`{"id_str":"12","text":"x","user":{"screen_name":"a_handle_of_sixteen"}}`:               "",
		`{"id_str":"a-7","text":"x","user":{"screen_name":"ann"}}`:                              "",
		`{"id_str":"12","text":"x","user":null}`:                                                "",
	} {
		if got := must(t, tweet).URL; got != want {
			t.Errorf("%s: %q, want %q", tweet, got, want)
		}
	}
}
