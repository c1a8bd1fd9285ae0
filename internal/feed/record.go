package feed

import "time"

// Change says what an item does to what was known before.
type Change uint8

// The sorts of change. The zero value is a post.
const (
	// ChangePost is something somebody posted.
	ChangePost Change = iota
	// ChangeRemovePost asks that the post Record.ID disappears.
	ChangeRemovePost
	// ChangeRemoveGeo asks that the positions of Record.Author's posts up to
	// and including Record.UpToID disappear.
	ChangeRemoveGeo
	// ChangeNotice is a message of the upstream about itself (a limit, a
	// warning, a disconnect); it yields no event. Record.Notice names it.
	ChangeNotice
)

// PostType says what sort of post a record is.
type PostType string

// The sorts of post.
const (
	TypePost   PostType = "post"
	TypeReply  PostType = "reply"
	TypeRepost PostType = "repost"
	// TypeEdit is a change to a page of a wiki.
	TypeEdit PostType = "edit"
	// TypeQuake is an earthquake.
	TypeQuake PostType = "quake"
)

// Author is who posted, as far as it is known.
type Author struct {
	// ID is the author's id as the source spells it.
	ID string
	// Username is the handle, without @.
	Username string
	// Name is the display name.
	Name string
}

// Precision says how a position was known.
type Precision string

// The precisions, from the best.
const (
	// PrecisionPoint is an exact coordinate that the author attached.
	PrecisionPoint Precision = "point"
	// PrecisionPlace is the centre of a place's bounding box.
	PrecisionPlace Precision = "place"
	// PrecisionProfile is the centre of the city that the author's profile
	// names: where they say they live, not where they posted.
	PrecisionProfile Precision = "profile"
	// PrecisionMention is the centre of a city that the text names: what the
	// post is about, not where its author is.
	PrecisionMention Precision = "mention"
)

// Position is a place on Earth. Its zero value is a real one (the Gulf of
// Guinea), so an unknown position is a nil *Position.
type Position struct {
	// Lat and Lon are degrees north and east, within ±90 and ±180.
	Lat, Lon float64
	// Precision says how the position was known.
	Precision Precision
	// RadiusKm is how far the truth may be, in kilometres; 0 for a point.
	RadiusKm float64
	// Origin names the part of the item that told it, such as "coordinates".
	Origin string
}

// Point is a coordinate exactly as an upstream told it, not yet checked.
type Point struct {
	// Lat and Lon are degrees; they may be out of range or not finite.
	Lat, Lon float64
	// Origin names the field it was read from.
	Origin string
}

// Box is a bounding box exactly as an upstream told it, not yet checked.
type Box struct {
	// Ring holds its corners as [lon, lat], closed or not, in any order.
	Ring [][2]float64
	// Origin names the field it was read from.
	Origin string
	// Type is the source's word for the sort of place ("city", "country").
	Type string
	// Country is its ISO 3166-1 alpha-2 code, if told.
	Country string
}

// Upstream is what decode found in the payload: candidates, best first, among
// which the hydrators choose. It is the part of a Record that differs least
// from the wire.
type Upstream struct {
	Author Author
	// Texts are candidates for the body, the fullest first.
	Texts []string
	// HTMLEntities is true if &amp; &lt; &gt; in Texts stand for characters.
	HTMLEntities bool
	// HTML is true if Texts are HTML documents' inner text, tags and all, as
	// Mastodon sends them.
	HTML bool
	// Points and Boxes are candidates for the position, the most exact first.
	Points []Point
	Boxes  []Box
	// ProfileLocation is what the author wrote as their location: free text.
	ProfileLocation string
	// Tags are hashtags without #, Mentions usernames without @, and Links
	// the addresses that the source says the text holds, expanded where it
	// tells both forms. Nil where the source does not tell them.
	Tags, Mentions, Links []string
	// Media is true if a picture, a film or a sound is attached.
	Media bool
}

// Record is what is known so far about an item. Decode makes it, hydrators add
// to it, derivers read it. It never crosses a subject.
type Record struct {
	// ID is the payload's own id; for a removal that of what is removed.
	ID string
	// Source and Format come from the item.
	Source string
	Format Format
	// Received is when the item arrived, by our clock.
	Received time.Time
	// Change says what the item does.
	Change Change
	// Notice names an upstream notice ("limit"), and Missed how many items the
	// upstream says it withheld since it was connected (a running total).
	Notice string
	Missed int64
	// UpToID bounds a ChangeRemoveGeo.
	UpToID string
	// Simulated is true if a simulator made the item.
	Simulated bool

	// Time is when it was posted, by the source's clock; zero if unknown.
	Time time.Time
	// Lang is the BCP 47 language the source told; empty if unknown.
	Lang string
	// Type is the sort of post.
	Type PostType

	// Upstream holds the candidates for the fields below.
	Upstream Upstream

	// URL is where the source shows the item to people; empty if unknown.
	URL string
	// Magnitude is an earthquake's, on the scale its network reports; nil for
	// all else and where it is not known yet.
	Magnitude *float64

	// What follows is set by hydrators.

	Author   Author
	Body     string
	Position *Position
	// Country is an ISO 3166-1 alpha-2 code, City a city's name in English as
	// GeoNames spells it; both are those of Position, and empty without one.
	Country, City string
	// Tags, Mentions and Links are as in Upstream, without repeats.
	Tags, Mentions, Links []string
	// Media is true if a picture, a film or a sound is attached.
	Media bool
	// Sentiment is from -1 (bad) to 1 (good); nil if unknown.
	Sentiment *float64
}
