package derive_test

import (
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/enrich/derive"
)

// BenchmarkEvents makes the two events of a post, and reports how many times as
// long protojson takes for the same bytes.
func BenchmarkEvents(b *testing.B) {
	rec := post()
	rec.Body = "A text of the usual length: tea & toast at the harbour, and \"quotes\" too.\nSecond line 🌍"
	rec.Position = &feed.Position{Lat: 51.5, Lon: -0.1, Precision: feed.PrecisionPlace, RadiusKm: 18.604, Origin: "place"}
	all := derive.All()
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for _, d := range all {
			d.Derive(rec)
		}
		n++
	}
	ours := float64(b.Elapsed()) / float64(n)
	const rounds = 5000
	start := time.Now()
	for range rounds {
		for _, k := range []feed.Kind{feed.KindSimpleTweet, feed.KindGeoBlip} {
			m, _ := message(k, rec)
			if _, err := protojson.Marshal(m); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(time.Since(start))/rounds/ours, "x-protojson")
	b.ReportMetric(ours/2, "ns/event")
}
