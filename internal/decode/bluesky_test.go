package decode_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/decode"
	"github.com/blipstream/blipstream/internal/feed"
)

const (
	// The text holds characters of two and four bytes before each facet.
	skyPost = `{"did":"did:plc:harbourcat2222","time_us":1793693742123456,"kind":"commit","commit":{"rev":"3m1","operation":"create",
"collection":"app.bsky.feed.post","rkey":"3mabc","cid":"c","record":{"$type":"app.bsky.feed.post","createdAt":"1970-01-01T00:00:00Z",
"text":"Grüße 🐈‍⬛ @kai.example see x.example/…  #Tee🍵","langs":["de-AT","en"],"tags":["hidden"],
"facets":[{"index":{"byteStart":19,"byteEnd":31},"features":[{"$type":"app.bsky.richtext.facet#mention","did":"did:plc:kai"}]},
{"index":{"byteStart":36,"byteEnd":49},"features":[{"$type":"app.bsky.richtext.facet#link","uri":"https://x.example/long"}]},
{"index":{"byteStart":51,"byteEnd":59},"features":[{"$type":"app.bsky.richtext.facet#tag","tag":"Tee🍵"}]}],
"embed":{"$type":"app.bsky.embed.recordWithMedia","media":{"$type":"app.bsky.embed.images"}},
"reply":{"parent":{"uri":"at://x"}}}}}`

	skyFrame = `{"$type":"message","payload":{"$type":"network.bsky.jetstream.subscribeEvents#commit","seq":7,"did":"did:plc:harbourcat2222",
"time":"2026-11-03T08:15:42.123456Z","rev":"3m1","operation":"create","collection":"app.bsky.feed.post","rkey":"3mabc",
"record":{"text":"hello","langs":["en"]},"cid":"c","blipstream_simulated":true}}`
)

func TestBlueskyPost(t *testing.T) {
	rec := must(t, skyPost)
	want := feed.Record{
		ID: "did:plc:harbourcat2222/app.bsky.feed.post/3mabc", Source: "test", Format: feed.FormatBluesky,
		Time: time.UnixMicro(1793693742123456).UTC(), Lang: "de-AT", Type: feed.TypeReply,
		URL: "https://bsky.app/profile/did:plc:harbourcat2222/post/3mabc",
		Upstream: feed.Upstream{
			Author:   feed.Author{ID: "did:plc:harbourcat2222", Username: "harbourc…"},
			Texts:    []string{"Grüße 🐈‍⬛ @kai.example see x.example/…  #Tee🍵"},
			Tags:     []string{"hidden", "Tee🍵"},
			Mentions: []string{"kai.example"},
			Links:    []string{"https://x.example/long"},
			Media:    true,
		},
	}
	if !reflect.DeepEqual(rec, want) {
		t.Errorf("got  %+v\nwant %+v", rec, want)
	}
}

// A facet whose ends are no ends of characters costs what it would have told.
func TestBlueskyFacetsOutside(t *testing.T) {
	for ends, want := range map[string]string{
		`"byteStart":0,"byteEnd":4`: "é@a", `"byteStart":2,"byteEnd":4`: "a", `"byteStart":1,"byteEnd":4`: "", `"byteStart":0,"byteEnd":1`: "",
		`"byteStart":2,"byteEnd":99`: "", `"byteStart":-1,"byteEnd":2`: "", `"byteStart":3,"byteEnd":3`: "", `"byteStart":4,"byteEnd":2`: "",
		`"byteStart":"2","byteEnd":4`: "é@a", `"byteStart":9223372036854775807,"byteEnd":-9223372036854775808`: "",
	} {
		rec := must(t, `{"did":"did:plc:a","time_us":1,"kind":"commit","commit":{"operation":"create","collection":"app.bsky.feed.post","rkey":"1",
"record":{"text":"é@a","facets":[{"index":{`+ends+`},"features":[{"$type":"app.bsky.richtext.facet#mention"}]}]}}}`)
		if got := strings.Join(rec.Upstream.Mentions, ","); got != want {
			t.Errorf("%s: %q, want %q", ends, got, want)
		}
	}
}

