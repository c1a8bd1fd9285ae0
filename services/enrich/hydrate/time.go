package hydrate

import (
	"time"

	"github.com/blipstream/blipstream/internal/feed"
)

// Time sets when an item was posted where its source does not tell, or tells
// what cannot be: then it is when it was received. Clients write the time of a
// post into it on some networks, and clocks are wrong.
type Time struct{}

// What can be.
const (
	// maxAhead is how far a clock may be ahead of ours: a day covers one set to
	// another time zone.
	maxAhead = 24 * time.Hour
	// firstYear is before anything that a source here could tell of.
	firstYear = 1990
)

// Name implements Hydrator.
func (Time) Name() string { return "time" }

// Hydrate implements Hydrator.
func (Time) Hydrate(rec *feed.Record) {
	if rec.Change != feed.ChangePost || rec.Received.IsZero() {
		return
	}
	if rec.Time.Year() < firstYear || rec.Time.Sub(rec.Received) > maxAhead {
		rec.Time = rec.Received.UTC()
	}
}
