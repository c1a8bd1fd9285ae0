package ssetest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var errForm = errors.New("not in the form of an event stream")

// noEOF makes the end of input within an event an error of its own.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Target is a server to examine.
type Target struct {
	// URL is its base address: /events is below it.
	URL string
	// Emit makes the server send some new events of the kinds simple_tweet and
	// geo_blip; nil if they come by themselves.
	Emit func(tb testing.TB)
	// Forge makes it send a simple_tweet whose payload, JSON or not, is data as
	// it is; nil leaves out what needs that.
	Forge func(tb testing.TB, data []byte)
	// Stop makes the server stop in order, after everything else; nil leaves out
	// what needs that.
	Stop func(tb testing.TB)
	// Heartbeat is how often it says to send one. 0: 10 seconds.
	Heartbeat time.Duration
	// Client to ask with; nil stands for http.DefaultClient.
	Client *http.Client
}

// patience bounds every wait for the server.
const patience = 30 * time.Second

// controls are the events that are not the stream's own.
func controls() []string { return []string{"hello", "hb", "gap", "bye", "stats", "thinned"} }

// exam is one check in progress.
type exam struct {
	t      *testing.T
	target Target
}

// Run examines a server.
func Run(t *testing.T, target Target) {
	t.Helper()
	if target.Heartbeat == 0 {
		target.Heartbeat = 10 * time.Second
	}
	if target.Emit == nil {
		target.Emit = func(testing.TB) {}
	}
	for name, check := range checks() {
		t.Run(name, func(t *testing.T) { check(exam{t, target}) })
	}
	if target.Stop != nil {
		t.Run("Bye", func(t *testing.T) { checkBye(exam{t, target}) })
	}
}

// checks are all but the last, in no order.
func checks() map[string]func(exam) {
	return map[string]func(exam){
		"Headers": checkHeaders, "Hello": checkHello, "Events": checkEvents,
		"Kinds": checkKinds, "StreamAlias": checkAlias, "Heartbeat": checkHeartbeat,
		"ResumeByHeader": checkHeaderResume, "ResumeByQuery": checkQueryResume,
		"ResumeBeforeFirstEvent": checkHelloResume, "UnknownID": checkUnknownID,
		"Refusals": checkRefusals, "Methods": checkMethods, "Forgery": checkForgery, "Gzip": checkGzip,

		"Filters": checkFilters, "Words": checkWords, "Box": checkBox, "Rate": checkRate,

		"LiveHello": checkLiveHello, "Frames": checkFrames, "FramesOfAKind": checkFramesOfAKind,
		"LiveStats": checkLiveStats, "LiveResume": checkLiveResume, "Snapshot": checkSnapshot, "Answers": checkAnswers,
	}
}

// open opens a stream of /events that ends with the test.
func open(t *testing.T, target Target, query string, header http.Header) *Stream {
	t.Helper()
	return openAt(t, target, "/events"+query, header)
}

