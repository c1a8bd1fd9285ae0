package gateway

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
	"github.com/blipstream/blipstream/services/gateway/sse"
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

// pacer admits a client of that path, whose turns the caller takes by a clock
// of its own.
func (w *world) pacer(path string, now time.Time) (*pacer, *recorder) {
	w.t.Helper()
	req, problem := sse.ParseRequest(httptest.NewRequest(http.MethodGet, path, nil), now)
	if problem != nil {
		w.t.Fatal(problem)
	}
	sent := &recorder{}
	c := &client{s: w.gateway, req: req, isLive: true, leave: func() {}, out: sent}
	if _, problem := w.gateway.admit(w.t.Context(), c); problem != nil {
		w.t.Fatal(problem)
	}
	w.t.Cleanup(func() { c.leave() })
	c.history.begin(c)
	return newPacer(c, now), sent
}

// stored is when the stream took sequence seq.
func (w *world) stored(seq uint64) time.Time {
	w.t.Helper()
	batch, err := w.conn.Range(w.t.Context(), feed.StreamEvents, seq, 1)
	if err != nil || len(batch) != 1 {
		w.t.Fatalf("event %d: %v, %v", seq, batch, err)
	}
	return batch[0].Time
}

// statsOf reads the statistics out of a stream.
func statsOf(t *testing.T, stream string) (all []*feedv1.Stats) {
	t.Helper()
	for event := range strings.SplitSeq(stream, "\n\n") {
		_, data, ok := strings.Cut(event, "event: stats\ndata: ")
		if !ok {
			continue
		}
		var m feedv1.Stats
		if err := protojson.Unmarshal([]byte(data), &m); err != nil {
			t.Fatal(err)
		}
		all = append(all, &m)
	}
	return all
}

// TestStatsOfAReplay: the statistics of a replay are those of the time that is
// replayed: of what it has passed and what was before its beginning, not of
// what came since, nor of what was removed since.
func TestStatsOfAReplay(t *testing.T) {
	w := newWorld(t, nil)
	w.put(
		"simple_tweet", `{"id":"1","source":"a","lang":"en","body":"#before"}`,
		"simple_tweet", `{"id":"2","source":"a","lang":"en","body":"#removed"}`,
		"geo_blip", `{"id":"1","source":"a","country":"FJ","lat":-18.1,"lon":178.4}`,
	)
	const first, last = 4, 203
	for range last - first + 1 {
		w.put("geo_blip", `{"id":"3","source":"a","country":"MT","lat":35.9,"lon":14.5}`)
	}
	w.put("post_removed", `{"id":"2","source":"a"}`, "geo_blip", `{"id":"4","source":"a","country":"NZ","lat":-41,"lon":174}`)
	w.settle()
	since := w.stored(first)
	tick := w.stored(last).Sub(since) / 25
	for _, query := range []string{"", "&source=other&rate=1"} { // of everything, whatever the filter
		now := time.Now()
		p, sent := w.pacer("/live?speed=1&since="+since.Format(time.RFC3339Nano)+query, now)
		for range 2*framesPerSecond + 2 {
			if done, err := p.step(t.Context(), now); done || err != nil {
				t.Fatal(done, err)
			}
			if err := p.turn(t.Context(), now); err != nil {
				t.Fatal(err)
			}
			now = now.Add(tick)
		}
		told := statsOf(t, sent.String())
		if len(told) != 3 {
			t.Fatalf("%q: told %d times", query, len(told))
		}
		for second, m := range told {
			at := since.Add(time.Duration(second*framesPerSecond) * tick)
			passed := uint64(0)
			for seq := uint64(first); seq <= last && !w.stored(seq).After(at); seq++ {
				passed++
			}
			if got := m.GetTime().AsTime(); !got.Equal(at) || m.Backlog != nil || m.GetParts() != nil || (second > 0) != (m.GetRate() > 0) {
				t.Errorf("%q: at %s of %s: %v", query, got, at, m)
			}
			five := m.GetWindows()[1]
			var tags []string
			for _, tag := range five.GetTags() {
				tags = append(tags, tag.GetName())
			}
			want := fmt.Sprint(map[string]uint64{"FJ": 1, "MT": passed}, map[string]uint64{"en": 1}, []string{"before"})
			if got := fmt.Sprint(five.GetCountries(), five.GetLangs(), tags); got != want {
				t.Errorf("%q: %s, want %s", query, got, want)
			}
		}
	}
}

// TestStatsOfARun: a run has no pace, and no time before it.
func TestStatsOfARun(t *testing.T) {
	w := newWorld(t, nil)
	w.mixture()
	bustest.Publish(t, w.conn, feed.StreamReplay, bus.Msg{
		Subject: "replay.r1.events.geo_blip", ID: "r1", Data: []byte(`{"id":"1","source":"a","country":"MT","lat":35.9,"lon":14.5}`),
	})
	for _, query := range []string{"", "&speed=10"} {
		s := w.openAs("/live?run=r1"+query, "", "")
		e := w.next(s)
		for e.Name != "stats" {
			e = w.next(s)
		}
		var m feedv1.Stats
		if err := protojson.Unmarshal([]byte(e.Data), &m); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(m.GetEvents(), m.GetWindows()[2].GetCountries()); got != "1 map[MT:1]" {
			t.Errorf("%q: %s", query, got)
		}
	}
}
