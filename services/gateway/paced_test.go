package gateway

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
)

// TestRateAtAPace: a rate holds while history comes at a pace, or as a run, and
// all that it leaves out is told, though neither may ever come to the present.
func TestRateAtAPace(t *testing.T) {
	w := newWorld(t, nil)
	w.publish(300, 10)
	w.settle()
	var run []bus.Msg
	for i := range 600 {
		run = append(run, bus.Msg{
			Subject: "replay.r1.events.geo_blip", ID: fmt.Sprint("r1-", i), Data: fmt.Appendf(nil, `{"id":"%d","source":"a"}`, i),
		})
	}
	bustest.Publish(t, w.conn, feed.StreamReplay, run...)
	for query, most := range map[string]int{"?since=1h&speed=100&rate=20": 40, "?run=r1&rate=20": 20*historySeconds + 20, "?run=r1&speed=100&rate=20": 40} {
		for _, encoding := range []string{"identity", ""} {
			s := w.openAs("/events"+query, "", encoding)
			passed, left := 0, uint64(0)
			for uint64(passed)+left < 600 {
				switch e := w.next(s); e.Name {
				case "thinned":
					var told struct {
						Count uint64 `json:",string"`
					}
					decode(t, e.Data, &told)
					left += told.Count
				case "simple_tweet", "geo_blip":
					passed++
				}
			}
			if passed == 0 || passed > most {
				t.Errorf("%s %q: %d passed, of 600", query, encoding, passed)
			}
			s.Close()
		}
	}
}

// TestFramesAtAPace: the frames of a replay show no more posts than those of the
// present.
func TestFramesAtAPace(t *testing.T) {
	w := newWorld(t, nil)
	w.publish(300, 10)
	w.settle()
	for query, most := range map[string]int{"": framePosts, "&rate=1": 1} {
		s := w.openAs("/live?since=1h&speed=100"+query, "", "")
		for told := uint64(0); told < 600; {
			e := w.next(s)
			if e.Name != "frame" {
				continue
			}
			var f feedv1.Frame
			if err := protojson.Unmarshal([]byte(e.Data), &f); err != nil {
				t.Fatal(err)
			}
			for _, n := range f.GetTotals() {
				told += n
			}
			if n := len(f.GetPosts()); n > most {
				t.Errorf("%q: %d posts in a frame", query, n)
			}
		}
		s.Close()
	}
}