// openAt opens a stream of any address that ends with the test.
func openAt(t *testing.T, target Target, path string, header http.Header) *Stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	s, err := Open(ctx, target.Client, target.URL+path, header)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// next reads an event.
func next(t *testing.T, s *Stream) Event {
	t.Helper()
	e, err := s.Next()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// hello reads the first event.
func hello(t *testing.T, s *Stream) Event {
	t.Helper()
	e := next(t, s)
	if e.Name != "hello" {
		t.Fatalf("the first event is %q", e.Name)
	}
	return e
}

// collect reads n events of the stream's own, passing over the others.
func collect(t *testing.T, s *Stream, n int) (events []Event) {
	t.Helper()
	for len(events) < n {
		e := next(t, s)
		if !slices.Contains(controls(), e.Name) {
			events = append(events, e)
		}
	}
	return events
}

// sequence takes an id apart.
func sequence(t *testing.T, id string) (epoch string, seq uint64) {
	t.Helper()
	epoch, digits, ok := strings.Cut(id, "-")
	seq, err := strconv.ParseUint(digits, 10, 64)
	if !ok || err != nil || epoch == "" {
		t.Fatalf("id %q is not <epoch>-<sequence>", id)
	}
	return epoch, seq
}

func checkHeaders(x exam) {
	t, target := x.t, x.target
	for _, path := range []string{"/events", "/live"} {
		checkHead(t, openAt(t, target, path, nil).Response.Header)
	}
}

// checkHead checks the header of an answer that is a stream.
func checkHead(t *testing.T, h http.Header) {
	t.Helper()
	for name, want := range map[string]string{
		"Cache-Control": "no-transform", "X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff",
	} {
		if !strings.Contains(h.Get(name), want) {
			t.Errorf("%s is %q, want %q in it", name, h.Get(name), want)
		}
	}
}

func checkHello(x exam) {
	t, target := x.t, x.target
	e := hello(t, open(t, target, "", nil))
	if e.Retry < 3000 || e.Retry > 8000 {
		t.Errorf("retry: is %d, want 3000 to 8000 ms", e.Retry)
	}
	var body struct {
		Epoch, Version, Time string
		NextSeq              string
	}
	if err := json.Unmarshal([]byte(e.Data), &body); err != nil {
		t.Fatal(err)
	}
	epoch, seq := sequence(t, e.ID)
	if body.Epoch != epoch || body.NextSeq != strconv.FormatUint(seq+1, 10) {
		t.Errorf("id %s does not go with %s", e.ID, e.Data)
	}
	if _, err := time.Parse(time.RFC3339, body.Time); err != nil || body.Version == "" {
		t.Errorf("hello is %s", e.Data)
	}
}

func checkEvents(x exam) {
	t, target := x.t, x.target
	s := open(t, target, "", nil)
	epoch, last := sequence(t, hello(t, s).ID)
	target.Emit(t)
	for _, e := range collect(t, s, 4) {
		if e.Name == "error" || e.Name == "open" || e.Name == "message" {
			t.Errorf("an event is named %q", e.Name)
		}
		ep, seq := sequence(t, e.ID)
		if ep != epoch || seq <= last {
			t.Errorf("id %s follows %s-%d", e.ID, epoch, last)
		}
		last = seq
		if !json.Valid([]byte(e.Data)) {
			t.Errorf("data is no JSON: %s", e.Data)
		}
	}
}

func checkKinds(x exam) {
	t, target := x.t, x.target
	one := open(t, target, "?kind=geo_blip", nil)
	two := open(t, target, "?kind=geo_blip,post_removed&kind=simple_tweet", nil)
	hello(t, one)
	hello(t, two)
	target.Emit(t)
	for _, e := range collect(t, one, 2) {
		if e.Name != "geo_blip" {
			t.Errorf("got a %s, want geo_blip", e.Name)
		}
	}
	seen := map[string]bool{}
	for !seen["geo_blip"] || !seen["simple_tweet"] {
		seen[collect(t, two, 1)[0].Name] = true
	}
}

func checkAlias(x exam) {
	t, target := x.t, x.target
	s := open(t, target, "?stream=simple_tweet", nil)
	hello(t, s)
	target.Emit(t)
	for _, e := range collect(t, s, 2) {
		if e.Name != "simple_tweet" {
			t.Errorf("got a %s, want simple_tweet", e.Name)
		}
	}
}

func checkHeartbeat(x exam) {
	t, target := x.t, x.target
	s := open(t, target, "?kind=never_sent", nil)
	hello(t, s)
	for range 2 {
		e := next(t, s)
		if e.Name != "hb" {
			t.Fatalf("got %+v, want a heartbeat", e)
		}
		sequence(t, e.ID)
		var body struct{ Time time.Time }
		if err := json.Unmarshal([]byte(e.Data), &body); err != nil || time.Since(body.Time).Abs() > patience {
			t.Errorf("heartbeat is %s", e.Data)
		}
	}
}

// checkResume reads some events, then from one of them on again.
func checkResume(t *testing.T, target Target, reopen func(id string) *Stream) {
	t.Helper()
	s := open(t, target, "", nil)
	hello(t, s)
	target.Emit(t)
	before := collect(t, s, 4)
	again := reopen(before[0].ID)
	e := hello(t, again)
	if e.ID != before[0].ID || !strings.Contains(e.Data, `"resumed":true`) {
		t.Errorf("resumed from %s with %+v", before[0].ID, e)
	}
	if after := collect(t, again, 3); !slices.Equal(ids(after), ids(before[1:])) {
		t.Errorf("got %v, want %v", ids(after), ids(before[1:]))
	}
}

// ids are the events' ids.
func ids(events []Event) (ids []string) {
	for _, e := range events {
		ids = append(ids, e.ID)
	}
	return ids
}

func checkHeaderResume(x exam) {
	t, target := x.t, x.target
	checkResume(t, target, func(id string) *Stream {
		// The header is newer than the query a browser repeats.
		return open(t, target, "?lastEventId=stale-1", http.Header{"Last-Event-Id": {id}})
	})
}

func checkQueryResume(x exam) {
	t, target := x.t, x.target
	checkResume(t, target, func(id string) *Stream {
		return open(t, target, "?since=1h&lastEventId="+url.QueryEscape(id), nil)
	})
}

func checkHelloResume(x exam) {
	t, target := x.t, x.target
	s := open(t, target, "", nil)
	id := hello(t, s).ID
	s.Close()
	witness := open(t, target, "", http.Header{"Last-Event-Id": {id}})
	hello(t, witness)
	target.Emit(t)
	want := collect(t, witness, 2)
	late := open(t, target, "", http.Header{"Last-Event-Id": {id}})
	hello(t, late)
	if got := collect(t, late, 2); !slices.Equal(ids(got), ids(want)) {
		t.Errorf("a client cut off before its first event got %v, want %v", ids(got), ids(want))
	}
}

func checkUnknownID(x exam) {
	t, target := x.t, x.target
	for _, id := range []string{"1003", "otherstream-7"} {
		s := open(t, target, "", http.Header{"Last-Event-Id": {id}})
		if e := hello(t, s); strings.Contains(e.Data, "resumed") {
			t.Errorf("resumed from %q: %s", id, e.Data)
		}
		if e := next(t, s); e.Name != "gap" || !strings.Contains(e.Data, "recreated") {
			t.Errorf("from %q: got %+v, want a gap", id, e)
		}
	}
}

// answer is what a request was answered with.
type answer struct {
	status int
	header http.Header
	body   string
}

// get asks for an address.
func get(t *testing.T, target Target, method, path string) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, target.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := target.Client
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(body)}
}

