package usgs

import (
	"maps"
	"testing"

	"github.com/blipstream/blipstream/internal/feed"
)

func TestCursor(t *testing.T) {
	h := holding{generated: 1_772_600_000_000, quakes: map[string]quake{"ci1": {5, 6}, "sha-0f": {-7, 1_772_600_000_000}}}
	got, err := parseCursor(h.cursor())
	if err != nil || got.generated != h.generated || !maps.Equal(got.quakes, h.quakes) {
		t.Errorf("%q reads as %+v, %v", h.cursor(), got, err)
	}
}

func FuzzCursor(f *testing.F) {
	f.Add("1 abc\nci1 5 6")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := parseCursor(feed.Cursor(text))
		if err != nil || text == "" {
			return
		}
		again, err := parseCursor(h.cursor())
		if err != nil || again.generated != h.generated || !maps.Equal(again.quakes, h.quakes) {
			t.Errorf("%q: %+v, then %+v, %v", text, h, again, err)
		}
	})
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"metadata":{"generated":5},"features":[{"id":"a","properties":{"time":1,"updated":2}}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		a, err := readAnswer(body)
		for _, q := range a.features {
			if err == nil && q.id == "" {
				t.Errorf("%q: a feature without a name", body)
			}
		}
	})
}
