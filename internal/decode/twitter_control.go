package decode

import (
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/blipstream/blipstream/internal/feed"
)

// twitterControl is what a v1.1 stream says besides tweets. A message has one
// of these names and no other.
type twitterControl struct {
	Delete *struct {
		Status twitterStatus `json:"status"`
		// TimestampMS is when the deletion was told.
		TimestampMS numeral `json:"timestamp_ms"`
	} `json:"delete"`
	ScrubGeo *twitterScrub `json:"scrub_geo"`
	Limit    *struct {
		// Track counts what was withheld since the connection was made.
		Track int64 `json:"track"`
	} `json:"limit"`
	StatusWithheld *twitterWithheld `json:"status_withheld"`

	UserWithheld  jsontext.Value `json:"user_withheld"`
	Disconnect    jsontext.Value `json:"disconnect"`
	Warning       jsontext.Value `json:"warning"`
	Friends       jsontext.Value `json:"friends"`
	FriendsStr    jsontext.Value `json:"friends_str"`
	Event         jsontext.Value `json:"event"`
	DirectMessage jsontext.Value `json:"direct_message"`
}

// twitterStatus names a tweet and its author.
type twitterStatus struct {
	IDStr     numeral        `json:"id_str"`
	ID        jsontext.Value `json:"id"`
	UserIDStr numeral        `json:"user_id_str"`
	UserID    jsontext.Value `json:"user_id"`
}

// twitterScrub takes the positions from an author's tweets up to one of them.
type twitterScrub struct {
	UserIDStr numeral        `json:"user_id_str"`
	UserID    jsontext.Value `json:"user_id"`
	UpToStr   numeral        `json:"up_to_status_id_str"`
	UpTo      jsontext.Value `json:"up_to_status_id"`
}

// twitterWithheld says in which countries a tweet may not be shown.
type twitterWithheld struct {
	twitterStatus
	Countries []string `json:"withheld_in_countries"`
}

// control fills rec if t is a control message, and reports whether it is one.
func (t *tweet) control(rec *feed.Record) (bool, error) {
	switch {
	case t.Delete != nil:
		if at := twitterTime(t.Delete.TimestampMS, ""); !at.IsZero() {
			rec.Time = at
		}
		return true, t.Delete.Status.remove(rec)
	case t.ScrubGeo != nil:
		return true, t.ScrubGeo.remove(rec)
	case t.StatusWithheld != nil && t.StatusWithheld.everywhere():
		return true, t.StatusWithheld.remove(rec)
	}
	notice := t.notice()
	if notice == "" {
		return false, nil
	}
	rec.Change, rec.Notice = feed.ChangeNotice, notice
	if t.Limit != nil {
		rec.Missed = t.Limit.Track
	}
	return true, nil
}

// notice names the message of the stream about itself that c is; "" if none.
func (c *twitterControl) notice() string {
	if c.Limit != nil {
		return "limit"
	}
	if c.StatusWithheld != nil {
		return "status_withheld"
	}
	for _, n := range [...]struct {
		name  string
		value jsontext.Value
	}{
		{"user_withheld", c.UserWithheld},
		{"disconnect", c.Disconnect},
		{"warning", c.Warning},
		{"friends", c.Friends},
		{"friends", c.FriendsStr},
		{"event", c.Event},
		{"direct_message", c.DirectMessage},
	} {
		if len(n.value) > 0 && n.value.Kind() != 'n' {
			return n.name
		}
	}
	return ""
}

// everywhere reports whether a tweet is withheld from all: XX stands for every
// country, XY for a claim of copyright (announced for the API's version 1.1 on
// 2 November 2012).
func (w *twitterWithheld) everywhere() bool {
	return slices.Contains(w.Countries, "XX") || slices.Contains(w.Countries, "XY")
}

// remove makes rec the removal of s.
func (s *twitterStatus) remove(rec *feed.Record) error {
	id := firstID(s.IDStr, s.ID)
	if id == "" {
		return malformed(ReasonShape, "a removal that does not name its tweet")
	}
	author := feed.Author{ID: firstID(s.UserIDStr, s.UserID)}
	rec.Change, rec.ID = feed.ChangeRemovePost, id
	rec.Author, rec.Upstream.Author = author, author
	return nil
}

// remove makes rec the removal of an author's positions.
func (s *twitterScrub) remove(rec *feed.Record) error {
	user, upTo := firstID(s.UserIDStr, s.UserID), firstID(s.UpToStr, s.UpTo)
	if user == "" || !digits(upTo) {
		return malformed(ReasonShape, "a scrub_geo that does not say whose positions go, and up to which")
	}
	author := feed.Author{ID: user}
	rec.Change, rec.ID, rec.UpToID = feed.ChangeRemoveGeo, user+"-"+upTo, upTo
	rec.Author, rec.Upstream.Author = author, author
	return nil
}