func checkRefusals(x exam) {
	t, target := x.t, x.target
	for query, name := range map[string]string{
		"kind=No!": "kind", "stream=error": "stream", "since=soon": "since", "since=1h&since=2h": "since",
		"lastEventId=7": "lastEventId", "flavour=x": "flavour", "source=": "source", "lang=x": "lang",
		"country=FIN": "country", "q=": "q", "bbox=0,0,1": "bbox", "bbox=0,91,1,92": "bbox", "rate=0": "rate",
		"rate=fast": "rate", "since=1h&speed=1000": "speed", "run=a.b": "run",
	} {
		for _, path := range []string{"/events?", "/live?"} {
			refused(t, target, path+query, name)
		}
	}
}

// refused asks for an address, and expects to be told which parameter is wrong.
func refused(t *testing.T, target Target, path, name string) {
	t.Helper()
	got := get(t, target, http.MethodGet, path)
	var p struct{ Parameter string }
	err := json.Unmarshal([]byte(got.body), &p)
	if got.status != http.StatusBadRequest || err != nil || p.Parameter != name ||
		got.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s: %d: %s", path, got.status, got.body)
	}
}

func checkMethods(x exam) {
	t, target := x.t, x.target
	if got := get(t, target, http.MethodPost, "/events"); got.status != http.StatusMethodNotAllowed {
		t.Errorf("POST is answered %d", got.status)
	}
	if got := get(t, target, http.MethodHead, "/events"); got.status != http.StatusOK || got.body != "" {
		t.Errorf("HEAD is answered %d %q", got.status, got.body)
	}
}
