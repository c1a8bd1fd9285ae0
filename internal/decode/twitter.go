package decode

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/blipstream/blipstream/internal/feed"
)

// tweet is what Blipstream needs of a v1.1 tweet or control message.
type tweet struct {
	IDStr       numeral       `json:"id_str"`
	CreatedAt   string        `json:"created_at"`
	TimestampMS numeral       `json:"timestamp_ms"`
	Lang        string        `json:"lang"`
	ReplyTo     string        `json:"in_reply_to_status_id_str"`
	User        twitterUser   `json:"user"`
	Coordinates geometry      `json:"coordinates"`
	Geo         geometry      `json:"geo"`
	Place       twitterPlace  `json:"place"`
	Retweeted   *twitterShare `json:"retweeted_status"`
	Simulated   bool          `json:"blipstream_simulated"`
	twitterText
	twitterControl
}

// twitterText is where a tweet's text may be. Which of them is set depends on
// how the tweet was asked for; text alone may be cut at 140 characters.
type twitterText struct {
	Text     string `json:"text"`
	FullText string `json:"full_text"`
	Extended struct {
		FullText string `json:"full_text"`
		twitterFound
	} `json:"extended_tweet"`
	twitterFound
}

// twitterFound is what Twitter found in a text, and what is attached to it.
type twitterFound struct {
	Entities         twitterEntities `json:"entities"`
	ExtendedEntities struct {
		Media filled `json:"media"`
	} `json:"extended_entities"`
}

// twitterUser is who posted.
type twitterUser struct {
	IDStr      numeral `json:"id_str"`
	ScreenName string  `json:"screen_name"`
	Name       string  `json:"name"`
	Location   string  `json:"location"`
}

// twitterShare is a tweet within a retweet.
type twitterShare struct {
	User twitterUser `json:"user"`
	twitterText
}

// geometry is a point; which of its numbers is the latitude depends on where
// it is found.
type geometry struct {
	Type        string `json:"type"`
	Coordinates *pair  `json:"coordinates"`
}

// twitterPlace is a named place, known by the box around it.
type twitterPlace struct {
	Type        string `json:"place_type"`
	CountryCode string `json:"country_code"`
	BoundingBox struct {
		Coordinates []ring `json:"coordinates"`
	} `json:"bounding_box"`
}

// twitterV1 reads a tweet or a control message of Twitter's v1.1 streams.
func twitterV1(data []byte, rec *feed.Record) error {
	var t tweet
	if err := parse(data, &t); err != nil {
		return err
	}
	rec.Time = twitterTime(t.TimestampMS, t.CreatedAt)
	rec.Simulated = t.Simulated
	if control, err := t.control(rec); control || err != nil {
		return err
	}
	if t.IDStr == "" {
		t.IDStr = numeral(numericID(data))
	}
	if t.IDStr == "" && t.best() == "" {
		return malformed(ReasonShape, "neither a tweet nor a message of the stream about itself")
	}
	t.post(rec)
	return nil
}

// numericID is the digits of the object's "id", for tweets that lack id_str.
func numericID(data []byte) string {
	var t struct {
		ID jsontext.Value `json:"id"`
	}
	if parse(data, &t) != nil {
		return ""
	}
	if id := strings.Trim(string(t.ID), `"`); digits(id) {
		return id
	}
	return ""
}

// post fills rec from a tweet.
func (t *tweet) post(rec *feed.Record) {
	rec.Change = feed.ChangePost
	rec.ID = usableID(string(t.IDStr))
	rec.Type = t.kind()
	rec.Lang = language(t.Lang)
	rec.URL = t.address()
	rec.Upstream = feed.Upstream{
		Author:          t.User.author(),
		Texts:           t.texts(),
		HTMLEntities:    true,
		Points:          t.points(),
		Boxes:           t.Place.boxes(),
		ProfileLocation: t.User.Location,
	}
	t.found(&rec.Upstream)
}

// kind tells what sort of post t is.
func (t *tweet) kind() feed.PostType {
	switch {
	case t.Retweeted != nil:
		return feed.TypeRepost
	case t.ReplyTo != "":
		return feed.TypeReply
	default:
		return feed.TypePost
	}
}

// texts are the candidates for the body. A retweet's own text repeats the
// original after "RT @name: ", cut where that gets too long; here it gets the
// original in full after the same words, which say whose they are.
func (t *tweet) texts() []string {
	if t.Retweeted == nil {
		return t.all(nil)
	}
	original := t.Retweeted.best()
	if original == "" {
		return t.all(nil)
	}
	if name := t.Retweeted.User.ScreenName; name != "" {
		original = "RT @" + name + ": " + original
	}
	return t.all([]string{original})
}

// all appends the texts that are there, the fullest first.
func (t *twitterText) all(to []string) []string {
	for _, s := range [...]string{t.Extended.FullText, t.FullText, t.Text} {
		if s != "" {
			to = append(to, s)
		}
	}
	return to
}

// best is the fullest text.
func (t *twitterText) best() string {
	for _, s := range [...]string{t.Extended.FullText, t.FullText, t.Text} {
		if s != "" {
			return s
		}
	}
	return ""
}

// author is u as a candidate.
func (u *twitterUser) author() feed.Author {
	return feed.Author{ID: usableID(string(u.IDStr)), Username: u.ScreenName, Name: u.Name}
}

// points are the exact positions: coordinates is GeoJSON and says longitude
// first, the older geo says latitude first.
func (t *tweet) points() []feed.Point {
	var points []feed.Point
	if c, ok := t.Coordinates.point(); ok {
		points = append(points, feed.Point{Lat: c[1], Lon: c[0], Origin: "coordinates"})
	}
	if c, ok := t.Geo.point(); ok {
		points = append(points, feed.Point{Lat: c[0], Lon: c[1], Origin: "geo"})
	}
	return points
}

// point returns g's numbers if it is a point.
func (g *geometry) point() (pair, bool) {
	if g.Coordinates == nil || !strings.EqualFold(g.Type, "point") {
		return pair{}, false
	}
	return *g.Coordinates, true
}

// boxes is p's bounding box, whose outer ring says longitude first.
func (p *twitterPlace) boxes() []feed.Box {
	rings := p.BoundingBox.Coordinates
	if len(rings) == 0 && p.CountryCode == "" {
		return nil
	}
	box := feed.Box{Origin: "place", Type: p.Type, Country: p.CountryCode}
	if len(rings) > 0 {
		box.Ring = rings[0]
	}
	return []feed.Box{box}
}
