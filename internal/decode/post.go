package decode

import (
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/blipstream/blipstream/internal/feed"
)

// simplePost is Blipstream's own shape, for whoever pushes; docs/sources.md
// describes it. Its names are those of the events, so that an event is one.
type simplePost struct {
	ID        numeral        `json:"id"`
	Time      jsontext.Value `json:"time"`
	UserID    numeral        `json:"userId"`
	Username  string         `json:"username"`
	Name      string         `json:"name"`
	Body      string         `json:"body"`
	Lang      string         `json:"lang"`
	Type      string         `json:"type"`
	URL       string         `json:"url"`
	Location  string         `json:"location"`
	Lat       jsontext.Value `json:"lat"`
	Lon       jsontext.Value `json:"lon"`
	Magnitude *float64       `json:"magnitude"`
	Tags      []string       `json:"tags"`
	Mentions  []string       `json:"mentions"`
	Links     []string       `json:"links"`
	Media     bool           `json:"media"`
	Removed   bool           `json:"removed"`
	Simulated bool           `json:"simulated"`
}

// post reads a post in Blipstream's own shape.
func post(data []byte, rec *feed.Record) error {
	var p simplePost
	if err := parse(data, &p); err != nil {
		return err
	}
	rec.ID, rec.Time, rec.Simulated = usableID(string(p.ID)), postTime(p.Time), p.Simulated
	author := feed.Author{ID: usableID(string(p.UserID)), Username: p.Username, Name: p.Name}
	if p.Removed {
		return removal(rec, rec.Time, author)
	}
	points := p.points()
	if p.Body == "" && points == nil {
		return malformed(ReasonShape, "a post with neither body nor lat and lon")
	}
	rec.Lang, rec.URL, rec.Type = p.Lang, p.URL, postType(p.Type)
	rec.Magnitude = finite(p.Magnitude)
	rec.Upstream = feed.Upstream{
		Author: author, Texts: appendSome(nil, p.Body), Points: points, ProfileLocation: p.Location,
		Tags: p.Tags, Mentions: p.Mentions, Links: p.Links, Media: p.Media,
	}
	return nil
}

// points is where it was posted, if both numbers are told.
func (p *simplePost) points() []feed.Point {
	lat, latErr := strconv.ParseFloat(string(p.Lat), 64)
	lon, lonErr := strconv.ParseFloat(string(p.Lon), 64)
	if latErr != nil || lonErr != nil {
		return nil
	}
	return []feed.Point{{Lat: lat, Lon: lon, Origin: "lat,lon"}}
}

// postType is a type that is known, else that of a post.
func postType(s string) feed.PostType {
	known := []feed.PostType{feed.TypePost, feed.TypeReply, feed.TypeRepost, feed.TypeEdit, feed.TypeQuake}
	if t := feed.PostType(s); slices.Contains(known, t) {
		return t
	}
	return feed.TypePost
}

// secondsBelow tells numbers of seconds since 1970 from those of
// milliseconds: it is the year 5138 of the one and March 1973 of the other.
const secondsBelow = 100_000_000_000

// postTime reads RFC 3339, or a number of seconds or milliseconds since 1970.
func postTime(v jsontext.Value) time.Time {
	if v.Kind() == '"' {
		s, err := jsontext.AppendUnquote(nil, v)
		if err != nil {
			return time.Time{}
		}
		return rfc3339(string(s))
	}
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil {
		return time.Time{}
	}
	if f < secondsBelow {
		f *= 1000
	}
	if !(f > 0 && f <= maxTimeMS) {
		return time.Time{}
	}
	return unixMilli(int64(f))
}
