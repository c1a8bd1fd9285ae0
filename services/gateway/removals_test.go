package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/services/gateway/filter"
	"github.com/blipstream/blipstream/services/gateway/ssetest"
)

// decode reads JSON.
func decode(t *testing.T, data string, to any) {
	t.Helper()
	if err := json.Unmarshal([]byte(data), to); err != nil {
		t.Fatalf("%v: %s", err, data)
	}
}

// event is an event with that payload.
func event(seq uint64, kind, payload string) *incoming {
	facts := &filter.Facts{}
	facts.Read([]byte(payload))
	return &incoming{seq: seq, kind: kind, payload: []byte(payload), facts: facts}
}

func TestGone(t *testing.T) {
	r := newRemovals(100)
	r.add(event(1, "post_removed", `{"id":"5","source":"a"}`))
	r.add(event(2, "geo_removed", `{"id":"7-100","source":"a","userId":"7","upToId":"100"}`))
	r.add(event(3, "geo_removed", `{"id":"7-20","source":"a","userId":"7","upToId":"20"}`)) // says no more
	for payload, want := range map[string]bool{
		`{"id":"5","source":"a"}`:                                    true,
		`{"id":"5","source":"b"}`:                                    false,
		`{"id":"6","source":"a"}`:                                    false,
		`{"source":"a"}`:                                             false,
		`{"id":"99","source":"a","userId":"7","lat":1,"lon":1}`:      true,
		`{"id":"100","source":"a","userId":"7","lat":1,"lon":1}`:     true,
		`{"id":"101","source":"a","userId":"7","lat":1,"lon":1}`:     false,
		`{"id":"20000","source":"a","userId":"7","lat":1,"lon":1}`:   false,
		`{"id":"00099","source":"a","userId":"7","lat":1,"lon":1}`:   true,
		`{"id":"99","source":"a","userId":"8","lat":1,"lon":1}`:      false,
		`{"id":"99","source":"a","userId":"7","body":"no position"}`: false,
	} {
		if got := r.gone("geo_blip", event(9, "", payload).facts); got != want {
			t.Errorf("%s: %v", payload, got)
		}
	}
	if r.gone("post_removed", event(9, "", `{"id":"5","source":"a"}`).facts) {
		t.Error("a removal is removed")
	}
	if !r.since(3) || r.since(4) {
		t.Error("the last removal is not known")
	}
}

// TestRemovalsAreBounded: the oldest give way, and the stream is not trusted
// where they were.
func TestRemovalsAreBounded(t *testing.T) {
	r := newRemovals(10)
	for i := range uint64(25) {
		kind, payload := "post_removed", fmt.Sprintf(`{"id":"%d","source":"a"}`, i)
		if i%2 == 1 {
			kind, payload = "geo_removed", fmt.Sprintf(`{"source":"a","userId":"%d","upToId":"9"}`, i)
		}
		r.add(event(i+1, kind, payload))
	}
	if n := len(r.posts) + len(r.geos); n != 10 || r.trusted() != 16 {
		t.Errorf("%d are known, trusted from %d", n, r.trusted())
	}
	if len(r.between(5, 8)) != 4 {
		t.Error("the newest are not kept whole")
	}
}

// removedWorld holds posts 1 to 6 (events 1 to 12), of which 2 and 5 are
// removed afterwards, and the position of 3 with those of author 7.
func removedWorld(t *testing.T, change func(*Config)) *world {
	t.Helper()
	w := newWorld(t, change)
	for i := range 6 {
		user := 6
		if i == 2 {
			user = 7
		}
		w.put(
			"simple_tweet", fmt.Sprintf(`{"id":"%d","source":"a","body":"post %[1]d.","userId":"%d"}`, i+1, user),
			"geo_blip", fmt.Sprintf(`{"id":"%d","source":"a","userId":"%d","lat":%[1]d,"lon":1}`, i+1, user),
		)
	}
	w.put("post_removed", `{"id":"2","source":"a"}`, "post_removed", `{"id":"5","source":"a"}`,
		"geo_removed", `{"id":"7-3","source":"a","userId":"7","upToId":"3"}`)
	w.settle()
	return w
}

// kept are the events of removedWorld that may be sent again.
const kept = "[1 2 5 7 8 11 12 13 14 15]"

