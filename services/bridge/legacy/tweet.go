package legacy

import (
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/blipstream/blipstream/internal/decode"
	"github.com/blipstream/blipstream/internal/feed"
)

// tweet is the smallest v1.1 tweet that the old readers understand. geo,
// coordinates and place are null where unknown, as in Twitter's own.
type tweet struct {
	CreatedAt   string         `json:"created_at,omitzero"`
	ID          jsontext.Value `json:"id,omitzero"`
	IDStr       string         `json:"id_str,omitzero"`
	Text        string         `json:"text"`
	User        user           `json:"user"`
	Geo         *geometry      `json:"geo"`
	Coordinates *geometry      `json:"coordinates"`
	Place       *place         `json:"place"`
	Lang        string         `json:"lang,omitzero"`
	TimestampMS string         `json:"timestamp_ms,omitzero"`
	Simulated   bool           `json:"blipstream_simulated,omitzero"`
}

type user struct {
	IDStr      string `json:"id_str,omitzero"`
	ScreenName string `json:"screen_name"`
	Name       string `json:"name"`
}

type geometry struct {
	Type        string     `json:"type"`
	Coordinates [2]float64 `json:"coordinates"`
}

type place struct {
	CountryCode string      `json:"country_code,omitzero"`
	Type        string      `json:"place_type,omitzero"`
	BoundingBox boundingBox `json:"bounding_box"`
}

type boundingBox struct {
	Type        string         `json:"type"`
	Coordinates [][][2]float64 `json:"coordinates"`
}

// Tweet makes of a record of any format the tweet that the old readers print
// and put on the map. An author who is unknown is called by the source's name,
// because the old readers print nothing without one. The error is an
// *UnsafeError: for what is no post ("control"), and for a post with neither
// text nor position ("empty").
func Tweet(rec feed.Record) ([]byte, error) {
	if rec.Change != feed.ChangePost {
		return nil, unsafe("control", "not a post")
	}
	t := tweet{
		IDStr: rec.ID, Text: text(rec.Upstream), User: author(rec),
		Lang: rec.Lang, Simulated: rec.Simulated,
	}
	if !t.locate(rec.Upstream) && t.Text == "" {
		return nil, unsafe("empty", "a post with neither text nor position")
	}
	if n, err := strconv.ParseUint(rec.ID, 10, 64); err == nil {
		t.ID = jsontext.Value(strconv.FormatUint(n, 10))
	}
	if !rec.Time.IsZero() {
		t.CreatedAt = rec.Time.UTC().Format(time.RubyDate)
		t.TimestampMS = strconv.FormatInt(rec.Time.UnixMilli(), 10)
	}
	out, err := json.Marshal(t, lenient())
	if err != nil {
		return nil, unsafe("json", "%w", err)
	}
	return out, nil
}

// text is the fullest text that is not blank, with the entities of the old
// wire; what is HTML becomes plain text first.
func text(u feed.Upstream) string {
	for _, s := range u.Texts {
		if u.HTML {
			s = decode.PlainText(s)
		}
		switch {
		case strings.TrimSpace(s) == "":
		case u.HTMLEntities:
			return s
		default:
			return writeEntities(s)
		}
	}
	return ""
}

// author is who posted, in names that the old pages can insert as HTML.
func author(rec feed.Record) user {
	a := rec.Upstream.Author
	u := user{
		IDStr: a.ID, ScreenName: noMarkup(strings.TrimPrefix(strings.TrimSpace(a.Username), "@")), Name: noMarkup(a.Name),
	}
	if u.ScreenName == "" {
		u.ScreenName = rec.Source
	}
	if strings.TrimSpace(u.Name) == "" {
		u.Name = u.ScreenName
	}
	return u
}

// locate sets the position, from the first candidate that is on Earth; false
// if there is none. geo says latitude first, everything else longitude.
//
// The old enrich step reads the first corner of a place's box the wrong way
// round. It looks at geo first, so a post that has only a box gets the box's
// centre there; coordinates, which promises an exact point, stays null.
func (t *tweet) locate(u feed.Upstream) bool {
	for _, p := range u.Points {
		if onEarth(p.Lat, p.Lon) {
			t.Geo = &geometry{"Point", [2]float64{p.Lat, p.Lon}}
			t.Coordinates = &geometry{"Point", [2]float64{p.Lon, p.Lat}}
			return true
		}
	}
	for _, b := range u.Boxes {
		box, ok := bounds(b.Ring)
		if !ok {
			continue
		}
		lat, lon := box.centre()
		t.Geo = &geometry{"Point", [2]float64{lat, lon}}
		t.Place = &place{
			CountryCode: b.Country, Type: b.Type,
			BoundingBox: boundingBox{"Polygon", [][][2]float64{box.ring()}},
		}
		return true
	}
	return false
}
