package decode

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/blipstream/blipstream/internal/feed"
)

// twitterEntities is what Twitter found in a text. A slice that is nil was not
// told, one that is empty was told to be so.
type twitterEntities struct {
	Hashtags []struct {
		Text string `json:"text"`
	} `json:"hashtags"`
	Mentions []struct {
		ScreenName string `json:"screen_name"`
	} `json:"user_mentions"`
	URLs []struct {
		// Expanded is where the shortened URL leads.
		Expanded string `json:"expanded_url"`
		URL      string `json:"url"`
	} `json:"urls"`
	Media filled `json:"media"`
}

// filled is true for an array that has elements; which, nobody asks.
type filled bool

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (f *filled) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	raw, err := dec.ReadValue()
	if err != nil {
		return fmt.Errorf("read array: %w", err)
	}
	*f = filled(len(raw) > 2 && raw[0] == '[' && strings.Trim(string(raw[1:len(raw)-1]), " \t\r\n") != "")
	return nil
}

// into sets what up says of the text that e belongs to.
func (e *twitterEntities) into(up *feed.Upstream) {
	if e.Hashtags != nil {
		up.Tags = make([]string, 0, len(e.Hashtags))
		for i := range e.Hashtags {
			up.Tags = append(up.Tags, e.Hashtags[i].Text)
		}
	}
	if e.Mentions != nil {
		up.Mentions = make([]string, 0, len(e.Mentions))
		for i := range e.Mentions {
			up.Mentions = append(up.Mentions, e.Mentions[i].ScreenName)
		}
	}
	if e.URLs == nil {
		return
	}
	up.Links = make([]string, 0, len(e.URLs))
	for i := range e.URLs {
		link := e.URLs[i].Expanded
		if link == "" {
			link = e.URLs[i].URL
		}
		up.Links = append(up.Links, link)
	}
}

// fullest is what was found in the text that best returns.
func (t *twitterText) fullest() *twitterEntities {
	if t.Extended.FullText != "" {
		return &t.Extended.Entities
	}
	return &t.Entities
}

// media reports whether anything is attached to the post of t.
func (t *twitterText) media() bool {
	return bool(t.Entities.Media || t.ExtendedEntities.Media ||
		t.Extended.Entities.Media || t.Extended.ExtendedEntities.Media)
}

// found sets what the text of t holds. A retweet repeats the original's text,
// so it holds what that does, and whom it repeats.
func (t *tweet) found(up *feed.Upstream) {
	up.Media = t.media()
	if t.Retweeted == nil || t.Retweeted.best() == "" {
		t.fullest().into(up)
		return
	}
	up.Media = up.Media || t.Retweeted.media()
	t.Retweeted.fullest().into(up)
	if name := t.Retweeted.User.ScreenName; name != "" && up.Mentions != nil {
		up.Mentions = append([]string{name}, up.Mentions...)
	}
}

// maxHandle is the longest handle that Twitter gives, in bytes.
const maxHandle = 15

// address is where Twitter shows t; empty for what is not on Twitter, as far
// as that can be seen.
func (t *tweet) address() string {
	name, id := t.User.ScreenName, string(t.IDStr)
	if t.Simulated || name == "" || len(name) > maxHandle || !digits(id) {
		return ""
	}
	const handle = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
	if strings.Trim(name, handle) != "" {
		return ""
	}
	return "https://x.com/" + name + "/status/" + id
}