func TestBlueskySecondWire(t *testing.T) {
	rec := must(t, skyFrame)
	if rec.ID != "did:plc:harbourcat2222/app.bsky.feed.post/3mabc" || !rec.Simulated || rec.Type != feed.TypePost ||
		!rec.Time.Equal(time.UnixMicro(1793693742123456)) || rec.Upstream.Texts[0] != "hello" || rec.Upstream.Author.ID != "did:plc:harbourcat2222" {
		t.Errorf("record %+v", rec)
	}
}

// event frames a part of an event on both wires, on the second of which the
// names of a commit lie beside the time.
func event(kind, part string) [2]string {
	second := part
	if kind != "commit" {
		second = fmt.Sprintf(`%q:{%s}`, kind, part)
	}
	return [2]string{
		fmt.Sprintf(`{"did":"did:plc:a","time_us":1793693742123456,"kind":%q,%q:{%s}}`, kind, kind, part),
		fmt.Sprintf(`{"$type":"message","payload":{"$type":"network.bsky.jetstream.subscribeEvents#%s","did":"did:plc:a","time":"2026-11-03T08:15:42.123456Z",%s}}`, kind, second),
	}
}

func TestBlueskyOthers(t *testing.T) {
	const post, profile = `"collection":"app.bsky.feed.post","rkey":"1"`, `"collection":"app.bsky.actor.profile","rkey":"self"`
	me := feed.Author{ID: "did:plc:a"}
	for name, c := range map[string]struct {
		kind, part string
		want       feed.Record
		author     feed.Author
	}{
		"deleted": {"commit", `"operation":"delete",` + post, feed.Record{Change: feed.ChangeRemovePost, ID: "did:plc:a/app.bsky.feed.post/1", Author: me}, me},
		"profile": {
			"commit", `"operation":"update",` + profile + `,"record":{"displayName":"Kai"}`,
			feed.Record{Change: feed.ChangeNotice, Notice: decode.NoticeProfile},
			feed.Author{ID: "did:plc:a", Name: "Kai"},
		},
		"profile deleted": {"commit", `"operation":"delete",` + profile, feed.Record{Change: feed.ChangeNotice, Notice: "commit"}, me},
		"like":            {"commit", `"operation":"create","collection":"app.bsky.feed.like","rkey":"1","record":{"subject":5}`, feed.Record{Change: feed.ChangeNotice, Notice: "commit"}, me},
		"identity":        {"identity", `"handle":"kai.example","seq":5`, feed.Record{Change: feed.ChangeNotice, Notice: decode.NoticeIdentity}, feed.Author{ID: "did:plc:a", Username: "kai.example"}},
		"no identity":     {"identity", `"handle":"handle.invalid"`, feed.Record{Change: feed.ChangeNotice, Notice: decode.NoticeIdentity}, me},
		"account":         {"account", `"active":true,"seq":5`, feed.Record{Change: feed.ChangeNotice, Notice: decode.NoticeAccount}, me},
	} {
		for _, text := range event(c.kind, c.part) {
			rec := must(t, text)
			c.want.Source, c.want.Format, c.want.Time = "test", feed.FormatBluesky, time.UnixMicro(1793693742123456).UTC()
			c.want.Upstream.Author = c.author
			if !reflect.DeepEqual(rec, c.want) {
				t.Errorf("%s:\ngot  %+v\nwant %+v", name, rec, c.want)
			}
		}
	}
}

