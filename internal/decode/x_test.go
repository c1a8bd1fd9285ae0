package decode_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/decode"
	"github.com/blipstream/blipstream/internal/feed"
)

const xPost = `{"data":{"id":"9007199254740993","text":"Tea &amp; toast in a long text that was c…","author_id":"42","created_at":"2026-11-03T08:15:42.123Z",
"lang":"en","edit_history_tweet_ids":["9007199254740993"],"referenced_tweets":[{"type":"replied_to","id":"5"}],
"note_tweet":{"text":"Tea &amp; toast in a long text that was cut off elsewhere #Tea @kai https://t.co/x","entities":{
"hashtags":[{"start":1,"end":2,"tag":"Tea"}],"mentions":[{"username":"kai"}],"urls":[{"url":"https://t.co/x","expanded_url":"https://x.example/long"},{"url":"https://t.co/y"}]}},
"entities":{"hashtags":[{"tag":"cut"}]},"attachments":{"media_keys":["3_1"]},
"geo":{"place_id":"p1","coordinates":{"type":"Point","coordinates":[-0.12,51.5]}}},
"includes":{"users":[{"id":"1","username":"other"},{"id":"42","username":"harbour_cat","name":"Harbour Cat","location":"Suva, Fiji"}],
"places":[{"id":"p0"},{"id":"p1","place_type":"city","country_code":"FJ","geo":{"type":"Feature","bbox":[178.4,-18.2,-179.5,0]}}]},
"matching_rules":[{"id":"1","tag":"blip:a"}]}`

func TestXPost(t *testing.T) {
	want := feed.Record{
		ID: "9007199254740993", Source: "test", Format: feed.FormatXV2, Lang: "en", Type: feed.TypeReply,
		Time: time.Date(2026, 11, 3, 8, 15, 42, 123e6, time.UTC),
		URL:  "https://x.com/harbour_cat/status/9007199254740993",
		Upstream: feed.Upstream{
			Author: feed.Author{ID: "42", Username: "harbour_cat", Name: "Harbour Cat"},
			Texts: []string{
				"Tea &amp; toast in a long text that was cut off elsewhere #Tea @kai https://t.co/x",
				"Tea &amp; toast in a long text that was c…",
			},
			HTMLEntities: true,
			Points:       []feed.Point{{Lat: 51.5, Lon: -0.12, Origin: "coordinates"}},
			Boxes: []feed.Box{{
				Ring:   [][2]float64{{178.4, -18.2}, {178.4, 0}, {-179.5, 0}, {-179.5, -18.2}},
				Origin: "place", Type: "city", Country: "FJ",
			}},
			ProfileLocation: "Suva, Fiji",
			Tags:            []string{"Tea"}, Mentions: []string{"kai"}, Links: []string{"https://x.example/long", "https://t.co/y"},
			Media: true,
		},
	}
	// The schema's names of 2026 mean the same.
	renamed := strings.NewReplacer("note_tweet", "note_post", "edit_history_tweet_ids", "edit_history_post_ids", "referenced_tweets", "referenced_posts").Replace(xPost)
	for _, text := range []string{xPost, renamed} {
		if rec := must(t, text); !reflect.DeepEqual(rec, want) {
			t.Errorf("got  %+v\nwant %+v", rec, want)
		}
	}
}

func TestXRepost(t *testing.T) {
	const repost = `{"data":{"id":"8","text":"RT @poet: a long text that was c…","author_id":"2","referenced_tweets":[{"type":"retweeted","id":"5"}]},
"includes":{"tweets":[{"id":"5","text":"a long text that was c…","author_id":"3","note_tweet":{"text":"a long text that was cut off"}}],"users":[{"id":"3","username":"poet"}]}}`
	for _, text := range []string{
		repost, strings.ReplaceAll(strings.ReplaceAll(repost, "tweets\"", "posts\""), "retweeted", "reposted"),
		strings.ReplaceAll(repost, `"username":"poet"`, `"username":null`),
	} {
		rec := must(t, text)
		if rec.Type != feed.TypeRepost || rec.Upstream.Texts[0] != "RT @poet: a long text that was cut off" {
			t.Errorf("%s: %+v", text, rec)
		}
	}
}

