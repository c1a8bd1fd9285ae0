package live

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
	"github.com/blipstream/blipstream/services/gateway/filter"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// put adds an event.
func put(f *Framer, seq uint64, kind, payload string) {
	var facts filter.Facts
	facts.Read([]byte(payload))
	f.Add(seq, kind, []byte(payload), &facts, 10)
}

// frame makes the frame and reads it as strictly as protojson does.
func frame(tb testing.TB, f *Framer) *feedv1.Frame {
	tb.Helper()
	data := f.Append(nil, noon)
	var m feedv1.Frame
	if err := protojson.Unmarshal(data, &m); err != nil {
		tb.Fatalf("%v: %s", err, data)
	}
	if strings.ContainsAny(string(data), "\r\n") {
		tb.Fatalf("line breaks in %q", data)
	}
	return &m
}

func tweet(id int) string {
	return fmt.Sprintf(`{"id":"%d","source":"demo","body":"text %d","lang":"en"}`, id, id)
}

func blip(lat, lon float64) string {
	return fmt.Sprintf(`{"id":"1","source":"demo","lat":%g,"lon":%g,"type":"reply"}`, lat, lon)
}

func TestFrameIsTheContract(t *testing.T) {
	f := NewFramer()
	put(f, 7, "simple_tweet", tweet(1))
	put(f, 8, "geo_blip", blip(0, 0))
	put(f, 9, "geo_blip", `{"id":"2","source":"demo","lat":0.1,"lon":0.2,"type":"reply","radiusKm":7.5,"tags":["}"],"url":"x"}`)
	put(f, 10, "my_rule", `{"id":"2"}`)
	put(f, 11, "post_removed", `{"id":"99","source":"demo"}`)
	put(f, 12, "geo_removed", "{\"id\":\"4-5\",\n\"source\":\"demo\",\"userId\":\"4\",\"upToId\":\"5\"}")
	m := frame(t, f)
	if m.GetFromSeq() != 7 || m.GetToSeq() != 12 || !m.GetTime().AsTime().Equal(noon) {
		t.Errorf("got %v", m)
	}
	if len(m.GetPosts()) != 1 || m.GetPosts()[0].GetBody() != "text 1" {
		t.Errorf("posts %v", m.GetPosts())
	}
	if c := m.GetCells(); len(c) != 1 || c[0].GetCount() != 2 || c[0].GetType() != "reply" || c[0].GetRadiusKm() != 7.5 || c[0].GetLon() != 0.1 {
		t.Errorf("cells %v", c)
	}
	if fmt.Sprint(m.GetTotals()) != "map[geo_blip:2 geo_removed:1 my_rule:1 post_removed:1 simple_tweet:1]" {
		t.Errorf("totals %v", m.GetTotals())
	}
	if len(m.GetPostsRemoved()) != 1 || len(m.GetGeoRemoved()) != 1 || m.GetGeoRemoved()[0].GetUpToId() != "5" {
		t.Errorf("removed %v, %v", m.GetPostsRemoved(), m.GetGeoRemoved())
	}
	if !f.Empty() || f.To() != 0 {
		t.Error("the next frame is not empty")
	}
}

func TestSampleIsFairAndTotalsExact(t *testing.T) {
	const rounds, posts = 2000, 40
	var shown [posts]int
	for range rounds {
		f := NewFramer()
		for i := range posts {
			put(f, uint64(i+1), "simple_tweet", tweet(i))
		}
		m := frame(t, f)
		if len(m.GetPosts()) != 10 || m.GetTotals()["simple_tweet"] != posts {
			t.Fatalf("%d posts, totals %v", len(m.GetPosts()), m.GetTotals())
		}
		last := -1
		for _, p := range m.GetPosts() {
			var id int
			if _, err := fmt.Sscan(p.GetId(), &id); err != nil || id <= last {
				t.Fatalf("id %s after %d", p.GetId(), last)
			}
			shown[id]++
			last = id
		}
	}
	for id, n := range shown {
		// A quarter of 2,000, and seven standard deviations (19.4) to each side.
		if n < 500-136 || n > 500+136 {
			t.Errorf("post %d was shown %d times of %d", id, n, rounds)
		}
	}
}

func TestAPositionAloneIsWhereItWas(t *testing.T) {
	for _, at := range [][2]float64{{0, 0}, {-17.123456789, 179.987654321}, {90, 180}, {-90, -180}, {51.5, -0.1}} {
		f := NewFramer()
		put(f, 1, "geo_blip", fmt.Sprintf(`{"id":"1","lat":%v,"lon":%v}`, at[0], at[1]))
		c := frame(t, f).GetCells()
		if len(c) != 1 || c[0].GetLat() != at[0] || c[0].GetLon() != at[1] || c[0].Lat == nil || c[0].RadiusKm != nil {
			t.Errorf("%v became %v", at, c)
		}
	}
	f := NewFramer()
	put(f, 1, "geo_blip", `{"id":"1","source":"demo"}`)
	if c := frame(t, f).GetCells(); len(c) != 0 {
		t.Errorf("no position became %v", c)
	}
}

