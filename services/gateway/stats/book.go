package stats

import (
	"maps"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
	"github.com/blipstream/blipstream/services/gateway/filter"
)

// maxSources bounds the sources whose state is told.
const maxSources = 64

// Longest is the longest window.
const Longest = time.Hour

// Event is what is counted of one.
type Event struct {
	Kind  string
	Facts *filter.Facts
	// Stored is when the stream took it.
	Stored time.Time
	// Latency is how long it took to arrive; negative if that is not known.
	Latency time.Duration
}

// Book counts. It is safe for concurrent use.
type Book struct {
	mu        sync.Mutex
	events    uint64
	kinds     map[string]uint64
	simulated bool
	windows   []*window
	latency   latency
	// second is what arrived since the last tick, rates what did in the second
	// before it.
	second tally
	rates  *feedv1.Rates
	rate   float64
	seen   map[string]time.Time // by source
	// since is from when on all is counted.
	since time.Time
	// follows is set where the events are the clock: a second of a replay may
	// be minutes of the time that is replayed.
	follows bool
}

// NewBook makes one that has counted nothing by now.
func NewBook(now time.Time) *Book {
	return newBook(now, time.Second, 5*time.Second, 10*time.Second)
}

// NewPastBook makes one for a replay that begins at a time of the past. There
// may be many replays, and each has its own: its windows move on in coarser
// steps, which takes a fifth of the memory.
func NewPastBook(at time.Time) *Book {
	b := newBook(at, 5*time.Second, 15*time.Second, time.Minute)
	b.follows = true
	return b
}

// newBook makes one whose windows of 1, 5 and 60 minutes move on in such steps.
func newBook(now time.Time, one, five, sixty time.Duration) *Book {
	b := &Book{kinds: map[string]uint64{}, rates: &feedv1.Rates{}, seen: map[string]time.Time{}, since: now}
	b.windows = []*window{newWindow(1, one, now), newWindow(5, five, now), newWindow(60, sixty, now)}
	b.latency.advance(now)
	return b
}

// Count takes an event that has just arrived.
func (b *Book) Count(e Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events++
	b.kinds[e.Kind]++
	b.simulated = e.Facts.Simulated
	b.second.events++
	for dimension, name := range names(e.Kind, e.Facts) {
		b.second.add(dimension, name, maxNames)
	}
	if b.follows {
		b.advance(e.Stored)
	}
	b.place(e)
	if e.Latency >= 0 {
		b.latency.add(e.Latency)
	}
}

// Past takes an event of before the start.
func (b *Book) Past(e Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.place(e)
}

// place puts an event where it belongs in time.
func (b *Book) place(e Event) {
	for _, w := range b.windows {
		w.count(e.Stored, e.Kind, e.Facts)
	}
	source := string(e.Facts.Source)
	if at, ok := b.seen[source]; source != "" && (ok || len(b.seen) < maxSources) && e.Stored.After(at) {
		b.seen[source] = e.Stored
	}
}

// advance drops from the windows what is too old by now.
func (b *Book) advance(now time.Time) {
	for _, w := range b.windows {
		if w.advance(now) {
			b.since = now
		}
	}
}

// Complete says that from since on everything has been counted.
func (b *Book) Complete(since time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.since = since
}

// Tick ends a second that took elapsed.
func (b *Book) Tick(now time.Time, elapsed time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.advance(now)
	b.latency.advance(now)
	seconds := elapsed.Seconds()
	b.rate = float64(b.second.events) / seconds
	b.rates = &feedv1.Rates{
		Kinds: perSecond(b.second.names[byKind], seconds), Sources: perSecond(b.second.names[bySource], seconds),
		Langs: perSecond(b.second.names[byLang], seconds), Countries: perSecond(b.second.names[byCountry], seconds),
	}
	b.second.reset()
}

// perSecond turns counts into rates.
func perSecond(c counts, seconds float64) map[string]float64 {
	rates := make(map[string]float64, min(len(c), topNames))
	for name, n := range leading(c, topNames) {
		rates[name] = float64(n) / seconds
	}
	return rates
}

// Message tells what was counted.
func (b *Book) Message(now time.Time) *feedv1.Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := &feedv1.Stats{
		Time: timestamppb.New(now), Events: b.events, Rate: b.rate, Kinds: maps.Clone(b.kinds), Simulated: b.simulated,
		Rates: b.rates, Latency: b.latency.message(),
	}
	for _, w := range b.windows {
		complete := !b.since.After(now.Add(-time.Duration(w.minutes) * time.Minute))
		m.Windows = append(m.Windows, w.message(complete))
	}
	for _, name := range slices.Sorted(maps.Keys(b.seen)) {
		m.Sources = append(m.Sources, &feedv1.SourceState{
			Name: name, LastTime: timestamppb.New(b.seen[name]), Rate: b.rates.GetSources()[name],
		})
	}
	return m
}
