package hydrate

import (
	"strings"

	"github.com/blipstream/blipstream/internal/feed"
)

// Country sets the ISO 3166-1 alpha-2 code that the first place with one
// tells, in capitals. It is known also of places that are too large to be a
// position.
type Country struct{}

// Name implements Hydrator.
func (Country) Name() string { return "country" }

// Hydrate implements Hydrator.
func (Country) Hydrate(rec *feed.Record) {
	for _, b := range rec.Upstream.Boxes {
		if code := strings.ToUpper(b.Country); alpha2(code) {
			rec.Country = code
			return
		}
	}
}

// alpha2 reports whether s is two capital letters.
func alpha2(s string) bool {
	return len(s) == 2 && 'A' <= s[0] && s[0] <= 'Z' && 'A' <= s[1] && s[1] <= 'Z'
}
