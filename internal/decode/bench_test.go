package decode_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/decode"
	"github.com/blipstream/blipstream/internal/feed"
)

// bulk is a tweet of the size that is usual on the wire, 2.7 kB: most of it
// are fields that nobody reads.
func bulk() []byte {
	filler := `"entities":{"hashtags":[{"text":"tea","indices":[4,8]}],"urls":[{"url":"https://t.co/abc","expanded_url":"https://example.org/a/rather/long/path","indices":[9,32]}],"user_mentions":[]},` +
		`"description":"` + strings.Repeat("Boats, tea and the sea. ", 60) + `","favorited":false,"retweet_count":0,"possibly_sensitive":false,`
	at := strings.Index(pointTweet, `"geo"`)
	return []byte(pointTweet[:at] + filler + strings.Repeat(`"a_field":null,`, 1) + `"more":[` + strings.Repeat(`{"n":12345,"s":"value"},`, 24) + `0],` + pointTweet[at:])
}

// BenchmarkTwitterV1 also reports how many times as long encoding/json takes
// to read the same tweet into maps, which is the usual way to write an
// enrichment step.
func BenchmarkTwitterV1(b *testing.B) {
	data := bulk()
	item := feed.Item{Format: feed.FormatTwitterV1, Data: data}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if _, err := decode.Decode(item); err != nil {
			b.Fatal(err)
		}
		n++
	}
	ours := float64(b.Elapsed()) / float64(n)
	b.ReportMetric(peer(b, data)/ours, "x-map-decode")
}

// peer is how long encoding/json takes to read data into maps, in nanoseconds.
func peer(b *testing.B, data []byte) float64 {
	b.Helper()
	const rounds = 2000
	start := time.Now()
	for range rounds {
		var m map[string]any
		if err := json.Unmarshal(data, &m); err != nil {
			b.Fatal(err)
		}
	}
	return float64(time.Since(start)) / rounds
}
