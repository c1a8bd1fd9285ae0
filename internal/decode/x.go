package decode

import (
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/blipstream/blipstream/internal/feed"
)

// xFrame is one message of a stream of X's API v2. Where two fields say the
// same, the second has the name that the API's schema gives it since 2026,
// while its documentation goes on with the first.
type xFrame struct {
	Data      jsontext.Value `json:"data"`
	Includes  xIncludes      `json:"includes"`
	Errors    []xProblem     `json:"errors"`
	Simulated bool           `json:"blipstream_simulated"`
	// A post that somebody has taken out of its frame.
	xPost
}

// xIncludes are the objects that posts refer to by their ids.
type xIncludes struct {
	Users  []xUser  `json:"users"`
	Places []xPlace `json:"places"`
	Tweets []xPost  `json:"tweets"`
	Posts  []xPost  `json:"posts"`
}

// xProblem says what went wrong: with one field, or with the stream.
type xProblem struct {
	Title string `json:"title"`
	Type  string `json:"type"`
}

// xPost is what is needed of a post.
type xPost struct {
	ID         numeral      `json:"id"`
	Text       string       `json:"text"`
	AuthorID   numeral      `json:"author_id"`
	CreatedAt  string       `json:"created_at"`
	Lang       string       `json:"lang"`
	NoteTweet  xNote        `json:"note_tweet"`
	NotePost   xNote        `json:"note_post"`
	Entities   xEntities    `json:"entities"`
	Referenced []xReference `json:"referenced_tweets"`
	Reposted   []xReference `json:"referenced_posts"`
	Geo        struct {
		PlaceID     string   `json:"place_id"`
		Coordinates geometry `json:"coordinates"`
	} `json:"geo"`
	Attachments struct {
		MediaKeys []string `json:"media_keys"`
	} `json:"attachments"`
	Withheld struct {
		Copyright bool     `json:"copyright"`
		Countries []string `json:"country_codes"`
	} `json:"withheld"`
}

// xNote is a post's text in full, where text is cut at 280 characters.
type xNote struct {
	Text     string    `json:"text"`
	Entities xEntities `json:"entities"`
}

// xEntities are the marked parts of a text.
type xEntities struct {
	Hashtags []struct {
		Tag string `json:"tag"`
	} `json:"hashtags"`
	Mentions []struct {
		Username string `json:"username"`
	} `json:"mentions"`
	URLs []struct {
		URL      string `json:"url"`
		Expanded string `json:"expanded_url"`
	} `json:"urls"`
}

// xReference is how a post is related to another.
type xReference struct {
	Type string  `json:"type"`
	ID   numeral `json:"id"`
}

// xUser is somebody who posts.
type xUser struct {
	ID       numeral `json:"id"`
	Username string  `json:"username"`
	Name     string  `json:"name"`
	Location string  `json:"location"`
}

// xPlace is a named place, known by the box around it.
type xPlace struct {
	ID          string `json:"id"`
	Type        string `json:"place_type"`
	CountryCode string `json:"country_code"`
	Geo         struct {
		BBox bbox `json:"bbox"`
	} `json:"geo"`
}

// xV2 reads a message of a stream of X's API v2, or a bare post.
func xV2(data []byte, rec *feed.Record) error {
	var f xFrame
	if err := parse(data, &f); err != nil {
		return err
	}
	rec.Simulated = f.Simulated
	post, err := f.post()
	if err != nil {
		return err
	}
	if post.ID == "" && post.Text == "" {
		if len(f.Errors) == 0 {
			return malformed(ReasonShape, "neither a post nor a message of the stream about itself")
		}
		rec.Change, rec.Notice = feed.ChangeNotice, "error"
		return nil
	}
	return f.read(post, rec)
}

// post finds the post in a frame: the object data, the only element of a page
// of one, or the frame itself.
func (f *xFrame) post() (*xPost, error) {
	switch f.Data.Kind() {
	case '{':
		var p xPost
		return &p, parse(f.Data, &p)
	case '[':
		page := struct {
			Data []xPost `json:"data"`
		}{}
		if err := parse([]byte(`{"data":`+string(f.Data)+`}`), &page); err != nil {
			return nil, err
		}
		if len(page.Data) != 1 {
			return nil, malformed(ReasonShape, "a page of %d posts; an item is one of them with its includes", len(page.Data))
		}
		return &page.Data[0], nil
	default:
		return &f.xPost, nil
	}
}

