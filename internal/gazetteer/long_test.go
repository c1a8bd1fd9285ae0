package gazetteer_test

import (
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/gazetteer"
)

// A text of half a megabyte that is made to be slow costs no minutes, and neither
// hides a city nor an address.
func TestLongTexts(t *testing.T) {
	const size = 1 << 19
	g := load(t)
	for _, bit := range []string{"(", "()", "(-", "( ", "(x", "(é", "(.", "(:/"} {
		done := make(chan *gazetteer.City, 1)
		go func() {
			done <- g.Mention(strings.Repeat(bit, size/len(bit))+" Greetings from Berlin", gazetteer.Hints{Lang: "en"})
		}()
		select {
		case city := <-done:
			if city != nil && city.Name != "Berlin" {
				t.Errorf("%q names %s", bit, city.Name)
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("%q takes too long", bit)
		}
	}
	if city := g.Mention("((((https://example.com/In-Berlin", gazetteer.Hints{Lang: "en"}); city != nil {
		t.Errorf("an address names %s", city.Name)
	}
}
