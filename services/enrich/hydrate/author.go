package hydrate

import (
	"strings"

	"github.com/blipstream/blipstream/internal/feed"
)

// Author sets who posted. The handle is enough: without a display name the
// handle stands for it, as the page needs something to show.
type Author struct{}

// Name implements Hydrator.
func (Author) Name() string { return "author" }

// Hydrate implements Hydrator.
func (Author) Hydrate(rec *feed.Record) {
	a := rec.Upstream.Author
	a.Username = strings.TrimPrefix(strings.TrimSpace(a.Username), "@")
	if strings.TrimSpace(a.Name) == "" {
		a.Name = a.Username
	}
	rec.Author = a
}
