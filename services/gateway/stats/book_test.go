package stats

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
	"github.com/blipstream/blipstream/services/gateway/filter"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// event is an event with a payload of that JSON.
func event(kind, payload string, at time.Time) Event {
	var f filter.Facts
	f.Read([]byte(payload))
	return Event{Kind: kind, Facts: &f, Stored: at, Latency: -1}
}

const (
	tweet = `{"id":"1","source":"demo","lang":"en","body":"#Rain over #Suva"}`
	blip  = `{"id":"1","source":"demo","lang":"en","country":"FJ","lat":1,"lon":2}`
)

// window finds the window of so many minutes.
func windowOf(b *Book, now time.Time, minutes uint32) *feedv1.Window {
	ws := b.Message(now).GetWindows()
	return ws[slices.IndexFunc(ws, func(w *feedv1.Window) bool { return w.GetMinutes() == minutes })]
}

func TestWindowsSlide(t *testing.T) {
	b := NewBook(noon)
	for i := range 4000 { // one post a second
		now := noon.Add(time.Duration(i) * time.Second)
		b.Tick(now, time.Second)
		b.Count(event("simple_tweet", tweet, now))
	}
	now := noon.Add(3999 * time.Second)
	for minutes, want := range map[uint32]uint64{1: 60, 5: 300, 60: 3600} {
		w := windowOf(b, now, minutes)
		// A window ends within its newest bucket.
		if got := w.GetEvents(); got > want || got+10 < want {
			t.Errorf("%d minutes hold %d events, want %d", minutes, got, want)
		}
		if w.GetKinds()["simple_tweet"] != w.GetEvents() || w.GetLangs()["en"] != w.GetEvents() || w.GetTags()[0].GetCount() != w.GetEvents() {
			t.Errorf("%d minutes: %v", minutes, w)
		}
	}
	later := now.Add(3 * time.Hour)
	b.Tick(later, time.Second)
	if w := windowOf(b, later, 60); w.GetEvents() != 0 || len(w.GetKinds()) != 0 {
		t.Errorf("after hours of silence: %v", w)
	}
}

// TestClockSetBack: what is counted of a time to come does not keep the windows
// from counting until that has come.
func TestClockSetBack(t *testing.T) {
	b := NewBook(noon)
	b.Complete(noon.Add(-time.Hour))
	count := func(now time.Time) {
		b.Tick(now, time.Second)
		e := event("simple_tweet", tweet, now)
		e.Latency = time.Second
		b.Count(e)
	}
	count(noon)
	early := noon.Add(-30 * time.Minute)
	for i := range 10 {
		count(early.Add(time.Duration(i) * time.Second))
	}
	now := early.Add(10 * time.Second)
	for minutes, want := range map[uint32]uint64{1: 10, 5: 10, 60: 11} {
		w := windowOf(b, now, minutes)
		if w.GetEvents() != want || w.GetLangs()["en"] != want || w.GetComplete() {
			t.Errorf("%d minutes: %v, want %d events", minutes, w, want)
		}
	}
	if l := b.Message(now).GetLatency(); l.GetCount() != 10 {
		t.Errorf("latency: %v", l)
	}
	for i := range 70 {
		count(now.Add(time.Duration(i) * time.Second))
	}
	if w := windowOf(b, now.Add(70*time.Second), 1); w.GetEvents() < 58 || w.GetEvents() > 60 || !w.GetComplete() {
		t.Errorf("a minute later: %v", w)
	}
}

func TestPastIsPutWhereItBelongs(t *testing.T) {
	b := NewBook(noon)
	for _, ago := range []time.Duration{time.Second, 2 * time.Minute, 30 * time.Minute, 2 * time.Hour, -time.Hour} {
		b.Past(event("geo_blip", blip, noon.Add(-ago)))
	}
	for minutes, want := range map[uint32]uint64{1: 2, 5: 3, 60: 4} {
		if got := windowOf(b, noon, minutes); got.GetEvents() != want || got.GetComplete() || got.GetCountries()["FJ"] != want {
			t.Errorf("%d minutes: %v, want %d", minutes, got, want)
		}
	}
	b.Complete(noon.Add(-10 * time.Minute))
	if !windowOf(b, noon, 5).GetComplete() || windowOf(b, noon, 60).GetComplete() {
		t.Error("not complete as far back as was told")
	}
	if m := b.Message(noon); m.GetEvents() != 0 || m.GetSources()[0].GetName() != "demo" {
		t.Errorf("got %v", m)
	}
}

func TestTheMapsWindowTellsEveryCountry(t *testing.T) {
	b := NewBook(noon)
	const all = 100
	for i := range all {
		code := string([]byte{'A' + byte(i/26), 'A' + byte(i%26)})
		b.Count(event("geo_blip", fmt.Sprintf(`{"id":"%d","source":"demo","country":"%s","lat":1,"lon":2}`, i, code), noon))
	}
	for minutes, want := range map[uint32]int{1: topNames, mapMinutes: all, 60: topNames} {
		if got := len(windowOf(b, noon, minutes).GetCountries()); got != want {
			t.Errorf("%d minutes tell %d countries, want %d", minutes, got, want)
		}
	}
}

