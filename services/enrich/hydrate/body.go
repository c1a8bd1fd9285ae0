package hydrate

import (
	"strings"

	"github.com/blipstream/blipstream/internal/decode"
	"github.com/blipstream/blipstream/internal/feed"
)

// Body sets the text as a person reads it: the first candidate that is not
// blank. Of Twitter's texts the three entities it writes (&amp; &lt; &gt;)
// become the characters they stand for, once, so that a post about "&amp;lt;"
// reads "&lt;". HTML becomes plain text with its paragraphs. The text is
// carried whole; the size of an item bounds it.
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
		switch {
		case rec.Upstream.HTML:
			text = decode.PlainText(text)
		case rec.Upstream.HTMLEntities:
			text = b.entities.Replace(text)
		}
		if strings.TrimSpace(text) != "" {
			rec.Body = text
			return
		}
	}
}
