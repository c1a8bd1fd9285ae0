package gateway

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/gateway/ssetest"
	"github.com/blipstream/blipstream/services/gateway/tail"
)

// pad makes an event about 1 KiB, so that the ring of testConfig holds about
// a thousand.
const pad = 900

// evicted is a world whose ring has lost its beginning: 2,000 events.
func evicted(t *testing.T, change func(*Config)) *world {
	t.Helper()
	w := newWorld(t, change)
	w.publish(1000, pad)
	w.settle()
	if floor := w.gateway.tail.State().Floor; floor < 500 {
		t.Fatalf("the ring still reaches back to %d", floor)
	}
	return w
}

func TestResumeFromTheStream(t *testing.T) {
	w := evicted(t, nil)
	s := w.open("", w.id(7))
	if e := w.next(s); e.Name != "hello" || !strings.Contains(e.Data, `"resumed":true`) {
		t.Fatalf("got %+v", e)
	}
	w.publish(50, pad)
	if gaps := w.account(s, 8, 2100); len(gaps) > 0 {
		t.Errorf("gaps %+v", gaps)
	}
	w.publish(5, pad)
	w.account(s, 2101, 2110)
}

func TestResumeWhileTheRingMovesOn(t *testing.T) {
	w := evicted(t, nil)
	s := w.open("", w.id(1))
	published := make(chan struct{})
	go func() {
		defer close(published)
		w.publish(700, pad)
	}()
	if gaps := w.account(s, 2, 3400); len(gaps) > 0 {
		t.Errorf("gaps %+v", gaps)
	}
	<-published
}

func TestResumeFilteredFromTheStream(t *testing.T) {
	for _, kinds := range []string{"geo_blip", "geo_blip,post_removed"} {
		w := evicted(t, nil)
		s := w.open("?kind="+kinds, w.id(4))
		w.next(s)
		for want := uint64(6); want <= 2000; want += 2 {
			if e := w.next(s); e.Name != "geo_blip" || w.seq(e.ID) != want {
				t.Fatalf("got %s %s, want %d", e.Name, e.ID, want)
			}
		}
	}
}

func TestResumeForARareKind(t *testing.T) {
	w := evicted(t, nil)
	s := w.open("?kind=post_removed", w.id(4))
	w.next(s)
	bustest.Publish(t, w.conn, feed.StreamEvents, bus.Msg{
		Subject: feed.EventSubject(feed.KindPostRemoved), ID: "removed", Data: []byte(`{"id":"1"}`),
	})
	if e := w.next(s); e.Name != "post_removed" || w.seq(e.ID) != 2001 {
		t.Errorf("got %+v", e)
	}
}

func TestTrimmedHistoryIsTold(t *testing.T) {
	w := &world{t: t, server: bustest.Start(t), cfg: testConfig()}
	layout := bustest.Layout()
	layout.Events.MaxBytes = 2 << 20
	w.connect(layout)
	w.start()
	w.publish(2000, pad)
	w.settle()
	state, err := w.conn.Stream(t.Context(), feed.StreamEvents)
	if err != nil || state.FirstSeq < 100 {
		t.Fatalf("the stream was not trimmed: %+v, %v", state, err)
	}
	gaps := w.account(w.open("", w.id(7)), 8, 4000)
	if len(gaps) != 1 || gaps[0] != (gap{reasonTrimmed, 8, state.FirstSeq - 1, state.FirstSeq - 8}) {
		t.Errorf("gaps %+v, first %d", gaps, state.FirstSeq)
	}
	s := w.open("?since=1h", "")
	w.next(s)
	if e := w.next(s); e.Name != "gap" || !strings.Contains(e.Data, reasonTrimmed) {
		t.Errorf("since: got %+v", e)
	}
}

