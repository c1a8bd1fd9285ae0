package simulate_test

import (
	"math"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/simulate"
)

// TestShares: the world is populated as its cities are, tells positions as
// often as asked, and speaks many languages.
func TestShares(t *testing.T) {
	o := simulate.DefaultWorld(4)
	o.Gap = 4 * time.Minute // 20,000 items go round the clock many times
	w := newWorld(t, o)
	tweets, blips, reposts, points := 0, 0, 0, 0
	countries, languages := map[string]int{}, map[string]int{}
	for n := range uint64(items) {
		for _, e := range w.Want(n) {
			switch e.Kind {
			case feed.KindSimpleTweet:
				tweets++
				languages[e.Lang]++
				if e.Type == feed.TypeRepost {
					reposts++
				}
			case feed.KindGeoBlip:
				blips++
				countries[e.Country]++
				if e.Precision == feed.PrecisionPoint {
					points++
				}
			default:
			}
		}
	}
	near := func(name string, got, want, tolerance float64) {
		t.Helper()
		if math.Abs(got-want) > tolerance {
			t.Errorf("share of %s = %.3f, want %.3f", name, got, want)
		}
	}
	near("posts among items", float64(tweets)/items, 0.99, 0.01)
	near("positions among original posts", float64(blips)/float64(tweets-reposts), o.Geo, 0.02)
	near("points among positions", float64(points)/float64(blips), 0.33, 0.02)
	// China has 21.7 % of the people in the atlas and India 9.7 %: seven
	// eighths of the posts go by population, the rest by country.
	near("China", float64(countries["CN"])/float64(blips), 0.217*0.88, 0.03)
	near("India", float64(countries["IN"])/float64(blips), 0.097*0.88, 0.03)
	if len(countries) < 200 {
		t.Errorf("%d countries on the map, want nearly all", len(countries))
	}
	if len(languages) < 30 || float64(languages["en"])/float64(tweets) > 0.5 {
		t.Errorf("%d languages, %d of %d posts in English", len(languages), languages["en"], tweets)
	}
}

// TestGeoShare: from none to all.
func TestGeoShare(t *testing.T) {
	for _, geo := range []float64{0, 0.01, 1} {
		w := newWorld(t, simulate.WorldOptions{Seed: 1, Geo: geo})
		originals, blips := 0, 0
		for n := range uint64(5000) {
			for _, e := range w.Want(n) {
				if e.Kind == feed.KindGeoBlip {
					blips++
				} else if e.Kind == feed.KindSimpleTweet && e.Type != feed.TypeRepost {
					originals++
				}
			}
		}
		if got := float64(blips) / float64(originals); math.Abs(got-geo) > 0.005 {
			t.Errorf("share of positions = %.4f, want %v", got, geo)
		}
	}
}
