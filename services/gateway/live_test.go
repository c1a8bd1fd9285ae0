package gateway

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	r3 "github.com/r3labs/sse/v2"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
	"github.com/blipstream/blipstream/services/gateway/ssetest"
)

// frames reads frames until they have told total events, and sums them up.
func (w *world) frames(s *ssetest.Stream, total uint64) *feedv1.Frame {
	w.t.Helper()
	sum := &feedv1.Frame{Totals: map[string]uint64{}}
	told := uint64(0)
	for told < total {
		e := w.next(s)
		if e.Name != "frame" {
			continue
		}
		var f feedv1.Frame
		if err := protojson.Unmarshal([]byte(e.Data), &f); err != nil {
			w.t.Fatalf("%v: %s", err, e.Data)
		}
		if w.seq(e.ID) < f.GetToSeq() || f.GetFromSeq() <= sum.GetToSeq() {
			w.t.Fatalf("frame %s of %d to %d after %d", e.ID, f.GetFromSeq(), f.GetToSeq(), sum.GetToSeq())
		}
		sum.ToSeq = f.GetToSeq()
		sum.Posts = append(sum.Posts, f.GetPosts()...)
		sum.Cells = append(sum.Cells, f.GetCells()...)
		sum.PostsRemoved = append(sum.PostsRemoved, f.GetPostsRemoved()...)
		sum.GeoRemoved = append(sum.GeoRemoved, f.GetGeoRemoved()...)
		for kind, n := range f.GetTotals() {
			sum.Totals[kind] += n
			told += n
		}
	}
	return sum
}

// TestLive: exact totals, merged positions, all removals, whatever is asked for.
func TestLive(t *testing.T) {
	queries := map[string]string{
		"":                      "map[geo_blip:3 geo_removed:1 my_rule:1 post_removed:1 simple_tweet:2] 2 3",
		"?kind=geo_blip":        "map[geo_blip:3 geo_removed:1 post_removed:1] 0 3",
		"?source=a":             "map[geo_blip:2 geo_removed:1 post_removed:1 simple_tweet:1] 1 2",
		"?bbox=170,-20,-170,0":  "map[geo_blip:2 geo_removed:1 post_removed:1] 0 2",
		"?q=rain&rate=50":       "map[geo_blip:1 geo_removed:1 post_removed:1 simple_tweet:1] 1 1",
		"?source=none&lang=en":  "map[geo_removed:1 post_removed:1] 0 0",
		"?lang=en&kind=my_rule": "map[geo_removed:1 my_rule:1 post_removed:1] 0 0",
	}
	w := newWorld(t, nil)
	check := func(how, query string, s *ssetest.Stream) {
		t.Helper()
		want, total := queries[query], uint64(0)
		for f := range strings.FieldsFuncSeq(want, func(r rune) bool { return strings.ContainsRune(" []", r) }) {
			if _, digits, ok := strings.Cut(f, ":"); ok {
				n, _ := strconv.ParseUint(digits, 10, 64)
				total += n
			}
		}
		f := w.frames(s, total)
		if got := fmt.Sprintf("%v %d %d", f.GetTotals(), len(f.GetPosts()), len(f.GetCells())); got != want {
			t.Errorf("%q, %s: got %s, want %s", query, how, got, want)
		}
		if len(f.GetPostsRemoved()) != 1 || len(f.GetGeoRemoved()) != 1 {
			t.Errorf("%q, %s: removed %v, %v", query, how, f.GetPostsRemoved(), f.GetGeoRemoved())
		}
	}
	open := map[[2]string]*ssetest.Stream{}
	for query := range queries {
		for _, encoding := range []string{"identity", ""} {
			s := w.openAs("/live"+query, "", encoding)
			w.next(s)
			open[[2]string{query, encoding}] = s
		}
	}
	w.mixture()
	for query := range queries {
		check("plain", query, open[[2]string{query, "identity"}])
		check("packed", query, open[[2]string{query, ""}])
		check("resumed", query, w.openAs("/live"+query, w.id(0), ""))
	}
}

