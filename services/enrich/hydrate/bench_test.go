package hydrate_test

import (
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/enrich/hydrate"
)

// nobody is an Observer that does not listen.
type nobody struct{}

func (nobody) Hydrated(string, time.Duration, any) {}

// usual is a post of the usual sort: it tells its language and a place.
func usual() feed.Record {
	return feed.Record{
		ID: "1850000000000000001", Source: "demo", Lang: "en", Type: feed.TypePost, Time: time.Unix(1.79e9, 0), Received: time.Unix(1.79e9, 1e8),
		Upstream: feed.Upstream{
			Author: feed.Author{ID: "42", Username: "a", Name: "A"},
			Texts:  []string{"Tea &amp; toast at the harbour, and a long walk to the Old Mill with Ann and Bert afterwards #weekend"}, HTMLEntities: true,
			Boxes: []feed.Box{box(-0.5, 51.3, 0.3, 51.7)}, Tags: []string{"weekend"}, Mentions: []string{}, Links: []string{},
			ProfileLocation: "somewhere by the sea",
		},
	}
}

// BenchmarkHydrate runs the default chain over a post with a place, with a
// city in its text, and with nothing.
func BenchmarkHydrate(b *testing.B) {
	chain := newChain(b, hydrate.Defaults()...)
	placed, named, bare := usual(), usual(), usual()
	named.Upstream.Boxes, bare.Upstream.Boxes = nil, nil
	named.Upstream.Texts = []string{"Stuck on the platform in Copenhagen again, at least there is tea and a book about Greenland"}
	for name, rec := range map[string]feed.Record{"placed": placed, "named": named, "bare": bare} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				rec := rec
				chain.Hydrate(&rec)
			}
		})
	}
}

// BenchmarkEach runs each hydrator alone, after those before it.
func BenchmarkEach(b *testing.B) {
	names := hydrate.Names()
	for i, name := range names {
		before, alone := newChain(b, names[:i+1]...), newChain(b, name)
		b.Run(name, func(b *testing.B) {
			rec := usual()
			before.Hydrate(&rec)
			b.ReportAllocs()
			for b.Loop() {
				rec := rec
				if name == "spread" || name == "country" {
					rec.City = ""
				}
				alone.Hydrate(&rec)
			}
		})
	}
	b.Run("language guessed", func(b *testing.B) {
		alone := newChain(b, "language")
		rec := usual()
		rec.Lang, rec.Body = "", rec.Upstream.Texts[0]
		b.ReportAllocs()
		for b.Loop() {
			rec := rec
			alone.Hydrate(&rec)
		}
	})
}
