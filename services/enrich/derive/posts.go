package derive

import "github.com/blipstream/blipstream/internal/feed"

// SimpleTweet makes simple_tweet of a post with a text and an author.
type SimpleTweet struct{}

// Kind implements Deriver.
func (SimpleTweet) Kind() feed.Kind { return feed.KindSimpleTweet }

// Derive implements Deriver.
func (SimpleTweet) Derive(rec *feed.Record) (feed.Event, bool) {
	if rec.Change != feed.ChangePost || rec.Author.Username == "" || rec.Body == "" {
		return feed.Event{}, false
	}
	e := newEncoder(frame + lengths(rec.Author.Username, rec.Author.Name, rec.Body, rec.URL) +
		lengths(rec.Tags...) + lengths(rec.Mentions...) + lengths(rec.Links...))
	e.common(rec)
	e.time(rec.Time)
	e.text("username", rec.Author.Username)
	e.text("name", rec.Author.Name)
	e.text("body", rec.Body)
	e.text("userId", authorID(rec))
	e.text("lang", rec.Lang)
	e.text("type", string(rec.Type))
	if !aboutPlace(rec) {
		e.text("country", rec.Country)
	}
	e.flag("simulated", rec.Simulated)
	e.texts("tags", rec.Tags)
	e.texts("mentions", rec.Mentions)
	e.texts("links", rec.Links)
	e.flag("media", rec.Media)
	e.text("url", rec.URL)
	e.optional("sentiment", rec.Sentiment)
	if !aboutPlace(rec) {
		e.text("city", rec.City)
	}
	return feed.Event{Kind: feed.KindSimpleTweet, ID: rec.ID, Payload: e.close()}, true
}

// aboutPlace reports whether the place of rec is only what its text is about.
// A post does not come from there as far as anybody knows, so simple_tweet,
// which cannot say how it knows, does not name it.
func aboutPlace(rec *feed.Record) bool {
	return rec.Position != nil && rec.Position.Precision == feed.PrecisionMention
}

// GeoBlip makes geo_blip of a post whose position is known.
type GeoBlip struct{}

// Kind implements Deriver.
func (GeoBlip) Kind() feed.Kind { return feed.KindGeoBlip }

// Derive implements Deriver.
func (GeoBlip) Derive(rec *feed.Record) (feed.Event, bool) {
	if rec.Change != feed.ChangePost || rec.Position == nil {
		return feed.Event{}, false
	}
	p := rec.Position
	e := newEncoder(frame + lengths(rec.URL))
	e.common(rec)
	e.time(rec.Time)
	e.number("lat", p.Lat)
	e.number("lon", p.Lon)
	e.text("precision", string(p.Precision))
	if p.Precision != feed.PrecisionPoint {
		e.number("radiusKm", p.RadiusKm)
	}
	e.text("origin", p.Origin)
	e.text("userId", authorID(rec))
	e.text("lang", rec.Lang)
	e.text("type", string(rec.Type))
	e.text("country", rec.Country)
	e.flag("simulated", rec.Simulated)
	e.text("city", rec.City)
	e.text("url", rec.URL)
	e.optional("magnitude", rec.Magnitude)
	return feed.Event{Kind: feed.KindGeoBlip, ID: rec.ID, Payload: e.close()}, true
}

// lengths is how many bytes the texts and the quotes around them take, in
// bytes, as long as nothing needs an escape.
func lengths(texts ...string) int {
	const quotes = len(`"",`)
	n := 0
	for _, s := range texts {
		n += len(s) + quotes
	}
	return n
}
