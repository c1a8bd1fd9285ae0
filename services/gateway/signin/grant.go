package signin

import (
	"errors"
	"slices"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
)

// maxKinds is how many kinds a token may name.
const maxKinds = 64

// Grant is what somebody may read. The zero value is everything, for ever.
type Grant struct {
	// Kinds of events, sorted; nil stands for all, an empty list for none.
	Kinds []string
	// Until is when it ends; zero for never.
	Until time.Time
}

var errKinds = errors.New("kinds is a list of up to 64 kinds of events")

// newGrant makes a grant of the kinds that a token names. Removals go with all
// of them: who was shown a post must hear that it is gone.
func newGrant(kinds []string, until time.Time) (Grant, error) {
	if kinds == nil {
		return Grant{Until: until}, nil
	}
	if len(kinds) > maxKinds {
		return Grant{}, errKinds
	}
	for _, kind := range kinds {
		if !feed.Kind(kind).Valid() {
			return Grant{}, errKinds
		}
	}
	g := Grant{Kinds: append(make([]string, 0, len(kinds)+2), kinds...), Until: until}
	if len(kinds) > 0 {
		g.Kinds = append(g.Kinds, string(feed.KindPostRemoved), string(feed.KindGeoRemoved))
	}
	slices.Sort(g.Kinds)
	g.Kinds = slices.Compact(g.Kinds)
	return g, nil
}

// Limited reports whether some kinds are left out.
func (g Grant) Limited() bool { return g.Kinds != nil }

// Choose returns the kinds to send to who asked for these; none asks for all
// there are. A kind that is not allowed is refused by name; "" with ok false
// says that nothing is allowed.
func (g Grant) Choose(asked []string) (kinds []string, refused string, ok bool) {
	switch {
	case !g.Limited():
		return asked, "", true
	case len(g.Kinds) == 0:
		return nil, "", false
	case len(asked) == 0:
		return g.Kinds, "", true
	}
	for _, kind := range asked {
		if !slices.Contains(g.Kinds, kind) {
			return nil, kind, false
		}
	}
	return asked, "", true
}
