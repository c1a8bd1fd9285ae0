package hydrate

import (
	"strings"

	"github.com/blipstream/blipstream/internal/feed"
)

// Body sets the text: the first candidate that is not blank, with the three
// entities that Twitter writes (&amp; &lt; &gt;) as the characters they stand
// for. They are decoded once, so that a post about "&amp;lt;" reads "&lt;".
// The text is carried whole; the size of an item bounds it.
type Body struct{ entities *strings.Replacer }

// NewBody makes a Body.
func NewBody() Body {
	return Body{entities: strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">")}
}

// Name implements Hydrator.
func (Body) Name() string { return "body" }

// Hydrate implements Hydrator.
func (b Body) Hydrate(rec *feed.Record) {
	for _, text := range rec.Upstream.Texts {
		if strings.TrimSpace(text) == "" {
			continue
		}
		if rec.Upstream.HTMLEntities {
			text = b.entities.Replace(text)
		}
		rec.Body = text
		return
	}
}