// TestRemovedIsLeftOut: of every replay and resume, from memory and from the
// stream, by a gateway that saw the removal and by one that has just started.
func TestRemovedIsLeftOut(t *testing.T) {
	w := removedWorld(t, nil)
	check := func(how string, s *ssetest.Stream) {
		t.Helper()
		if got := fmt.Sprint(w.sequences(s, 10)); got != kept {
			t.Errorf("%s: got %s, want %s", how, got, kept)
		}
	}
	for range 2 {
		for _, encoding := range []string{"identity", ""} {
			check("resumed", w.openAs("/events", w.id(0), encoding))
			check("since", w.openAs("/events?since=1h", "", encoding))
			check("at a pace", w.openAs("/events?since=1h&speed=100", "", encoding))
			check("filtered", w.openAs("/events?source=a", w.id(0), encoding))
		}
		check("HTTP/2", w.openAs("/events", w.id(0), ""))
		w.stop()
		w.cfg.Warm = 0 // from the stream
		w.start()
	}
	// A client that has had the removals, too, is served as it is.
	if got := fmt.Sprint(w.sequences(w.openAs("/events", w.id(12), "identity"), 3)); got != "[13 14 15]" {
		t.Errorf("got %s", got)
	}
}

// TestRemovedBeforeItCame: a post whose removal overtook it is never sent.
func TestRemovedBeforeItCame(t *testing.T) {
	w := newWorld(t, nil)
	s := w.open("", "")
	w.next(s)
	w.put("post_removed", `{"id":"1","source":"a"}`, "simple_tweet", `{"id":"1","source":"a"}`, "simple_tweet", `{"id":"2","source":"a"}`)
	if got := fmt.Sprint(w.sequences(s, 2)); got != "[1 3]" {
		t.Errorf("got %s", got)
	}
}

// TestOlderRemovals: a gateway that starts is ready when it knows what was
// removed of what it serves from memory. Older history waits until that is
// known, too, and never shows what was removed.
func TestOlderRemovals(t *testing.T) {
	w := removedWorld(t, nil)
	w.publish(50, 10) // 100 events more
	w.stop()
	s := &Service{cfg: w.cfg, conn: w.conn}
	r := newRemovals(100)
	if err := r.load(t.Context(), s.conn, 20); err != nil || r.trusted() != 20 || r.count() != 0 {
		t.Fatalf("trusted from %d, %v", r.trusted(), err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if r.await(ended, 20) != nil || !errors.Is(r.await(ended, 19), errRebuilding) {
		t.Error("does not wait for what is not known, or waits for what is")
	}
	waited := make(chan error)
	go func() { waited <- r.await(t.Context(), 1) }()
	if more, err := r.extend(t.Context(), s.conn); more || err != nil || r.trusted() != 1 || r.count() != 3 {
		t.Errorf("more %v, %v: trusted from %d, %d known", more, err, r.trusted(), r.count())
	}
	if err := <-waited; err != nil {
		t.Error(err)
	}
	small := newRemovals(2)
	if err := small.load(t.Context(), s.conn, 20); err != nil {
		t.Fatal(err)
	}
	if more, err := small.extend(t.Context(), s.conn); more || err != nil || small.trusted() != 14 || small.count() != 2 {
		t.Errorf("without room: more %v, %v: trusted from %d, %d known", more, err, small.trusted(), small.count())
	}
	w.cfg.Warm = 0 // nothing of it is in memory
	w.start()
	if got := fmt.Sprint(w.sequences(w.open("", w.id(0)), 10)); got != kept {
		t.Errorf("got %s, want %s", got, kept)
	}
	known := w.gateway.removals
	known.mu.Lock()
	known.floor, known.whole = 19, false // as if it were still reading
	known.mu.Unlock()
	w.clients(1)
	extended := make(chan error)
	go func() {
		bustest.WaitFor(t, "the client waits", func() bool { return w.gateway.limits.count() == 2 })
		_, err := known.extend(t.Context(), s.conn)
		extended <- err
	}()
	late := w.open("", w.id(0))
	if err := <-extended; err != nil {
		t.Fatal(err)
	}
	w.next(late)
	if e := w.next(late); w.seq(e.ID) != 1 || e.Name == "gap" {
		t.Errorf("who had to wait got %+v", e)
	}
}

// TestUntrustedHistoryIsNotServed: where removals were forgotten, a gap is told.
func TestUntrustedHistoryIsNotServed(t *testing.T) {
	w := removedWorld(t, func(c *Config) { c.MaxRemovals = 1 })
	s := w.open("", w.id(0))
	w.next(s)
	if e := w.next(s); e.Name != "gap" || !strings.Contains(e.Data, `"reason":"capped","fromSeq":"1","toSeq":"14","count":"14"`) {
		t.Errorf("got %+v", e)
	}
	if e := w.next(s); w.seq(e.ID) != 15 {
		t.Errorf("got %+v", e)
	}
}
