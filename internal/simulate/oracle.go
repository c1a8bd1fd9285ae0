package simulate

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
)

// Want is an event that must come out of the pipeline for an item.
type Want struct {
	// Kind is which event it is; the fields below that it has not are zero.
	Kind feed.Kind
	// ID is the event's id field: of the post, or of the removal.
	ID string
	// Time is when it was posted, to the millisecond.
	Time time.Time
	// UserID is the author's id.
	UserID string
	// Username, Name and Body are what simple_tweet says. A repost reads
	// "RT @name: " and then the whole original.
	Username, Name, Body string
	// Lang is the BCP 47 language, Type the sort of post.
	Lang string
	Type feed.PostType
	// Country is the code of the place, empty if the item tells none.
	Country string
	// Lat and Lon are degrees, Precision says how they are known, RadiusKm is
	// half a box's diagonal in kilometres (0 for a point), and Origin the
	// field that told them: "coordinates", "geo" or "place". Within a box a
	// blip may be anywhere in the inner half, and its radius as much larger as
	// it is away from the centre.
	Lat, Lon  float64
	Precision feed.Precision
	RadiusKm  float64
	Origin    string
	// UpToID bounds a geo_removed.
	UpToID string
}

// Fate is what must become of an item besides its events.
type Fate string

// The fates of items.
const (
	// FateEvents: the item yields the events of Want.
	FateEvents Fate = "events"
	// FateNotice: a message of the upstream about itself; no event, no error.
	FateNotice Fate = "notice"
	// FateRepeat: an item seen before; it adds nothing.
	FateRepeat Fate = "repeat"
	// FateBad: a malformed item; it is kept as a dead letter or ignored,
	// never gives a geo_blip, and disturbs no other item. A post whose
	// position alone is odd may still give a simple_tweet.
	FateBad Fate = "bad"
)

// Fate says what must become of the item at a position.
func (w *World) Fate(position uint64) Fate {
	switch w.sortOf(w.item(position)) {
	case sortMalformed:
		return FateBad
	case sortDuplicate:
		return FateRepeat
	case sortLimit:
		return FateNotice
	default:
		return FateEvents
	}
}

// Want says which events the item at a position must yield if it was posted at
// Time. It is empty unless its Fate is FateEvents.
func (w *World) Want(position uint64) []Want {
	return w.WantAt(position, w.Time(w.item(position)))
}

// WantAt is Want for an item that AppendAt made for the same time.
func (w *World) WantAt(position uint64, at time.Time) []Want {
	n := w.item(position)
	switch w.sortOf(n) {
	case sortPost:
		return w.post(n, at).wants()
	case sortDelete:
		return []Want{w.wantRemoved(n, at)}
	case sortScrub:
		return []Want{w.wantScrubbed(n, at)}
	default:
		return nil
	}
}

// Named returns the city that the text of the post at a position names, as
// GeoNames spells it, and the code of its country; "" if it names none. A text
// of this world names the city of its author, or none.
func (w *World) Named(position uint64) (city, country string) {
	n := w.item(position)
	if w.sortOf(n) != sortPost {
		return "", ""
	}
	p := w.post(n, w.Time(n))
	by := p.author
	if p.repost != nil {
		by = p.repost.author
	}
	if !strings.Contains(p.body, by.city.Name) {
		return "", ""
	}
	return by.city.Name, by.city.Country.Code
}

// Home returns the city that the author of the post at a position names in
// their profile, as GeoNames spells it, and the code of its country; "" if the
// item is no post.
func (w *World) Home(position uint64) (city, country string) {
	n := w.item(position)
	if w.sortOf(n) != sortPost {
		return "", ""
	}
	home := w.post(n, w.Time(n)).author.city
	return home.Name, home.Country.Code
}

func (w *World) wantRemoved(n uint64, at time.Time) Want {
	t := w.post(w.target(n), at)
	return Want{Kind: feed.KindPostRemoved, ID: decimal(t.id), Time: millis(at), UserID: decimal(t.author.id)}
}

func (w *World) wantScrubbed(n uint64, at time.Time) Want {
	t := w.post(w.target(n), at)
	user, upTo := decimal(t.author.id), decimal(t.id)
	return Want{Kind: feed.KindGeoRemoved, ID: user + "-" + upTo, Time: millis(at), UserID: user, UpToID: upTo}
}

// wants is the tweet and, if the post tells a position of its own, the blip: a
// repost does not say where its author is, whatever the original says.
func (p *post) wants() []Want {
	base := Want{
		ID: decimal(p.id), Time: millis(p.at), UserID: decimal(p.author.id),
		Lang: modern(p.author.lang), Type: p.kind(),
	}
	if p.place != nil {
		base.Country = p.place.country.Code
	}
	tweet := base
	tweet.Kind, tweet.Username, tweet.Name, tweet.Body = feed.KindSimpleTweet, p.author.username, p.author.name, p.reads()
	if p.point == nil && p.place == nil {
		return []Want{tweet}
	}
	blip := base
	blip.Kind = feed.KindGeoBlip
	p.wantPosition(&blip)
	return []Want{tweet, blip}
}

// reads is the post as a person reads it.
func (p *post) reads() string {
	if p.repost != nil {
		return "RT @" + p.repost.author.username + ": " + p.body
	}
	return p.body
}

// modern is the BCP 47 code of a language: Twitter kept the codes of ISO 639 of
// 1988 for two of them.
func modern(lang string) string {
	switch lang {
	case "in":
		return "id"
	case "iw":
		return "he"
	}
	return lang
}

// wantPosition takes the most exact of what the post tells.
func (p *post) wantPosition(w *Want) {
	if p.point == nil {
		w.Lat, w.Lon = p.place.centre()
		w.Precision, w.RadiusKm, w.Origin = feed.PrecisionPlace, p.place.radiusKm(), "place"
		return
	}
	w.Lat, w.Lon, w.Precision = p.point.lat.degrees(), p.point.lon.degrees(), feed.PrecisionPoint
	w.Origin = "coordinates"
	if p.oldPoint {
		w.Origin = "geo"
	}
}

// centre is the middle of the box, on the side of the Earth where the box is.
func (p *place) centre() (lat, lon float64) {
	east := p.east
	if east < p.west {
		east += fullCircle
	}
	lat = float64(p.south+p.north) / 2 / float64(degree)
	lon = float64(p.west+east) / 2 / float64(degree)
	if lon > 180 {
		lon -= 360
	}
	return lat, lon
}

// earthKm is the mean radius of the Earth (IUGG).
const earthKm = 6371.0088

// radiusKm is half the way from the south-west to the north-east corner.
func (p *place) radiusKm() float64 {
	rad := math.Pi / 180
	a, b := p.south.degrees()*rad, p.north.degrees()*rad
	wide := (p.east - p.west).degrees() * rad
	h := math.Pow(math.Sin((b-a)/2), 2) + math.Cos(a)*math.Cos(b)*math.Pow(math.Sin(wide/2), 2)
	return earthKm * math.Asin(math.Sqrt(min(1, h)))
}

func decimal(n uint64) string { return strconv.FormatUint(n, 10) }

func millis(t time.Time) time.Time { return time.UnixMilli(t.UnixMilli()).UTC() }
