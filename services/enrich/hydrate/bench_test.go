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

func BenchmarkHydrate(b *testing.B) {
	chain, err := hydrate.New(hydrate.Names(), hydrate.Options{MaxRadiusKm: 500}, nobody{})
	if err != nil {
		b.Fatal(err)
	}
	up := feed.Upstream{
		Author: feed.Author{ID: "42", Username: "a", Name: "A"}, Texts: []string{"Tea &amp; toast at the harbour"},
		HTMLEntities: true, Boxes: []feed.Box{box(-0.5, 51.3, 0.3, 51.7)},
	}
	b.ReportAllocs()
	for b.Loop() {
		rec := feed.Record{Upstream: up}
		chain.Hydrate(&rec)
	}
}