func TestRates(t *testing.T) {
	b := NewBook(noon)
	for range 10 {
		b.Count(event("simple_tweet", tweet, noon))
		b.Count(event("geo_blip", blip, noon))
	}
	b.Count(event("post_removed", `{"id":"1","source":"demo"}`, noon))
	b.Tick(noon, 2*time.Second)
	m := b.Message(noon)
	r := m.GetRates()
	if m.GetRate() != 10.5 || r.GetKinds()["geo_blip"] != 5 || r.GetSources()["demo"] != 10 || r.GetLangs()["en"] != 5 ||
		r.GetCountries()["FJ"] != 5 || m.GetSources()[0].GetRate() != 10 || m.GetKinds()["post_removed"] != 1 {
		t.Errorf("got %v", m)
	}
}

func TestLatency(t *testing.T) {
	b := NewBook(noon)
	if b.Message(noon).GetLatency() != nil {
		t.Error("a latency of nothing")
	}
	for i := range 1000 {
		e := event("simple_tweet", tweet, noon)
		e.Latency = time.Duration(i) * time.Millisecond
		b.Count(e)
	}
	l := b.Message(noon).GetLatency()
	if l.GetCount() != 1000 || l.GetP50Ms() < 450 || l.GetP50Ms() > 550 || l.GetP95Ms() < 850 || l.GetP95Ms() > 1050 {
		t.Errorf("got %v", l)
	}
	b.Tick(noon.Add(2*time.Minute), time.Second)
	if l := b.Message(noon).GetLatency(); l != nil {
		t.Errorf("after two minutes: %v", l)
	}
	for _, d := range []time.Duration{0, 1, time.Hour * 1000} {
		b.latency.add(d)
	}
}

func TestNonsenseIsBounded(t *testing.T) {
	b := NewBook(noon)
	for i := range 5000 {
		b.Count(event("simple_tweet", fmt.Sprintf(`{"id":"1","source":"s%d","lang":"l%d","body":"#t%d"}`, i, i, i), noon))
	}
	w := b.windows[0]
	if w.total.events != 5000 || len(w.total.names[byTag]) > maxNames || len(b.seen) > maxSources {
		t.Errorf("%d events, %d tags, %d sources", w.total.events, len(w.total.names[byTag]), len(b.seen))
	}
	b.Tick(noon.Add(time.Hour), time.Second)
	if len(w.total.names[byTag]) != 0 || w.total.events != 0 {
		t.Errorf("%d tags are left", len(w.total.names[byTag]))
	}
}

func TestTags(t *testing.T) {
	for text, want := range map[string]string{
		"#Rain over #SUVA!": "[rain suva]", "a#b #1 # ## #": "[]", "#東京 #x_1": "[東京 x_1]", "x": "[]", "##a": "[a]", "#a#b": "[a]",
		"#a #b #c #d #e #f #g #h #i #j #k": "[a b c d e f g h i j]",
	} {
		var got []string
		for tag := range tags([]byte(text)) {
			got = append(got, string(tag))
		}
		if fmt.Sprint(got) != want {
			t.Errorf("%s: got %v, want %s", text, got, want)
		}
	}
}

// FuzzTags: no text stops it, and what it finds is in bounds.
func FuzzTags(f *testing.F) {
	f.Add([]byte("#a #\xff #東"))
	f.Fuzz(func(t *testing.T, text []byte) {
		n := 0
		for tag := range tags(text) {
			n++
			if len(tag) == 0 || bytes.ContainsAny(tag, "# \n\"\\") {
				t.Fatalf("tag %q", tag)
			}
		}
		if n > maxTags {
			t.Fatalf("%d tags", n)
		}
	})
}

func BenchmarkCount(b *testing.B) {
	book := NewBook(time.Now())
	e := event("simple_tweet", tweet, time.Now())
	b.ReportAllocs()
	for b.Loop() {
		book.Count(e)
	}
}

// TestPastBookFollowsItsEvents: between two ticks of a replay lies more than a
// window.
func TestPastBookFollowsItsEvents(t *testing.T) {
	b := NewPastBook(noon)
	now := noon
	for range 10 {
		for range 100 { // one post a second, at 100 times the pace
			now = now.Add(time.Second)
			b.Count(event("simple_tweet", tweet, now))
		}
		b.Tick(now, 100*time.Second)
		for minutes, want := range map[uint32]uint64{1: 60, 5: min(300, uint64(now.Sub(noon)/time.Second))} {
			if got := windowOf(b, now, minutes).GetEvents(); got > want || got+15 < want {
				t.Errorf("after %s: %d minutes hold %d events, want %d", now.Sub(noon), minutes, got, want)
			}
		}
		if got := b.Message(now).GetRate(); got != 1 {
			t.Errorf("%v events a second", got)
		}
	}
	b.Past(event("simple_tweet", tweet, noon.Add(-time.Minute)))
	if got := windowOf(b, now, 60).GetEvents(); got != 1001 {
		t.Errorf("60 minutes hold %d events", got)
	}
}
