package derive

import "github.com/blipstream/blipstream/internal/feed"

// Deriver makes the events of one kind.
type Deriver interface {
	// Kind is what it makes.
	Kind() feed.Kind
	// Derive returns the event of rec, and whether rec has what it needs. The
	// event's ID is rec's.
	Derive(rec *feed.Record) (feed.Event, bool)
}

// All lists every deriver there is.
func All() []Deriver {
	return []Deriver{SimpleTweet{}, GeoBlip{}, PostRemoved{}, GeoRemoved{}}
}

// frame is what the names, quotes and short values of an event take at most,
// in bytes; the free texts come on top. It only saves growing.
const frame = 384

// authorID is the author's id, whether a hydrator has looked at it or not:
// geo_removed finds by it what must disappear.
func authorID(rec *feed.Record) string {
	if rec.Author.ID != "" {
		return rec.Author.ID
	}
	return rec.Upstream.Author.ID
}
