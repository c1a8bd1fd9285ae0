package hydrate

import (
	"strings"

	"github.com/blipstream/blipstream/internal/feed"
)

// Type sets what sort of post it is where the source does not tell, by how
// people write: "RT @name: …" repeats, "@name …" answers.
type Type struct{}

// Name implements Hydrator.
func (Type) Name() string { return "type" }

// Hydrate implements Hydrator.
func (Type) Hydrate(rec *feed.Record) {
	if rec.Type != "" || rec.Change != feed.ChangePost {
		return
	}
	switch {
	case strings.HasPrefix(rec.Body, "RT @"):
		rec.Type = feed.TypeRepost
	case len(rec.Body) > 1 && rec.Body[0] == '@' && handleByte(rec.Body[1]):
		rec.Type = feed.TypeReply
	default:
		rec.Type = feed.TypePost
	}
}

// Media sets whether something to see or to hear is attached.
type Media struct{}

// Name implements Hydrator.
func (Media) Name() string { return "media" }

// Hydrate implements Hydrator.
func (Media) Hydrate(rec *feed.Record) { rec.Media = rec.Upstream.Media }
