package rules_test

import (
	"os"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/decode"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/simulate"
	"github.com/blipstream/blipstream/services/enrich/hydrate"
	"github.com/blipstream/blipstream/services/enrich/rules"
)

// nobody looks on. It implements hydrate.Observer.
type nobody struct{}

// Hydrated implements hydrate.Observer.
func (nobody) Hydrated(string, time.Duration, any) {}

// posts are simulated tweets as rules see them.
func posts(tb testing.TB, n uint64) []rules.Input {
	tb.Helper()
	world, err := simulate.NewWorld(simulate.WorldOptions{Seed: 1, Geo: simulate.DefaultGeo, Epoch: time.Unix(1700000000, 0)})
	if err != nil {
		tb.Fatal(err)
	}
	chain, err := hydrate.New(hydrate.Names(), hydrate.Options{MaxRadiusKm: 500}, nobody{})
	if err != nil {
		tb.Fatal(err)
	}
	inputs := make([]rules.Input, n)
	for i := range inputs {
		data := world.Append(nil, uint64(i))
		rec, err := decode.Decode(feed.Item{Source: "test", Format: feed.FormatTwitterV1, Data: data})
		if err != nil {
			tb.Fatal(err)
		}
		chain.Hydrate(&rec)
		inputs[i] = rules.Input{Record: &rec, Raw: data, Identity: rec.ID}
	}
	return inputs
}

// BenchmarkTwentyRules is one tweet under the rules of `bench enrich`.
func BenchmarkTwentyRules(b *testing.B) {
	text, err := os.ReadFile("../bench/rules.yaml")
	if err != nil {
		b.Fatal(err)
	}
	set, err := rules.Parse(text)
	if err != nil {
		b.Fatal(err)
	}
	inputs := posts(b, 1000)
	var obs observer
	var events []feed.Event
	made := 0
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		events, _ = set.Derive(inputs[i%len(inputs)], events[:0], &obs)
		made += len(events)
		i++
	}
	b.ReportMetric(float64(made)/float64(i), "events/op")
	if len(obs.failed) > 0 {
		b.Errorf("a rule failed: %s", obs.failed[0])
	}
}