// TestLiveResume: what was missed is summed up, without what was removed; of
// much more than can be read a gap is told, and what was removed in it.
func TestLiveResume(t *testing.T) {
	w := removedWorld(t, nil)
	f := w.frames(w.openAs("/live", w.id(0), ""), 10)
	if fmt.Sprint(f.GetTotals()) != "map[geo_blip:3 geo_removed:1 post_removed:2 simple_tweet:4]" || len(f.GetPosts()) != 4 || len(f.GetCells()) != 3 {
		t.Errorf("got %v", f)
	}
	w.publish(liveHistory, 10) // twice as many events
	w.settle()
	s := w.openAs("/live", w.id(12), "")
	w.next(s)
	e := w.next(s)
	var told gap
	decode(t, e.Data, &told)
	if e.Name != "gap" || told.Reason != reasonCapped || told.FromSeq != 13 || told.Count != liveHistory+3 {
		t.Errorf("got %+v", e)
	}
	if f := w.frames(s, liveHistory); len(f.GetPostsRemoved()) != 2 || len(f.GetGeoRemoved()) != 1 ||
		len(f.GetPosts()) < historyPosts || len(f.GetPosts()) > historyPosts+framePosts { // a last frame may be ours already
		t.Errorf("%d posts, removed %v %v", len(f.GetPosts()), f.GetPostsRemoved(), f.GetGeoRemoved())
	}
	w.publish(1, 10)
	w.frames(s, 2) // and it goes on
}

// TestLiveCountsEveryEventOnce: over many resumes every event is in exactly one frame.
func TestLiveCountsEveryEventOnce(t *testing.T) {
	w := newWorld(t, nil)
	published := make(chan struct{})
	last := w.id(0)
	go func() {
		defer close(published)
		for range 60 {
			w.publish(5, 10)
			<-time.After(10 * time.Millisecond)
		}
	}()
	total := uint64(0)
	for total < 600 {
		s := w.openAs("/live", last, "")
		for n := 0; n < 2 && total < 600; {
			e := w.next(s)
			if e.Name == "gap" {
				t.Fatalf("gap %s", e.Data)
			}
			if e.Name == "frame" {
				var f feedv1.Frame
				if err := protojson.Unmarshal([]byte(e.Data), &f); err != nil {
					t.Fatal(err)
				}
				total += f.GetTotals()["simple_tweet"] + f.GetTotals()["geo_blip"]
				n++
			}
			last = e.ID
		}
		s.Close()
	}
	<-published
	if total != 600 {
		t.Errorf("%d events were told of 600", total)
	}
}

func TestLiveStats(t *testing.T) {
	w := newWorld(t, nil)
	for _, encoding := range []string{"identity", ""} {
		s := w.openAs("/live", "", encoding)
		w.next(s)
		bustest.Publish(t, w.conn, feed.StreamEvents, bus.Msg{
			Subject: "events.simple_tweet", ID: encoding + "l", Data: []byte(`{"id":"1","source":"a","lang":"en","body":"#rain"}`),
			Header: bus.Header{feed.HeaderReceived: {time.Now().Add(-time.Second).UTC().Format(time.RFC3339Nano)}},
		})
		for {
			e := w.next(s)
			if e.Name != "stats" {
				continue
			}
			var m feedv1.Stats
			if err := protojson.Unmarshal([]byte(e.Data), &m); err != nil {
				t.Fatal(err)
			}
			if m.GetEvents() == 0 {
				continue
			}
			if len(m.GetWindows()) != 3 || m.GetWindows()[0].GetTags()[0].GetName() != "rain" || m.GetLatency().GetP50Ms() < 900 ||
				m.GetClients() == 0 || m.GetSources()[0].GetName() != "a" || m.GetRates() == nil {
				t.Errorf("got %s", e.Data)
			}
			break
		}
	}
}

// TestPastHour: the statistics of a gateway that has just started hold what
// was stored before.
func TestPastHour(t *testing.T) {
	w := newWorld(t, nil)
	w.publish(1500, 10)
	w.stop()
	w.cfg.Warm = 0
	w.start()
	bustest.WaitFor(t, "the past is counted", func() bool {
		win := w.gateway.book.Message(time.Now()).GetWindows()[2]
		return win.GetEvents() == 3000 && win.GetComplete() && win.GetSources()["test"] == 3000
	})
	w.stop()
	w.cfg.MaxPastEvents = 1000
	w.start()
	bustest.WaitFor(t, "a part of the past is counted", func() bool {
		win := w.gateway.book.Message(time.Now()).GetWindows()[2]
		return win.GetEvents() == 1000 && !win.GetComplete()
	})
}