func TestMoreHistoryThanServedIsTold(t *testing.T) {
	w := evicted(t, func(c *Config) { c.MaxReplayEvents = 100 })
	s := w.open("", w.id(7))
	gaps := w.account(s, 8, 2000)
	if len(gaps) != 1 || gaps[0].Reason != reasonCapped || gaps[0].FromSeq != 8 {
		t.Errorf("gaps %+v", gaps)
	}
}

func TestReplaysAreBounded(t *testing.T) {
	w := evicted(t, func(c *Config) { c.MaxReplays = 1 })
	w.gateway.replays <- struct{}{} // somebody else
	s := w.open("", w.id(7))
	live := w.open("", "")
	w.next(live)
	w.publish(1, pad)
	w.account(live, 2001, 2002) // is not held up
	<-w.gateway.replays
	if gaps := w.account(s, 8, 2002); len(gaps) > 0 {
		t.Errorf("gaps %+v", gaps)
	}
}

func TestGivingUpIsTold(t *testing.T) {
	w := evicted(t, nil)
	c := &client{s: w.gateway, start: start{epoch: w.gateway.tail.State().Epoch, next: 8}, out: &recorder{}}
	if err := c.giveUp(); err != nil {
		t.Fatal(err)
	}
	floor := w.gateway.tail.State().Floor
	want := fmt.Sprintf(`"reason":"capped","fromSeq":"8","toSeq":"%d","count":"%d"`, floor-1, floor-8)
	if got := c.out.(*recorder).String(); !strings.Contains(got, want) || c.reader.Position() != floor-1 { //nolint:errcheck // made above
		t.Errorf("told %q", got)
	}
}

// recorder is an outlet that keeps what it is sent.
type recorder struct{ strings.Builder }

func (r *recorder) send(runs [][]byte) error {
	for _, run := range runs {
		r.Write(run)
	}
	return nil
}

func TestSince(t *testing.T) {
	w := newWorld(t, nil)
	w.publish(5, 10)
	first := bustest.ReadAll(t, w.conn, feed.StreamEvents)[9].Time
	bustest.WaitFor(t, "the clock moves on", func() bool { return time.Since(first) > 10*time.Millisecond })
	between := time.Now().UTC()
	w.publish(5, 10)
	w.settle()
	for query, from := range map[string]uint64{
		"?since=1h": 1,
		"?since=" + url.QueryEscape(between.Format(time.RFC3339Nano)): 11,
	} {
		s := w.open(query, "")
		if gaps := w.account(s, from, 20); len(gaps) > 0 {
			t.Errorf("%s: gaps %+v", query, gaps)
		}
	}
}

func TestRestartOfTheGateway(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Warm = 0 }) // history comes from the stream
	s := w.open("", "")
	w.next(s)
	w.publish(50, 10)
	w.account(s, 1, 100)
	w.stop()
	for {
		e := w.next(s)
		if e.Name == "bye" {
			break
		}
	}
	w.publish(50, 10)
	w.start()
	s = w.open("", w.id(100))
	w.publish(50, 10)
	if gaps := w.account(s, 101, 300); len(gaps) > 0 {
		t.Errorf("gaps %+v", gaps)
	}
}

func TestMemoryIsWarmAfterAStart(t *testing.T) {
	w := newWorld(t, nil)
	w.publish(2000, pad)
	w.stop()
	w.start()
	state := w.gateway.tail.State()
	if state.Next != 4001 || state.Floor < 1000 || state.Floor > 3500 {
		t.Errorf("after a start the ring holds %d to %d", state.Floor, state.Next-1)
	}
	s := w.open("", "")
	w.next(s)
	w.publish(1, pad)
	w.account(s, 4001, 4002) // and a new client gets none of it
}

