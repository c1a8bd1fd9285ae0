package feed

import "regexp"

// Kind names a sort of event; it is the last token of its subject and the
// event: field on SSE.
type Kind string

// The kinds that enrich derives by itself.
const (
	KindSimpleTweet Kind = "simple_tweet"
	KindGeoBlip     Kind = "geo_blip"
	KindPostRemoved Kind = "post_removed"
	KindGeoRemoved  Kind = "geo_removed"
)

// Kinds lists the built-in kinds in the order of the constants.
func Kinds() []Kind {
	return []Kind{KindSimpleTweet, KindGeoBlip, KindPostRemoved, KindGeoRemoved}
}

var kindForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

// reserved are the SSE names with a meaning of their own: error and open
// belong to EventSource, message is what it calls an event without a name, the
// others are the gateway's.
var reserved = map[Kind]bool{
	"error": true, "open": true, "message": true,
	"hello": true, "hb": true, "gap": true, "bye": true, "stats": true, "frame": true,
	"thinned": true,
}

// Valid reports whether k may name an event: lower case, digits and _, first a
// letter, 63 characters at most, and none of the names SSE streams use.
func (k Kind) Valid() bool {
	return kindForm.MatchString(string(k)) && !reserved[k]
}

// Event is one derived event, ready to publish.
type Event struct {
	// Kind is the last token of the subject.
	Kind Kind
	// ID is what it is unique by within its kind and source.
	ID string
	// Payload is one flat ProtoJSON object of the message for Kind.
	Payload []byte
}
