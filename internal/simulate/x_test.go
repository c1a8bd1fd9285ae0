package simulate_test

import (
	"testing"

	decoder "github.com/blipstream/blipstream/internal/decode"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/simulate"
)

// TestXWorld: what the world plans is what a reader finds, by old names and new.
func TestXWorld(t *testing.T) {
	w, err := simulate.NewWorld(simulate.DefaultWorld(3))
	if err != nil {
		t.Fatal(err)
	}
	tweets, blips := 0, 0
	for n := range uint64(800) {
		for _, later := range []bool{false, true} {
			rec, err := decoder.Decode(feed.Item{Source: "sim", Data: w.AppendX(nil, n, later)})
			if err != nil {
				t.Fatalf("item %d: %v", n, err)
			}
			if rec.Format != feed.FormatXV2 || !rec.Simulated || rec.Change != feed.ChangePost {
				t.Fatalf("item %d: %+v", n, rec)
			}
			for _, want := range w.Want(n) {
				switch want.Kind {
				case feed.KindSimpleTweet:
					tweets++
					if rec.ID != want.ID || rec.Type != want.Type || !rec.Time.Equal(want.Time) || rec.Upstream.Author.Username != want.Username || rec.Upstream.Author.Name != want.Name {
						t.Fatalf("item %d: %+v, want %+v", n, rec, want)
					}
				case feed.KindGeoBlip:
					blips++
					if len(rec.Upstream.Points)+len(rec.Upstream.Boxes) == 0 {
						t.Errorf("item %d tells no position", n)
					}
				default:
				}
			}
		}
	}
	if tweets < 1200 || blips < 800 {
		t.Errorf("%d tweets, %d blips", tweets, blips)
	}
}
