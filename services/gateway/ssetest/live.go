package ssetest

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// maxPosts is how many posts a frame shows at most.
const maxPosts = 10

// frame is what is checked of a frame.
type frame struct {
	FromSeq, ToSeq uint64 `json:",string"`
	Time           time.Time
	Posts          []json.RawMessage
	Cells          []struct{ Count uint64 }
	Totals         map[string]json.Number
}

// total is how many events it tells of.
func (f frame) total(x exam) (sum int64) {
	x.t.Helper()
	for kind, n := range f.Totals {
		count, err := n.Int64()
		if err != nil || count < 1 {
			x.t.Errorf("total of %s is %s", kind, n)
		}
		sum += count
	}
	return sum
}

// nextFrame reads up to the next frame.
func nextFrame(x exam, s *Stream) (Event, frame) {
	x.t.Helper()
	for {
		e := next(x.t, s)
		if e.Name != "frame" {
			if !slices.Contains(controls(), e.Name) {
				x.t.Fatalf("/live sends a %q", e.Name)
			}
			continue
		}
		var f frame
		if err := json.Unmarshal([]byte(quoted(e.Data)), &f); err != nil {
			x.t.Fatalf("%v: %s", err, e.Data)
		}
		return e, f
	}
}

// quoted makes totals, which are 64-bit and so in quotes, readable as numbers.
func quoted(data string) string {
	head, rest, ok := strings.Cut(data, `"totals":{`)
	if !ok {
		return data
	}
	totals, tail, _ := strings.Cut(rest, "}")
	fields := strings.Split(totals, ",")
	for i, field := range fields {
		name, n, _ := strings.Cut(field, ":")
		fields[i] = name + ":" + strings.Trim(n, `" `)
	}
	return head + `"totals":{` + strings.Join(fields, ",") + "}" + tail
}

func checkLiveHello(x exam) {
	e := hello(x.t, openAt(x.t, x.target, "/live", nil))
	if e.Retry < 3000 || e.Retry > 8000 {
		x.t.Errorf("retry: is %d, want 3000 to 8000 ms", e.Retry)
	}
	sequence(x.t, e.ID)
}

// checkFrames: frames go on where the one before ended, and hold no more than
// a person takes in.
func checkFrames(x exam) {
	s := openAt(x.t, x.target, "/live", nil)
	epoch, reached := sequence(x.t, hello(x.t, s).ID)
	told := int64(0)
	for range 3 {
		x.target.Emit(x.t)
		e, f := nextFrame(x, s)
		ep, seq := sequence(x.t, e.ID)
		if ep != epoch || f.FromSeq <= reached || f.ToSeq < f.FromSeq || seq < f.ToSeq || f.Time.IsZero() {
			x.t.Errorf("after %s-%d a frame %s: %s", epoch, reached, e.ID, e.Data)
		}
		if len(f.Posts) > maxPosts {
			x.t.Errorf("%d posts in a frame", len(f.Posts))
		}
		reached = seq
		told += f.total(x)
	}
	if told < 3 {
		x.t.Errorf("three frames tell of %d events", told)
	}
}

func checkFramesOfAKind(x exam) {
	s := openAt(x.t, x.target, "/live?kind=geo_blip", nil)
	hello(x.t, s)
	x.target.Emit(x.t)
	e, f := nextFrame(x, s)
	for kind := range f.Totals {
		if kind != "geo_blip" && !removal(Event{Name: kind}) {
			x.t.Errorf("kind=geo_blip tells of %s", kind)
		}
	}
	if len(f.Posts) > 0 {
		x.t.Errorf("kind=geo_blip shows posts: %s", e.Data)
	}
}

// checkLiveStats: statistics come about every second by the server's clock, and
// heartbeats beside them.
func checkLiveStats(x exam) {
	s := openAt(x.t, x.target, "/live?source=no_source_is_named_so", nil)
	hello(x.t, s)
	var times []time.Time
	beats := 0
	for len(times) < 3 || beats < 1 {
		e := next(x.t, s)
		if e.Name == "hb" {
			beats++
		}
		if e.Name != "stats" {
			continue
		}
		var m struct {
			Time    time.Time
			Version string
			Windows []struct{ Minutes int }
		}
		if err := json.Unmarshal([]byte(e.Data), &m); err != nil || m.Version == "" || len(m.Windows) == 0 {
			x.t.Fatalf("stats are %s, %v", e.Data, err)
		}
		times = append(times, m.Time)
	}
	if took := times[2].Sub(times[0]); took < time.Second || took > patience {
		x.t.Errorf("three statistics within %s", took)
	}
}

