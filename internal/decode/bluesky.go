package decode

import (
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/blipstream/blipstream/internal/feed"
)

// Collections of the AT Protocol that mean something here.
const (
	collectionPost    = "app.bsky.feed.post"
	collectionProfile = "app.bsky.actor.profile"
)

// Names of notices of Bluesky: what is no post but may matter to others.
const (
	// NoticeProfile: an author's profile; Upstream.Author holds the new name.
	NoticeProfile = "profile"
	// NoticeIdentity: an author's handle; Upstream.Author holds the new one,
	// or none if it has to be asked for.
	NoticeIdentity = "identity"
	// NoticeAccount: an account came to life, or was switched off.
	NoticeAccount = "account"
)

// blueskyEvent is an event of Jetstream's first wire: its parts lie beside the
// time. The second wire's frame has its parts in payload.
type blueskyEvent struct {
	DID       string           `json:"did"`
	TimeUS    int64            `json:"time_us"`
	Kind      string           `json:"kind"`
	Commit    *blueskyCommit   `json:"commit"`
	Identity  *blueskyIdentity `json:"identity"`
	Account   *blueskyAccount  `json:"account"`
	Simulated bool             `json:"blipstream_simulated"`
	Type      string           `json:"$type"`
	Payload   *blueskyPayload  `json:"payload"`
	Error     string           `json:"error"`
}

// blueskyPayload is an event of the second wire; which fields are set depends
// on its $type.
type blueskyPayload struct {
	Type      string           `json:"$type"`
	DID       string           `json:"did"`
	Time      string           `json:"time"`
	Simulated bool             `json:"blipstream_simulated"`
	Identity  *blueskyIdentity `json:"identity"`
	Account   *blueskyAccount  `json:"account"`
	blueskyCommit
}

// blueskyCommit is a change of one record in an author's repository.
type blueskyCommit struct {
	Operation  string        `json:"operation"`
	Collection string        `json:"collection"`
	RKey       string        `json:"rkey"`
	Record     blueskyRecord `json:"record"`
}

// blueskyIdentity says that an author's handle may have changed.
type blueskyIdentity struct {
	Handle string `json:"handle"`
}

// blueskyAccount says whether an account is shown at all. Status is why not:
// takendown, suspended, deleted, deactivated.
type blueskyAccount struct {
	Active *bool  `json:"active"`
	Status string `json:"status"`
}

// blueskyRecord is what is needed of a post or of a profile.
type blueskyRecord struct {
	Text        string         `json:"text"`
	Langs       []string       `json:"langs"`
	Tags        []string       `json:"tags"`
	Facets      []blueskyFacet `json:"facets"`
	Reply       jsontext.Value `json:"reply"`
	Embed       blueskyEmbed   `json:"embed"`
	DisplayName string         `json:"displayName"`
}

// blueskyEmbed is what is attached to a post; a quote with media has both.
type blueskyEmbed struct {
	Type  string `json:"$type"`
	Media struct {
		Type string `json:"$type"`
	} `json:"media"`
}

// blueskyFacet marks a part of a post's text, by bytes of its UTF-8.
type blueskyFacet struct {
	Index struct {
		Start int64 `json:"byteStart"`
		End   int64 `json:"byteEnd"`
	} `json:"index"`
	Features []struct {
		Type string `json:"$type"`
		URI  string `json:"uri"`
		Tag  string `json:"tag"`
		DID  string `json:"did"`
	} `json:"features"`
}

// bluesky reads an event of Jetstream, on either of its wires.
func bluesky(data []byte, rec *feed.Record) error {
	var e blueskyEvent
	if err := parse(data, &e); err != nil {
		return err
	}
	if e.Type != "" {
		if e.Payload == nil {
			return e.stream(rec)
		}
		e.adopt()
	}
	if e.TimeUS > 0 && e.TimeUS/1000 <= maxTimeMS {
		rec.Time = time.UnixMicro(e.TimeUS).UTC()
	}
	rec.Simulated = e.Simulated
	rec.Upstream.Author = feed.Author{ID: usableID(e.DID)}
	return e.read(rec)
}

// stream is a frame of the second wire about the stream itself.
func (e *blueskyEvent) stream(rec *feed.Record) error {
	if e.Type != "error" && e.Type != "message" {
		return malformed(ReasonShape, "a frame that is neither a message nor an error")
	}
	rec.Change, rec.Notice = feed.ChangeNotice, e.Type
	return nil
}

// adopt makes an event of the first wire of one of the second.
func (e *blueskyEvent) adopt() {
	p := e.Payload
	_, e.Kind, _ = strings.Cut(p.Type, "#")
	e.DID, e.Simulated = p.DID, p.Simulated
	if t, err := time.Parse(time.RFC3339Nano, p.Time); err == nil {
		e.TimeUS = t.UnixMicro()
	}
	e.Commit, e.Identity, e.Account = &p.blueskyCommit, p.Identity, p.Account
}