func TestXOthers(t *testing.T) {
	const problem = `"errors":[{"title":"operational-disconnect","disconnect_type":"UpstreamOperationalDisconnect","type":"https://api.x.com/2/problems/operational-disconnect"}]`
	if rec := must(t, `{`+problem+`}`); rec.Change != feed.ChangeNotice || rec.Notice != "error" {
		t.Errorf("disconnect: %+v", rec)
	}
	if rec := must(t, `{"data":{"id":"1","text":"x"},`+problem+`}`); rec.Change != feed.ChangePost || rec.ID != "1" {
		t.Errorf("post with a field's problem: %+v", rec)
	}
	if rec := must(t, `{"id":"7","text":"bare","author_id":"2"}`); rec.ID != "7" || rec.Upstream.Author.ID != "2" || rec.URL != "https://x.com/i/status/7" {
		t.Errorf("bare post: %+v", rec)
	}
	if rec := must(t, `{"data":[{"id":"7","text":"of a page"}],"includes":{}}`); rec.ID != "7" {
		t.Errorf("page of one: %+v", rec)
	}
	for _, withheld := range []string{`{"copyright":true}`, `{"country_codes":["XY"]}`} {
		if rec := must(t, `{"data":{"id":"7","text":"x","author_id":"2","withheld":`+withheld+`}}`); rec.Change != feed.ChangeRemovePost || rec.ID != "7" || rec.Author.ID != "2" {
			t.Errorf("withheld: %+v", rec)
		}
	}
	for _, text := range []string{`{"data":{}}`, `{"data":[{"id":"1"},{"id":"2"}]}`, `{"data":[],"meta":{}}`, `{"includes":{}}`} {
		if _, err := read(text); reasonOf(err) != decode.ReasonShape {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// What real posts tell comes out as another reader finds it in them.
func TestCorpusX(t *testing.T) {
	posts := 0
	for _, name := range []string{"two_tweets", "cotweet", "edited", "mentions_tweet"} {
		for i, line := range corpus(t, "x-v2/"+name+".jsonl") {
			rec := must(t, string(line))
			var raw struct {
				Data []struct {
					ID, Text, Lang string
					AuthorID       string    `json:"author_id"`
					CreatedAt      time.Time `json:"created_at"`
					Entities       struct {
						Hashtags []struct{ Tag string }
						Mentions []struct{ Username string }
						URLs     []struct {
							Expanded string `json:"expanded_url"`
						}
					}
				}
				Includes struct {
					Users []struct{ ID, Username, Name string }
				}
			}
			if err := json.Unmarshal(line, &raw); err != nil {
				t.Fatal(err)
			}
			post, author, up := raw.Data[0], raw.Includes.Users[0], rec.Upstream
			var tags, mentions, links []string
			for _, h := range post.Entities.Hashtags {
				tags = append(tags, h.Tag)
			}
			for _, m := range post.Entities.Mentions {
				mentions = append(mentions, m.Username)
			}
			for _, u := range post.Entities.URLs {
				links = append(links, u.Expanded)
			}
			posts++
			if rec.ID != post.ID || up.Author != (feed.Author{ID: post.AuthorID, Username: author.Username, Name: author.Name}) || !rec.Time.Equal(post.CreatedAt) ||
				up.Texts[len(up.Texts)-1] != post.Text || !reflect.DeepEqual(up.Tags, tags) || !reflect.DeepEqual(up.Mentions, mentions) || !reflect.DeepEqual(up.Links, links) {
				t.Errorf("%s, line %d: %+v", name, i, rec)
			}
		}
	}
	if posts != 4 {
		t.Errorf("%d posts, want 4", posts)
	}
}

func FuzzXV2(f *testing.F) {
	for _, s := range []string{xPost, `{"errors":[{"title":"x"}]}`, `{"data":[{"id":"7","text":"x"}]}`, `{"id":"7","text":"bare","author_id":"2"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		rec, err := decode.Decode(feed.Item{Source: "fuzz", Format: feed.FormatXV2, Data: data})
		if err != nil {
			return
		}
		checkSound(t, data)
		checkRecord(t, &rec)
	})
}