// checkLiveResume: what was missed is summed up.
func checkLiveResume(x exam) {
	s := openAt(x.t, x.target, "/live", nil)
	id := hello(x.t, s).ID
	x.target.Emit(x.t)
	nextFrame(x, s)
	again := openAt(x.t, x.target, "/live?lastEventId="+id, nil)
	if e := hello(x.t, again); e.ID != id || !strings.Contains(e.Data, `"resumed":true`) {
		x.t.Errorf("resumed from %s with %+v", id, e)
	}
	_, from := sequence(x.t, id)
	if _, f := nextFrame(x, again); f.FromSeq != from+1 || f.total(x) == 0 {
		x.t.Errorf("after %s a frame from %d", id, f.FromSeq)
	}
}

// checkSnapshot: a fresh page can go on from what it begins with.
func checkSnapshot(x exam) {
	got := get(x.t, x.target, http.MethodGet, "/api/snapshot")
	var m struct {
		Epoch, ID    string
		Frame, Stats map[string]any
	}
	if err := json.Unmarshal([]byte(got.body), &m); err != nil || got.status != http.StatusOK || m.Frame == nil || m.Stats == nil {
		x.t.Fatalf("%d: %.300s, %v", got.status, got.body, err)
	}
	if epoch, _ := sequence(x.t, m.ID); epoch != m.Epoch {
		x.t.Errorf("id %s of epoch %s", m.ID, m.Epoch)
	}
	if e := hello(x.t, openAt(x.t, x.target, "/live?lastEventId="+m.ID, nil)); e.ID != m.ID {
		x.t.Errorf("went on from %s with %+v", m.ID, e)
	}
}

// checkAnswers: what programs ask for is JSON that nobody keeps.
func checkAnswers(x exam) {
	for path, field := range map[string]string{
		"/api/stats": "windows", "/api/history?window=10m&step=1m": "counts", "/api/snapshot?kind=geo_blip": "frame",
	} {
		got := get(x.t, x.target, http.MethodGet, path)
		var m map[string]any
		err := json.Unmarshal([]byte(got.body), &m)
		if err != nil || got.status != http.StatusOK || m[field] == nil || got.header.Get("Content-Type") != "application/json" ||
			got.header.Get("Cache-Control") != "no-store" {
			x.t.Errorf("%s: %d %v: %.300s, %v", path, got.status, got.header, got.body, err)
		}
	}
	refused(x.t, x.target, "/api/history?step=0s", "step")
	refused(x.t, x.target, "/api/snapshot?lang=x", "lang")
}

// checkGzip: the compressed form is the same stream.
func checkGzip(x exam) {
	for _, path := range []string{"/events", "/live"} {
		raw := openAt(x.t, x.target, path, http.Header{"Accept-Encoding": {"gzip"}}) // by hand: nobody undoes it
		if got := raw.Response.Header.Get("Content-Encoding"); got != "gzip" {
			x.t.Errorf("%s comes as %q", path, got)
			continue
		}
		if !slices.Contains(raw.Response.Header.Values("Vary"), "Accept-Encoding") {
			x.t.Errorf("%s may be kept for who takes no gzip", path)
		}
		zr, err := gzip.NewReader(raw.Response.Body)
		if err != nil {
			x.t.Fatal(err)
		}
		raw.Response.Body = io.NopCloser(zr)
		s := Wrap(raw.Response)
		id := hello(x.t, s).ID
		for range 5 {
			x.target.Emit(x.t)
			e := next(x.t, s)
			if _, seq := sequence(x.t, e.ID); e.Name == "" || seq == 0 && e.ID != id {
				x.t.Errorf("%s: got %+v", path, e)
			}
		}
	}
}

// checkBye: who is reading when the server stops is told so, and when to come
// back, and nothing comes after that.
func checkBye(x exam) {
	streams := map[string]*Stream{}
	for _, path := range []string{"/events", "/live"} {
		streams[path] = openAt(x.t, x.target, path, http.Header{"Accept-Encoding": {"identity"}})
		hello(x.t, streams[path])
	}
	x.target.Stop(x.t)
	for path, s := range streams {
		e := next(x.t, s)
		for e.Name != "bye" {
			e = next(x.t, s)
		}
		var m struct {
			Reason        string
			ReopenAfterMs int
		}
		if err := json.Unmarshal([]byte(e.Data), &m); err != nil || m.Reason == "" || m.ReopenAfterMs < 1 || m.ReopenAfterMs > 60_000 {
			x.t.Errorf("%s: bye is %s, %v", path, e.Data, err)
		}
		if e, err := s.Next(); !errors.Is(err, io.EOF) {
			x.t.Errorf("%s: after bye came %+v, %v", path, e, err)
		}
	}
}