func TestSnapshot(t *testing.T) {
	w := removedWorld(t, nil)
	var m feedv1.Snapshot
	get := func(path string) {
		got := httpGet(w.gateway, path)
		if got.Code != http.StatusOK {
			t.Fatalf("%d: %s", got.Code, got.Body)
		}
		m.Reset()
		if err := protojson.Unmarshal(got.Body.Bytes(), &m); err != nil {
			t.Fatalf("%v: %s", err, got.Body)
		}
	}
	get("/api/snapshot")
	if len(m.GetFrame().GetPosts()) != 4 || len(m.GetFrame().GetCells()) != 3 || m.GetId() != w.id(15) || m.GetStats().GetLastSeq() != 15 {
		t.Errorf("got %v", &m)
	}
	get("/api/snapshot?q=post&kind=simple_tweet")
	if len(m.GetFrame().GetPosts()) != 4 || len(m.GetFrame().GetCells()) != 0 {
		t.Errorf("filtered: %v", &m)
	}
	w.publish(100, 10)
	w.settle()
	get("/api/snapshot")
	if n := len(m.GetFrame().GetPosts()); n != historyPosts || m.GetFrame().GetPosts()[n-1].GetId() != strconv.FormatInt(w.serial.Load(), 10) {
		t.Errorf("%d posts", n)
	}
	w.next(w.openAs("/live", m.GetId(), "")) // the page goes on from there
}

func TestHistoryCounts(t *testing.T) {
	w := newWorld(t, nil)
	w.publish(50, 10)
	got := httpGet(w.gateway, "/api/history?window=1m&step=1s")
	var m feedv1.History
	if err := protojson.Unmarshal(got.Body.Bytes(), &m); err != nil {
		t.Fatalf("%v: %s", err, got.Body)
	}
	sum := uint64(0)
	for _, n := range m.GetCounts() {
		sum += n
	}
	if sum != 100 || len(m.GetCounts()) != 60 || m.GetStepSeconds() != 1 || m.GetEpoch() != w.gateway.tail.State().Epoch {
		t.Errorf("got %v", &m)
	}
	for query, name := range map[string]string{
		"window=0s": "window", "window=200h": "window", "step=1ms": "step", "window=2h&step=1s": "step", "window=1m&step=2m": "step",
		"x=1": "x", "step=1s&step=2s": "step",
	} {
		got := httpGet(w.gateway, "/api/history?"+query)
		if got.Code != http.StatusBadRequest || !strings.Contains(got.Body.String(), `"parameter":"`+name+`"`) {
			t.Errorf("%s: %d %s", query, got.Code, got.Body)
		}
	}
}

// TestFramesEndBeforeAGap: what was taken before a gap, or before the sequences
// start over, is told before that: a client that resumes behind it has had it.
func TestFramesEndBeforeAGap(t *testing.T) {
	g := atRest(t, testConfig())
	h := g.hub
	h.reset("e", 1, nil)
	v, problem := h.acquire(selection{live: true}, false, everybody())
	if problem != nil {
		t.Fatal(problem)
	}
	r := v.tail.Live(nil)
	h.append(event(1, "geo_blip", `{"id":"1","source":"a"}`))
	h.notice(5, []byte("gap\n\n"))
	h.append(event(5, "geo_blip", `{"id":"5","source":"a"}`))
	h.reset("f", 1, []byte("recreated\n\n"))
	h.append(event(1, "geo_blip", `{"id":"1","source":"a"}`))
	h.flush()
	var got strings.Builder
	for chunk, _ := r.Next(nil); chunk.Bytes > 0; chunk, _ = r.Next(nil) {
		for _, run := range chunk.Runs {
			got.Write(run)
		}
	}
	at := 0
	for _, want := range []string{"id: e-1\n", "gap", "id: e-5\n", "recreated", "id: f-1\n"} {
		i := strings.Index(got.String()[at:], want)
		if i < 0 {
			t.Fatalf("no %q where it belongs in %s", want, got.String())
		}
		at += i
	}
}

// TestEarlyFramesBringNoCredit: frames that end before their time, because a gap
// comes, show no more posts than the rate has for the time that passed.
func TestEarlyFramesBringNoCredit(t *testing.T) {
	g := atRest(t, testConfig())
	h := g.hub
	h.reset("e", 1, nil)
	v, problem := h.acquire(selection{live: true, rate: 2 * framesPerSecond}, false, everybody())
	if problem != nil {
		t.Fatal(problem)
	}
	seq, r := uint64(0), v.tail.Live(nil)
	shown := func() int {
		for range 5 {
			for range 3 {
				seq++
				h.append(event(seq, "simple_tweet", fmt.Sprintf(`{"id":"%d","source":"a","body":"b"}`, seq)))
			}
			h.notice(0, []byte("gap\n\n"))
		}
		h.flush()
		posts := 0
		for chunk, _ := r.Next(nil); chunk.Bytes > 0; chunk, _ = r.Next(nil) {
			for _, run := range chunk.Runs {
				posts += strings.Count(string(run), `"body":"b"`)
			}
		}
		return posts
	}
	for turn, want := range []int{1, 2, 2} { // one at first, then two for each tenth of a second
		if got := shown(); got != want {
			t.Errorf("turn %d: %d posts, want %d", turn, got, want)
		}
		h.mu.Lock()
		h.tickAll(time.Now(), nil)
		h.mu.Unlock()
	}
}