// What is told apart on the map is told apart in a frame, and an earthquake's
// magnitude is the largest of its cell, also where all are below zero.
func TestCellsTellPrecisionsAndMagnitudes(t *testing.T) {
	f := NewFramer()
	for i, more := range []string{
		`"precision":"point"`, `"precision":"mention","radiusKm":9`, `"precision":"mention","radiusKm":12`,
		`"precision":"point","type":"quake","magnitude":-0.7`, `"precision":"point","type":"quake","magnitude":-0.4`,
		`"precision":"point","type":"quake"`,
	} {
		put(f, uint64(i+1), "geo_blip", `{"id":"1","lat":1.1,"lon":2.1,`+more+`}`)
	}
	var got []string
	for _, c := range frame(t, f).GetCells() {
		got = append(got, fmt.Sprint(c.GetType(), " ", c.GetPrecision(), " ", c.GetCount(), " ", c.GetRadiusKm(), " ", c.GetMagnitude()))
	}
	want := []string{" point 1 0 0", " mention 2 12 0", "quake point 3 0 -0.4"}
	if !slices.Equal(got, want) {
		t.Errorf("cells %q, want %q", got, want)
	}
}

// TestPositionsAreToldByTheirPosts: a page that must take a position down
// finds it by its post, as long as there are not too many.
func TestPositionsAreToldByTheirPosts(t *testing.T) {
	f := NewFramer()
	put(f, 1, "geo_blip", `{"id":"1\"\u00e9","source":"demo","userId":"7","lat":1,"lon":1,"type":"quake","precision":"point","magnitude":4.5}`)
	put(f, 2, "geo_blip", `{"id":"2","source":"demo","lat":1.1,"lon":1.1,"type":"quake","precision":"point","magnitude":6.1}`)
	put(f, 3, "geo_blip", `{"id":"3","source":"demo","lat":1.1,"lon":1.1,"type":"quake","precision":"mention"}`)
	c := frame(t, f).GetCells()
	if len(c) != 2 || c[0].GetMagnitude() != 6.1 || c[0].GetPrecision() != "point" || c[1].GetPrecision() != "mention" {
		t.Fatalf("got %v", c)
	}
	p := c[0].GetPosts()
	if len(p) != 2 || p[0].GetId() != "1\"é" || p[0].GetUserId() != "7" || p[1].GetId() != "2" || p[1].GetSource() != "demo" {
		t.Errorf("posts %v", p)
	}
	for i := range 3 * maxTold {
		put(f, uint64(i+4), "geo_blip", fmt.Sprintf(`{"id":"%d","source":"demo","lat":%d,"lon":2}`, i, i%7))
	}
	sum, named := 0, 0
	for _, c := range frame(t, f).GetCells() {
		sum, named = sum+int(c.GetCount()), named+len(c.GetPosts())
	}
	if sum != 3*maxTold || named != maxTold {
		t.Errorf("%d positions, %d of them named", sum, named)
	}
}

func TestCellsAreBoundedAndLoseNothing(t *testing.T) {
	f := NewFramer()
	const n = 20000
	for i := range n {
		x := float64(i) * 0.618033988749
		put(f, uint64(i+1), "geo_blip", blip(math.Mod(x*180, 180)-90, math.Mod(x*77*360, 360)-180))
	}
	m := frame(t, f)
	sum := uint32(0)
	for _, c := range m.GetCells() {
		sum += c.GetCount()
	}
	if len(m.GetCells()) > maxCells || len(m.GetCells()) < maxCells/8 || sum != n {
		t.Errorf("%d cells of %d positions", len(m.GetCells()), sum)
	}
}

func TestRemovedPostIsNotShown(t *testing.T) {
	f := NewFramer()
	put(f, 1, "simple_tweet", tweet(1))
	put(f, 2, "simple_tweet", tweet(2))
	put(f, 3, "post_removed", `{"id":"1","source":"demo"}`)
	put(f, 4, "post_removed", `{"id":"2","source":"other"}`)
	if p := frame(t, f).GetPosts(); len(p) != 1 || p[0].GetId() != "2" {
		t.Errorf("posts %v", p)
	}
}

// FuzzFrame: whatever payloads say, the frame is one JSON object on one line.
func FuzzFrame(f *testing.F) {
	f.Add("simple_tweet", tweet(1), "geo_blip", blip(1, 2))
	f.Add("post_removed", "{}", "geo_removed", "{\"a\":\n1}")
	f.Add("simple_tweet", `{"id":1}]}`, "geo_blip", `{"lat":1e400,"lon":1}`)
	f.Fuzz(func(t *testing.T, kind, payload, kind2, payload2 string) {
		known := func(k string) bool {
			return k == "simple_tweet" || k == "geo_blip" || k == "post_removed" || k == "geo_removed"
		}
		if !known(kind) || !known(kind2) {
			return
		}
		fr := NewFramer()
		put(fr, 1, kind, payload)
		put(fr, 2, kind2, payload2)
		data := fr.Append(nil, noon)
		var m feedv1.Frame
		if strings.ContainsAny(string(data), "\r\n") {
			t.Fatalf("line breaks in %q", data)
		}
		// What is in the payloads is theirs; the frame around it is ours.
		if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(data, &m); err != nil &&
			!strings.Contains(err.Error(), "posts") && !strings.ContainsAny(payload+payload2, `:`) {
			t.Fatalf("%v: %s", err, data)
		}
	})
}

func BenchmarkFrame(b *testing.B) {
	p, g := []byte(tweet(1)), []byte(blip(51.5, -0.1))
	var facts, place filter.Facts
	facts.Read(p)
	place.Read(g)
	f := NewFramer()
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		for i := range uint64(20) {
			f.Add(2*i+1, "simple_tweet", p, &facts, 10)
			f.Add(2*i+2, "geo_blip", g, &place, 10)
		}
		dst = f.Append(dst[:0], noon)
	}
}
