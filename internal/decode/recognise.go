package decode

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/blipstream/blipstream/internal/feed"
)

// present reads any value and remembers only that it was there.
type present bool

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (p *present) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	*p = true
	return dec.SkipValue()
}

// topLevel is the names by which formats are told apart.
type topLevel struct {
	// twitter-v1
	IDStr      present `json:"id_str"`
	Text       present `json:"text"`
	FullText   present `json:"full_text"`
	Delete     present `json:"delete"`
	ScrubGeo   present `json:"scrub_geo"`
	Limit      present `json:"limit"`
	Warning    present `json:"warning"`
	Disconnect present `json:"disconnect"`
	Withheld   present `json:"status_withheld"`
	UserHeld   present `json:"user_withheld"`

	// the others
	Data     present `json:"data"`
	Includes present `json:"includes"`
	Errors   present `json:"errors"`
	Rules    present `json:"matching_rules"`
	DID      present `json:"did"`
	Kind     present `json:"kind"`
	Type     present `json:"$type"`
	Payload  present `json:"payload"`
	URI      present `json:"uri"`
	Account  present `json:"account"`
	Meta     present `json:"meta"`
	Wiki     present `json:"wiki"`
	Geometry present `json:"geometry"`
	Props    present `json:"properties"`
	Action   present `json:"action"`
	Edits    present `json:"edit_history_tweet_ids"`
	AuthorID present `json:"author_id"`
	Database present `json:"database"`
	Event    present `json:"event"`

	// post
	Body    present `json:"body"`
	Lat     present `json:"lat"`
	Lon     present `json:"lon"`
	Removed present `json:"removed"`
}

// recognise tells an item's format by the names at its top level.
func recognise(data []byte) (feed.Format, error) {
	var top topLevel
	if err := parse(data, &top); err != nil {
		return "", err
	}
	switch {
	case top.twitterV1():
		return feed.FormatTwitterV1, nil
	case bool(top.Action && top.Data):
		return feed.FormatEMSC, nil
	case bool(top.DID && top.Kind || top.Type && top.Payload):
		return feed.FormatBluesky, nil
	case bool(top.URI && top.Account || top.Event && top.Payload):
		return feed.FormatMastodon, nil
	case bool(top.Meta && (top.Wiki || top.Database)):
		return feed.FormatWikimedia, nil
	case bool(top.Geometry && top.Props):
		return feed.FormatUSGS, nil
	case top.xV2():
		return feed.FormatXV2, nil
	case bool(top.Text || top.FullText):
		return feed.FormatTwitterV1, nil
	case bool(top.Body || top.Lat && top.Lon || top.Removed):
		return feed.FormatPost, nil
	default:
		return "", malformed(ReasonShape, "an object of no format that is known")
	}
}

// xV2 reports the envelope of X's API v2, or a bare post of it.
func (t *topLevel) xV2() bool {
	return bool(t.Data || t.Includes || t.Errors || t.Rules || t.Edits || t.AuthorID)
}

// twitterV1 reports a tweet of Twitter's API v1.1, by the name that no other
// format has, or a message of its streams about themselves.
func (t *topLevel) twitterV1() bool {
	return bool(t.IDStr || t.Delete || t.ScrubGeo || t.Limit ||
		t.Warning || t.Disconnect || t.Withheld || t.UserHeld)
}