// TestReplayAtAPace: history comes at its own pace, times the speed, and goes
// over to the present.
func TestReplayAtAPace(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Heartbeat = 100 * time.Millisecond })
	w.publish(1, 10)
	first := time.Now()
	bustest.WaitFor(t, "the clock moves on", func() bool { return time.Since(first) > 1200*time.Millisecond })
	w.publish(1, 10)
	w.settle()
	began := time.Now()
	s := w.open("?since=1h&speed=2", "")
	if got := w.sequences(s, 2); fmt.Sprint(got) != "[1 2]" {
		t.Fatalf("got %v", got)
	}
	if got := w.sequences(s, 2); fmt.Sprint(got) != "[3 4]" || time.Since(began) < 500*time.Millisecond {
		t.Errorf("got %v after %s", got, time.Since(began))
	}
	w.publish(1, 10)
	w.sequences(s, 2)
	live := w.openAs("/live?since=1h&speed=100", "", "")
	w.publish(1, 10)
	w.frames(live, 8)
	bustest.WaitFor(t, "the places are free again", func() bool { return len(w.gateway.paced) == 0 })
}

func TestReplaysAtAPaceAreBounded(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.MaxPaced = 1 })
	w.gateway.paced <- struct{}{}
	if got := httpGet(w.gateway, "/events?since=1h&speed=1"); got.Code != http.StatusServiceUnavailable || got.Header().Get("Retry-After") == "" {
		t.Errorf("answered %d", got.Code)
	}
	w.next(w.open("", "")) // others are served
}

// TestRun: a run is read from its beginning, resumed within, and followed.
func TestRun(t *testing.T) {
	w := newWorld(t, nil)
	put := func(run string, ids ...int) {
		for _, id := range ids {
			bustest.Publish(t, w.conn, feed.StreamReplay, bus.Msg{
				Subject: "replay." + run + ".events.geo_blip", ID: fmt.Sprint(run, id), Data: fmt.Appendf(nil, `{"id":"%d","source":"a"}`, id),
			})
		}
	}
	put("r1", 1, 2)
	put("r2", 3)
	put("r1", 4)
	s := w.open("?run=r1", "")
	if got := fmt.Sprint(w.sequences(s, 3)); got != "[1 2 4]" {
		t.Errorf("got %s", got)
	}
	put("r1", 5)
	e := w.next(s)
	if w.seq(e.ID) != 5 {
		t.Errorf("got %+v", e)
	}
	again := w.open("?run=r1&source=a&kind=geo_blip&speed=100", strings.Replace(e.ID, "-5", "-1", 1))
	if got := fmt.Sprint(w.sequences(again, 3)); got != "[2 4 5]" {
		t.Errorf("resumed: got %s", got)
	}
	if got := httpGet(w.gateway, "/events?run=nope"); got.Code != http.StatusNotFound || !strings.Contains(got.Body.String(), `"parameter":"run"`) {
		t.Errorf("an unknown run: %d", got.Code)
	}
}

// TestGzipByOthers: programs that know nothing of ours read the compressed
// form: Go's gzip reader, r3labs' client and curl.
func TestGzipByOthers(t *testing.T) {
	w := newWorld(t, nil)
	s := w.openAs("/events", "", "gzip") // not undone by the transport, since asked for by hand
	if got := s.Response.Header.Get("Content-Encoding"); got != "gzip" {
		t.Fatalf("encoding %q", got)
	}
	zr, err := gzip.NewReader(s.Response.Body)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(zr)
	got := make(chan string, 100)
	client := r3.NewClient(w.url() + "/live")
	go func() {
		_ = client.SubscribeRawWithContext(t.Context(), func(e *r3.Event) { got <- string(e.Event) }) // ends with the test
	}()
	w.clients(2)
	w.publish(200, 50)
	for want := 1; want <= 400; {
		if !lines.Scan() {
			t.Fatal(lines.Err())
		}
		if id, ok := strings.CutPrefix(lines.Text(), "id: "); ok && w.seq(id) > 0 {
			if w.seq(id) != uint64(want) {
				t.Fatalf("id %s, want %d", id, want)
			}
			want++
		}
	}
	for seen := map[string]bool{}; !seen["frame"] || !seen["stats"] || !seen["hello"]; {
		seen[<-got] = true
	}
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("no curl")
	}
	out, _ := exec.CommandContext(t.Context(), curl, "-sN", "--compressed", "-m", "2", w.url()+"/live").Output() // its time ends it
	if text := string(out); !strings.HasPrefix(text, "id: ") || !strings.Contains(text, "event: stats\ndata: {") {
		t.Errorf("curl read %.200q", text)
	}
}