// read fills rec from a post and what it refers to.
func (f *xFrame) read(p *xPost, rec *feed.Record) error {
	rec.ID = usableID(string(p.ID))
	if t, err := time.Parse(time.RFC3339, p.CreatedAt); err == nil && t.Year() > 0 && t.Year() <= 9999 {
		rec.Time = t.UTC()
	}
	author := f.author(p)
	rec.Upstream.Author = feed.Author{ID: usableID(string(p.AuthorID)), Username: author.Username, Name: author.Name}
	if p.withheld() && rec.ID != "" {
		rec.Change, rec.Author = feed.ChangeRemovePost, rec.Upstream.Author
		return nil
	}
	rec.Change, rec.Type, rec.Lang = feed.ChangePost, p.kind(), language(p.Lang)
	rec.URL = xURL(author.Username, rec.ID)
	up := &rec.Upstream
	up.Texts, up.HTMLEntities = f.texts(p), true
	up.ProfileLocation = author.Location
	up.Media = len(p.Attachments.MediaKeys) > 0
	p.marks(up)
	f.locate(p, up)
	return nil
}

// xURL is where X shows a post; its place in the address counts, the name does not.
func xURL(username, id string) string {
	if id == "" {
		return ""
	}
	if username == "" {
		username = "i"
	}
	return "https://x.com/" + username + "/status/" + id
}

// author finds who posted p.
func (f *xFrame) author(p *xPost) xUser {
	for _, u := range f.Includes.Users {
		if u.ID == p.AuthorID && u.ID != "" {
			return u
		}
	}
	return xUser{}
}

// included finds a post that another refers to.
func (f *xFrame) included(id numeral) *xPost {
	for _, posts := range [...][]xPost{f.Includes.Tweets, f.Includes.Posts} {
		for i := range posts {
			if posts[i].ID == id && id != "" {
				return &posts[i]
			}
		}
	}
	return nil
}

// withheld reports whether a post may be shown nowhere; see twitterWithheld.
func (p *xPost) withheld() bool {
	w := twitterWithheld{Countries: p.Withheld.Countries}
	return p.Withheld.Copyright || w.everywhere()
}

// related finds the post to which p has a relation; "" if none.
func (p *xPost) related(how string) numeral {
	for _, refs := range [...][]xReference{p.Referenced, p.Reposted} {
		for _, r := range refs {
			if r.Type == how {
				return r.ID
			}
		}
	}
	return ""
}

// reposted is the post that p repeats; "" if none.
func (p *xPost) reposted() numeral {
	if id := p.related("retweeted"); id != "" {
		return id
	}
	return p.related("reposted")
}

// kind tells what sort of post p is.
func (p *xPost) kind() feed.PostType {
	switch {
	case p.reposted() != "":
		return feed.TypeRepost
	case p.related("replied_to") != "":
		return feed.TypeReply
	default:
		return feed.TypePost
	}
}

// texts are the candidates for the body. A repost's own text is cut; here it
// gets the original in full after the same words, which say whose they are.
func (f *xFrame) texts(p *xPost) []string {
	var texts []string
	if original := f.included(p.reposted()); original != nil {
		text := original.best()
		if name := f.author(original).Username; name != "" {
			text = "RT @" + name + ": " + text
		} else if said, _, ok := strings.Cut(p.Text, ": "); ok && strings.HasPrefix(said, "RT @") {
			text = said + ": " + text
		}
		texts = append(texts, text)
	}
	for _, s := range [...]string{p.NoteTweet.Text, p.NotePost.Text, p.Text} {
		if s != "" {
			texts = append(texts, s)
		}
	}
	return texts
}

// best is the fullest text.
func (p *xPost) best() string {
	for _, s := range [...]string{p.NoteTweet.Text, p.NotePost.Text} {
		if s != "" {
			return s
		}
	}
	return p.Text
}

// marks adds the marked parts of p's fullest text to up.
func (p *xPost) marks(up *feed.Upstream) {
	e := &p.Entities
	switch {
	case p.NoteTweet.Text != "":
		e = &p.NoteTweet.Entities
	case p.NotePost.Text != "":
		e = &p.NotePost.Entities
	}
	for _, h := range e.Hashtags {
		up.Tags = appendSome(up.Tags, h.Tag)
	}
	for _, m := range e.Mentions {
		up.Mentions = appendSome(up.Mentions, m.Username)
	}
	for _, u := range e.URLs {
		if u.Expanded == "" {
			u.Expanded = u.URL
		}
		up.Links = appendSome(up.Links, u.Expanded)
	}
}

// appendSome appends s unless it is empty.
func appendSome(to []string, s string) []string {
	if s == "" {
		return to
	}
	return append(to, s)
}

// locate adds the candidates for p's position to up.
func (f *xFrame) locate(p *xPost, up *feed.Upstream) {
	if c, ok := p.Geo.Coordinates.point(); ok {
		up.Points = []feed.Point{{Lat: c[1], Lon: c[0], Origin: "coordinates"}}
	}
	for _, place := range f.Includes.Places {
		if place.ID != p.Geo.PlaceID || place.ID == "" {
			continue
		}
		up.Boxes = []feed.Box{{
			Ring: place.Geo.BBox.ring(), Origin: "place", Type: place.Type, Country: place.CountryCode,
		}}
	}
}