// read fills rec by the event's kind.
func (e *blueskyEvent) read(rec *feed.Record) error {
	switch {
	case e.Kind == "commit" && e.Commit != nil:
		return e.commit(rec)
	case e.Kind == "identity" && e.Identity != nil:
		rec.Change, rec.Notice = feed.ChangeNotice, NoticeIdentity
		if e.Identity.Handle != "handle.invalid" { // what a handle is called that is not its owner's
			rec.Upstream.Author.Username = e.Identity.Handle
		}
	case e.Kind == "account" && e.Account != nil:
		rec.Change, rec.Notice = feed.ChangeNotice, NoticeAccount
	case e.Kind == "sync" || e.Kind == "info":
		rec.Change, rec.Notice = feed.ChangeNotice, e.Kind
	default:
		return malformed(ReasonShape, "an event of kind %.40q without what belongs to it", e.Kind)
	}
	return nil
}

// commit fills rec from the change of a record.
func (e *blueskyEvent) commit(rec *feed.Record) error {
	c := e.Commit
	switch {
	case e.DID == "" || c.Collection == "" || c.RKey == "":
		return malformed(ReasonShape, "a commit that does not name its record")
	case c.Collection == collectionProfile && c.Operation != "delete":
		rec.Change, rec.Notice = feed.ChangeNotice, NoticeProfile
		rec.Upstream.Author.Name = c.Record.DisplayName
		return nil
	case c.Collection != collectionPost:
		rec.Change, rec.Notice = feed.ChangeNotice, "commit"
		return nil
	}
	rec.ID = usableID(e.DID + "/" + c.Collection + "/" + c.RKey)
	if c.Operation == "delete" {
		if rec.ID == "" {
			return malformed(ReasonShape, "a deletion whose record has a name of more than %d bytes or of odd ones", maxID)
		}
		rec.Change, rec.Author = feed.ChangeRemovePost, rec.Upstream.Author
		return nil
	}
	e.post(rec)
	return nil
}

// post fills rec from a post. Its time is when the event was, not createdAt,
// which is whatever the author's program claims.
func (e *blueskyEvent) post(rec *feed.Record) {
	r := &e.Commit.Record
	rec.Change, rec.Type = feed.ChangePost, feed.TypePost
	if r.Reply.Kind() == '{' {
		rec.Type = feed.TypeReply
	}
	if len(r.Langs) > 0 {
		rec.Lang = language(r.Langs[0])
	}
	rec.URL = "https://bsky.app/profile/" + e.DID + "/post/" + e.Commit.RKey
	up := &rec.Upstream
	up.Author.Username = ShortDID(e.DID)
	if r.Text != "" {
		up.Texts = []string{r.Text}
	}
	up.Tags = append(up.Tags, r.Tags...)
	for _, f := range r.Facets {
		f.tell(r.Text, up)
	}
	up.Media = r.Embed.media()
}

// tell adds what a facet says to up. Its ends count the bytes of text; where
// they lie outside of it, or within a character, what needs them is left out.
func (f *blueskyFacet) tell(text string, up *feed.Upstream) {
	for _, feature := range f.Features {
		_, kind, _ := strings.Cut(feature.Type, "#")
		switch {
		case kind == "tag" && feature.Tag != "":
			up.Tags = append(up.Tags, feature.Tag)
		case kind == "link" && feature.URI != "":
			up.Links = append(up.Links, feature.URI)
		case kind == "mention":
			if name := strings.TrimPrefix(f.part(text), "@"); name != "" {
				up.Mentions = append(up.Mentions, name)
			}
		}
	}
}

// part is the part of text that the facet marks; "" if there is none.
func (f *blueskyFacet) part(text string) string {
	start, end := f.Index.Start, f.Index.End
	if start < 0 || end <= start || end > int64(len(text)) || !boundary(text, start) || !boundary(text, end) {
		return ""
	}
	return text[start:end]
}

// boundary reports whether no character of text goes on at i.
func boundary(text string, i int64) bool {
	const mask, following = 0xC0, 0x80
	return i == int64(len(text)) || text[i]&mask != following
}

// media reports whether a picture or a film is attached.
func (e *blueskyEmbed) media() bool {
	for _, t := range [...]string{e.Type, e.Media.Type} {
		if t == "app.bsky.embed.images" || t == "app.bsky.embed.video" {
			return true
		}
	}
	return false
}

// ShortDID is what a person can take in of a DID, to stand for an author whose
// handle is not known: its method-specific part, cut, as in "mcc5yghb…".
func ShortDID(did string) string {
	const shown = 8
	name := did[strings.LastIndexByte(did, ':')+1:]
	if len(name) <= shown {
		return name
	}
	return strings.ToValidUTF8(name[:shown], "") + "…"
}