func TestRecreatedStream(t *testing.T) {
	w := newWorld(t, nil)
	s := w.open("", "")
	w.next(s)
	w.publish(5, 10)
	w.account(s, 1, 10)
	old := w.gateway.tail.State().Epoch
	w.server.Stop()
	w.server.Wipe()
	w.server.Start()
	bustest.WaitFor(t, "a new stream", func() bool {
		state, err := w.conn.Stream(t.Context(), feed.StreamEvents)
		return err == nil && state.Epoch != old
	})
	w.publish(5, 10)
	w.settle()
	for name, s := range map[string]*ssetest.Stream{"open": s, "resumed": w.open("", old+"-3")} {
		gaps := w.account(s, 1, 10)
		if len(gaps) != 1 || gaps[0].Reason != reasonRecreated {
			t.Errorf("%s: gaps %+v", name, gaps)
		}
	}
}

func TestRewoundStream(t *testing.T) {
	w := newWorld(t, nil)
	w.publish(5, 10)
	s := w.open("", w.id(8))
	w.account(s, 9, 10)
	f, epoch := newFollower(w.gateway), w.gateway.tail.State().Epoch
	f.epoch, f.next, f.isWarm = epoch, 11, true
	if err := f.changed(bus.StreamState{Epoch: epoch, FirstSeq: 1, LastSeq: 7}); err != nil {
		t.Fatal(err)
	}
	if err := f.store(&bus.Stored{Subject: "events.geo_blip", Seq: 8, Data: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	if gaps := w.account(s, 8, 8); len(gaps) != 1 || gaps[0].Reason != reasonRecreated {
		t.Errorf("gaps %+v", gaps)
	}
}

func TestTrimmedBeforeTheGatewayReadIt(t *testing.T) {
	w := newWorld(t, nil)
	w.publish(1, 10)
	s := w.open("?kind=geo_blip", w.id(1))
	w.next(s)
	w.next(s)
	f := newFollower(w.gateway)
	f.epoch, f.next, f.isWarm = w.gateway.tail.State().Epoch, 3, true
	if err := f.store(&bus.Stored{Subject: "events.geo_blip", Seq: 9, Data: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	if gaps := w.account(s, 3, 9); len(gaps) != 1 || gaps[0] != (gap{reasonTrimmed, 3, 8, 6}) {
		t.Errorf("gaps %+v", gaps)
	}
}

func TestLostBacklogIsTold(t *testing.T) {
	w := &world{t: t, server: bustest.Start(t), cfg: testConfig()}
	layout := bustest.Layout()
	layout.Raw.MaxBytes = 1 << 20
	w.connect(layout)
	w.start()
	s := w.open("?kind=geo_blip", "")
	w.next(s)
	raw := make([]bus.Msg, 200)
	for i := range raw {
		raw[i] = bus.Msg{Subject: feed.RawSubject("test"), ID: strconv.Itoa(i), Data: make([]byte, 10<<10)}
	}
	bustest.Publish(t, w.conn, feed.StreamRaw, raw...)
	state, err := w.conn.Stream(t.Context(), feed.StreamRaw)
	if err != nil {
		t.Fatal(err)
	}
	// The gateway looks in its own time: in the middle, it tells a part first.
	told := uint64(0)
	for told < state.FirstSeq-1 {
		e := w.next(s)
		if e.Name == "hb" {
			continue
		}
		var g gap
		decode(t, e.Data, &g)
		if e.Name != "gap" || g.Reason != reasonBacklog || g.FromSeq != told+1 || g.Count != g.ToSeq-told {
			t.Fatalf("told %s %s after %d", e.Name, e.Data, told)
		}
		told = g.ToSeq
	}
	if told != state.FirstSeq-1 || told < 50 {
		t.Errorf("told up to %d, RAW begins at %d", told, state.FirstSeq)
	}
}

func TestBacklogLook(t *testing.T) {
	var b backlog
	for _, step := range []struct {
		epoch        string
		first, floor uint64
		from, to     uint64
	}{
		{"e", 1, 0, 0, 0},
		{"e", 11, 4, 5, 10},
		{"e", 11, 4, 0, 0},
		{"e", 21, 4, 11, 20},
		{"e", 31, 40, 0, 0},
		{"f", 1, 0, 0, 0},
		{"f", 3, 0, 1, 2},
	} {
		from, to, lost := b.look(step.epoch, step.first, step.floor)
		if from != step.from || to != step.to || lost != (step.to > 0) {
			t.Errorf("%+v: got %d-%d", step, from, to)
		}
	}
}

func TestNothingButEventsIsSent(t *testing.T) {
	w := newWorld(t, nil)
	s := w.open("", "")
	w.next(s)
	attack := "{\"body\":\"x\"}\n\nid: 9\r\nevent: error\r\ndata: 1\r\r\x00data: 2"
	bustest.Publish(t, w.conn, feed.StreamEvents,
		bus.Msg{Subject: "events.error", ID: "1", Data: []byte(`{}`)},
		bus.Msg{Subject: "events.Upper", ID: "2", Data: []byte(`{}`)},
		bus.Msg{Subject: "events.simple_tweet", ID: "3"},
		bus.Msg{Subject: "events.simple_tweet", ID: "4", Data: []byte(attack)},
		bus.Msg{Subject: "events.my_rule.x", ID: "5", Data: []byte(`{}`)},
	)
	e := w.next(s)
	if e.Name != "simple_tweet" || w.seq(e.ID) != 4 || strings.Count(e.Data, "\n") != strings.Count(strings.ReplaceAll(attack, "\r\n", "\n"), "\n")+2 {
		t.Errorf("got %+v", e)
	}
	if e = w.next(s); e.Name != "x" {
		t.Errorf("got %+v", e)
	}
}

func TestNotReadyWithoutNATS(t *testing.T) {
	w := &world{t: t, server: bustest.New(t), cfg: testConfig()}
	w.conn = w.server.Dial(t, bus.Options{Name: "gateway"})
	g, err := New(w.cfg, w.conn, testEnv())
	if err != nil {
		t.Fatal(err)
	}
	if g.ready() == nil {
		t.Error("ready before it has read anything")
	}
	w.gateway = g
	if got := httpGet(g, "/readyz"); got.Code != http.StatusServiceUnavailable {
		t.Errorf("/readyz answers %d", got.Code)
	}
}

// TestTrimmedWhileBeingRead: what the stream lost between two batches is told,
// and what was never there is not.
func TestTrimmedWhileBeingRead(t *testing.T) {
	g := atRest(t, testConfig())
	out := &recorder{}
	c := &client{s: g, start: start{epoch: "e", next: 5}, out: out}
	batch := []bus.Stored{
		{Subject: "events.geo_blip", Seq: 9, Data: []byte("{}")},
		{Subject: "events.geo_blip", Seq: 12, Data: []byte("{}")},
	}
	if err := c.sendBatch(batch, 8); err != nil {
		t.Fatal(err)
	}
	want := "id: e-7\nevent: gap\ndata: {\"reason\":\"trimmed\",\"fromSeq\":\"5\",\"toSeq\":\"7\",\"count\":\"3\"}\n\n" +
		"id: e-9\nevent: geo_blip\ndata: {}\n\nid: e-12\nevent: geo_blip\ndata: {}\n\n"
	if out.String() != want {
		t.Errorf("got %q", out.String())
	}
	out.Reset()
	if err := c.nothing(t.Context(), tail.State{Epoch: "e", Next: 20}, 15); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); !strings.Contains(got, `"fromSeq":"13","toSeq":"14"`) || c.start.next != 20 {
		t.Errorf("got %q, next %d", got, c.start.next)
	}
}

// TestStreamMadeAnewWhileBeingRead: the reading starts over, and says so.
func TestStreamMadeAnewWhileBeingRead(t *testing.T) {
	w := evicted(t, nil)
	out := &recorder{}
	c := &client{s: w.gateway, start: start{epoch: "gone", next: 1900}, out: out}
	if err := c.replay(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := out.String()
	if !strings.Contains(got, `"recreated"`) || !strings.Contains(got, "id: "+w.id(1)+"\nevent: simple_tweet") || c.reader == nil {
		t.Errorf("got %.300q", got)
	}
}
