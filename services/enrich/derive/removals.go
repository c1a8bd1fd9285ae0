package derive

import (
	"time"

	"github.com/blipstream/blipstream/internal/feed"
)

// PostRemoved makes post_removed of a deletion.
type PostRemoved struct{}

// Kind implements Deriver.
func (PostRemoved) Kind() feed.Kind { return feed.KindPostRemoved }

// Derive implements Deriver.
func (PostRemoved) Derive(rec *feed.Record) (feed.Event, bool) {
	if rec.Change != feed.ChangeRemovePost || rec.ID == "" {
		return feed.Event{}, false
	}
	e := newEncoder(frame)
	e.common(rec)
	e.time(toldAt(rec))
	e.text("userId", authorID(rec))
	return feed.Event{Kind: feed.KindPostRemoved, ID: rec.ID, Payload: e.close()}, true
}

// GeoRemoved makes geo_removed of an order to forget positions.
type GeoRemoved struct{}

// Kind implements Deriver.
func (GeoRemoved) Kind() feed.Kind { return feed.KindGeoRemoved }

// Derive implements Deriver.
func (GeoRemoved) Derive(rec *feed.Record) (feed.Event, bool) {
	if rec.Change != feed.ChangeRemoveGeo || authorID(rec) == "" || rec.UpToID == "" {
		return feed.Event{}, false
	}
	e := newEncoder(frame)
	e.common(rec)
	e.time(toldAt(rec))
	e.text("userId", authorID(rec))
	e.text("upToId", rec.UpToID)
	return feed.Event{Kind: feed.KindGeoRemoved, ID: rec.ID, Payload: e.close()}, true
}

// toldAt is when a removal was told: by the source's clock, else by ours.
func toldAt(rec *feed.Record) time.Time {
	if rec.Time.IsZero() {
		return rec.Received
	}
	return rec.Time
}
