package decode

import (
	"html"

	"github.com/blipstream/blipstream/internal/feed"
)

// mastodonStatus is what Blipstream needs of Mastodon's entity Status.
type mastodonStatus struct {
	ID         string  `json:"id"`
	URI        string  `json:"uri"`
	URL        string  `json:"url"`
	CreatedAt  string  `json:"created_at"`
	Language   string  `json:"language"`
	Content    *string `json:"content"`
	Spoiler    string  `json:"spoiler_text"`
	Visibility string  `json:"visibility"`
	ReplyTo    string  `json:"in_reply_to_id"`
	Account    struct {
		ID          string `json:"id"`
		Acct        string `json:"acct"`
		DisplayName string `json:"display_name"`
	} `json:"account"`
	Tags []struct {
		Name string `json:"name"`
	} `json:"tags"`
	Mentions []struct {
		Acct string `json:"acct"`
	} `json:"mentions"`
	Media     []struct{}      `json:"media_attachments"`
	Reblog    *mastodonStatus `json:"reblog"`
	Simulated bool            `json:"blipstream_simulated"`
}

// mastodonEvent is what a message of the streaming API's WebSocket form looks
// like: the payload is JSON in a string, or the bare id of a deleted status.
type mastodonEvent struct {
	Event   string  `json:"event"`
	Payload numeral `json:"payload"`
}

// mastodon reads a status, or an event of the streaming API that holds one.
func mastodon(data []byte, rec *feed.Record) error {
	var e mastodonEvent
	if err := parse(data, &e); err != nil {
		return err
	}
	switch e.Event {
	case "":
		return mastodonPost(data, rec)
	case "update", "status.update":
		return mastodonPost([]byte(e.Payload), rec)
	case "delete":
		if rec.ID = usableID(string(e.Payload)); rec.ID == "" {
			return malformed(ReasonShape, "a deletion that does not name its status")
		}
		rec.Change = feed.ChangeRemovePost
	default:
		rec.Change, rec.Notice = feed.ChangeNotice, noticeName(e.Event)
	}
	return nil
}

// noticeName is an event's name as it may be counted by: those that Mastodon
// documents (docs.joinmastodon.org/methods/streaming, 4.3), and one for all that
// may come, since each that is counted is kept for good.
func noticeName(event string) string {
	switch event {
	case "notification", "notifications_merged", "filters_changed", "conversation", "encrypted_message",
		"announcement", "announcement.reaction", "announcement.delete":
		return event
	default:
		return "unknown"
	}
}

// mastodonPost reads a status. What its author did not address to the public
// is not shown to it.
func mastodonPost(data []byte, rec *feed.Record) error {
	if err := check(data); err != nil {
		return malformed(ReasonShape, "the payload holds no status")
	}
	var s mastodonStatus
	if err := parse(data, &s); err != nil {
		return err
	}
	if s.ID == "" && s.URI == "" || s.Content == nil && s.Reblog == nil {
		return malformed(ReasonShape, "no status of Mastodon")
	}
	rec.Simulated = s.Simulated
	if s.Visibility == "private" || s.Visibility == "direct" {
		rec.Change, rec.Notice = feed.ChangeNotice, "not_public"
		return nil
	}
	rec.ID, rec.Time, rec.Lang, rec.URL = usableID(s.ID), rfc3339(s.CreatedAt), s.Language, first(s.URL, s.URI)
	rec.Type = s.kind()
	rec.Upstream = feed.Upstream{
		Author: feed.Author{ID: usableID(s.Account.ID), Username: s.Account.Acct, Name: s.Account.DisplayName},
		Texts:  appendSome(nil, s.text()), HTML: true,
		Tags: []string{}, Mentions: []string{},
	}
	s.original().details(&rec.Upstream)
	return nil
}

// original is the status whose text is shown.
func (s *mastodonStatus) original() *mastodonStatus {
	if s.Reblog != nil {
		return s.Reblog
	}
	return s
}

// kind tells what sort of post s is.
func (s *mastodonStatus) kind() feed.PostType {
	switch {
	case s.Reblog != nil:
		return feed.TypeRepost
	case s.ReplyTo != "":
		return feed.TypeReply
	default:
		return feed.TypePost
	}
}

// text is what everybody sees of s at first sight: of a status behind a
// content warning the warning. A boost says whose words it repeats.
func (s *mastodonStatus) text() string {
	o, text := s.original(), ""
	if o.Content != nil {
		text = *o.Content
	}
	if o.Spoiler != "" {
		text = html.EscapeString(o.Spoiler)
	}
	if s.Reblog != nil && o.Account.Acct != "" {
		text = html.EscapeString("RT @"+o.Account.Acct+": ") + text
	}
	return text
}

// details adds what the entity lists beside the text.
func (s *mastodonStatus) details(to *feed.Upstream) {
	for _, t := range s.Tags {
		to.Tags = appendSome(to.Tags, t.Name)
	}
	for _, m := range s.Mentions {
		to.Mentions = appendSome(to.Mentions, m.Acct)
	}
	to.Media = len(s.Media) > 0
}
