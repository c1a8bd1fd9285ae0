package stats

import (
	"time"

	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
	"github.com/blipstream/blipstream/services/gateway/filter"
)

const (
	// topNames is how many languages, countries and hashtags a message tells.
	topNames = 20
	// mapMinutes is the window by which maps are coloured: a message tells all
	// its countries, since one left out would look as if nothing came from it.
	mapMinutes = 5
)

// window is a stretch of time up to now, in buckets of which the oldest is
// dropped as a new one begins.
type window struct {
	minutes int
	step    time.Duration
	buckets []tally
	// newest is the number of the newest bucket: its time divided by step.
	newest int64
	total  tally
}

// newWindow makes a window of so many minutes.
func newWindow(minutes int, step time.Duration, now time.Time) *window {
	w := &window{minutes: minutes, step: step}
	w.buckets = make([]tally, time.Duration(minutes)*time.Minute/step)
	w.newest = w.number(now)
	return w
}

// number is the number of the bucket that a time belongs to.
func (w *window) number(at time.Time) int64 { return at.UnixNano() / int64(w.step) }

// bucket is where bucket number n is.
func (w *window) bucket(n int64) *tally { return &w.buckets[n%int64(len(w.buckets))] }

// advance drops what is too old by now. Where the clock was set back by more
// than the window, all is dropped: it would be of a time to come, and nothing
// would be counted until that has.
func (w *window) advance(now time.Time) (setBack bool) {
	n := w.number(now)
	if setBack = w.newest-n >= int64(len(w.buckets)); setBack {
		w.drop()
		w.newest = n
	}
	if n-w.newest >= int64(len(w.buckets)) {
		w.newest = n - int64(len(w.buckets)) // all are dropped
	}
	for w.newest < n {
		w.newest++
		b := w.bucket(w.newest)
		w.total.remove(b)
		b.reset()
	}
	return setBack
}

// drop empties it.
func (w *window) drop() {
	w.total.reset()
	for i := range w.buckets {
		w.buckets[i].reset()
	}
}

// count takes an event of a time; one that is too old is not of the window,
// and one that is ahead of our clock is of now.
func (w *window) count(at time.Time, kind string, f *filter.Facts) {
	n := min(w.number(at), w.newest)
	if n <= w.newest-int64(len(w.buckets)) || n < 0 {
		return
	}
	b := w.bucket(n)
	b.events++
	w.total.events++
	for dimension, name := range names(kind, f) {
		if b.add(dimension, name, maxNames) {
			w.total.add(dimension, name, maxNames*len(w.buckets))
		}
	}
}

// message tells the counts.
func (w *window) message(complete bool) *feedv1.Window {
	m := &feedv1.Window{
		Minutes: uint32(w.minutes), Complete: complete, Events: w.total.events,
		Kinds: leading(w.total.names[byKind], topNames), Sources: leading(w.total.names[bySource], topNames),
		Langs: leading(w.total.names[byLang], topNames), Countries: leading(w.total.names[byCountry], w.countries()),
	}
	for _, tag := range top(w.total.names[byTag], topNames) {
		m.Tags = append(m.Tags, &feedv1.Count{Name: tag.name, Count: tag.count})
	}
	return m
}

// countries is how many countries a message tells of the window.
func (w *window) countries() int {
	if w.minutes == mapMinutes {
		return maxNames
	}
	return topNames
}