func TestBlueskyStream(t *testing.T) {
	for text, want := range map[string]string{
		`{"$type":"message","payload":{"$type":"network.bsky.jetstream.subscribeEvents#info","name":"OutdatedCursor"}}`: "info",
		`{"$type":"message","payload":{"$type":"network.bsky.jetstream.subscribeEvents#sync","did":"did:plc:a"}}`:       "sync",
	} {
		if rec := must(t, text); rec.Change != feed.ChangeNotice || rec.Notice != want {
			t.Errorf("%s: %+v", text, rec)
		}
	}
	rec, err := decode.Decode(feed.Item{Format: feed.FormatBluesky, Data: []byte(`{"$type":"error","error":"ConsumerTooSlow"}`)})
	if err != nil || rec.Notice != "error" {
		t.Errorf("error frame: %+v, %v", rec, err)
	}
	for _, text := range []string{
		`{"did":"did:plc:a","kind":"commit"}`, `{"did":"did:plc:a","kind":"gossip","time_us":1}`,
		`{"did":"did:plc:a","kind":"commit","commit":{"operation":"create"}}`, `{"$type":"news"}`,
		`{"did":"did:plc:a","kind":"commit","commit":{"operation":"delete","collection":"app.bsky.feed.post","rkey":"a b"}}`,
	} {
		if _, err := decode.Decode(feed.Item{Format: feed.FormatBluesky, Data: []byte(text)}); reasonOf(err) != decode.ReasonShape {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// What real events tell comes out as another reader finds it in them.
func TestCorpusBluesky(t *testing.T) {
	posts := 0
	for _, name := range []string{"v1_corpus_head", "v1_subscribe_golden"} {
		for i, line := range corpus(t, "bluesky/"+name+".jsonl") {
			rec := must(t, string(line))
			var raw struct {
				DID    string `json:"did"`
				TimeUS int64  `json:"time_us"`
				Commit struct {
					Operation, Collection, RKey string
					Record                      struct {
						Text   string
						Langs  []string
						Facets []struct {
							Features []struct{ Tag, URI string }
						}
					}
				}
			}
			if err := json.Unmarshal(line, &raw); err != nil {
				t.Fatal(err)
			}
			if rec.Upstream.Author.ID != raw.DID || rec.Time.UnixMicro() != raw.TimeUS {
				t.Errorf("%s, line %d: author %+v, time %v", name, i, rec.Upstream.Author, rec.Time)
			}
			c := raw.Commit
			if c.Collection != "app.bsky.feed.post" || c.Operation != "create" {
				if rec.Change != feed.ChangeNotice {
					t.Errorf("%s, line %d: %+v", name, i, rec)
				}
				continue
			}
			posts++
			var tags, links []string
			for _, f := range c.Record.Facets {
				for _, feature := range f.Features {
					if feature.Tag != "" {
						tags = append(tags, feature.Tag)
					}
					if feature.URI != "" {
						links = append(links, feature.URI)
					}
				}
			}
			if !reflect.DeepEqual(rec.Upstream.Texts, []string{c.Record.Text}) || rec.Lang != c.Record.Langs[0] ||
				!reflect.DeepEqual(rec.Upstream.Tags, tags) || !reflect.DeepEqual(rec.Upstream.Links, links) ||
				rec.ID != raw.DID+"/app.bsky.feed.post/"+c.RKey || rec.Upstream.Author.Username == "" {
				t.Errorf("%s, line %d: %+v", name, i, rec)
			}
		}
	}
	if posts != 9 {
		t.Errorf("%d posts, want 9", posts)
	}
}

func FuzzBluesky(f *testing.F) {
	for _, s := range []string{skyPost, skyFrame, `{"$type":"error"}`} {
		f.Add([]byte(s))
	}
	for _, s := range append(append([]string{}, firstOf(event("identity", `"handle":"a"`))...), firstOf(event("account", `"active":false,"status":"deleted"`))...) {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		rec, err := decode.Decode(feed.Item{Source: "fuzz", Format: feed.FormatBluesky, Data: data})
		if err != nil {
			return
		}
		checkSound(t, data)
		checkRecord(t, &rec)
	})
}

func firstOf(wires [2]string) []string { return wires[:] }
