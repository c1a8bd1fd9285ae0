package simulate

import (
	"math"
	"time"

	"github.com/blipstream/blipstream/internal/simulate/atlas"
	"github.com/blipstream/blipstream/internal/simulate/dice"
)

// author is somebody who posts, always from one city and in one language.
type author struct {
	id        uint64
	username  string
	name      string
	lang      string
	city      *atlas.City
	created   time.Time
	followers int
	friends   int
	statuses  int
}

const (
	// maxAuthors is how many people of one city post at most.
	maxAuthors = 512
	// peoplePerAuthor: one in so many posts.
	peoplePerAuthor = 20_000
	// anywhere is the share of posts that are spread evenly over countries, so
	// that the small ones light up too.
	anywhere = 0.12
	// firstUserID is the lowest user id; below are what look like small ids.
	firstUserID = 1_000_003
	// authorStep keeps the ids of neighbours apart.
	authorStep = 977
)

// author finds somebody to post at a moment: the likelier the more people live
// in a city, and the more of them are awake. The moment is the one Time plans
// for an item, so that a later delete finds the same author.
func (w *World) author(d *dice.Dice, at time.Time) author {
	c := w.city(d, at)
	slot := d.N(min(maxAuthors, 4+c.Population/peoplePerAuthor))
	return w.authorOf(c, slot)
}

// city throws cities until one is awake, four times at most.
func (w *World) city(d *dice.Dice, at time.Time) *atlas.City {
	pick := w.atlas.Pick
	if d.Chance(anywhere) {
		pick = w.atlas.PickAnywhere
	}
	c := pick(d)
	for range 3 {
		if d.Chance(awake(c.Lon, at)) {
			break
		}
		c = pick(d)
	}
	return c
}

// awake is which share of the people at a longitude would post now rather than
// sleep: least at 4 in the morning by the sun, most in the evening.
func awake(lon float64, at time.Time) float64 {
	utc := at.UTC()
	hour := float64(utc.Hour()) + float64(utc.Minute())/60 + lon/15
	return 0.6 - 0.4*math.Cos((hour-4)/24*2*math.Pi)
}

// authorOf is the one in a slot of a city; always the same one.
func (w *World) authorOf(c *atlas.City, slot int) author {
	key := uint64(c.Index*maxAuthors + slot)
	d := w.dice(key, saltAuthor)
	lang := c.Language(&d)
	return author{
		id:        firstUserID + key*authorStep,
		lang:      lang,
		city:      c,
		name:      w.book.Name(&d, lang),
		username:  w.book.Username(&d),
		created:   w.o.Epoch.Add(-time.Duration(30+d.N(4000)) * 24 * time.Hour).Truncate(time.Second),
		followers: int(20 * math.Exp(1.6*math.Abs(d.Normal()))),
		friends:   10 + d.N(900),
		statuses:  1 + d.N(20_000),
	}
}
