package replay_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/cmd/blipstream/replay"
	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/services/enrich"
)

// source is where the items of the tests come from.
const source = "test"

// window is the dedupe window of the tests: so short that nothing is stored
// once because of it.
const window = 100 * time.Millisecond

// setup is a server with the short window, and n tweets in RAW.
func setup(t *testing.T, n int) (*bustest.Server, *bus.Conn) {
	t.Helper()
	srv := bustest.Start(t)
	layout := bustest.Layout()
	layout.DedupeWindow = window
	conn := srv.Dial(t, bus.Options{Name: "test", Layout: &layout})
	if err := conn.Ensure(t.Context(), layout); err != nil {
		t.Fatal(err)
	}
	add(t, conn, 0, n)
	return srv, conn
}

// add stores tweets from..to-1, two events each, and one that is broken.
func add(t *testing.T, conn *bus.Conn, from, to int) {
	t.Helper()
	var items []feed.Item
	for id := from; id < to; id++ {
		items = append(items, feed.Item{
			ID: strconv.Itoa(id), Source: source, Format: feed.FormatTwitterV1,
			Data: fmt.Appendf(nil, `{"id_str":"%d","text":"number %d","user":{"id_str":"9","screen_name":"ann"},`+
				`"coordinates":{"type":"Point","coordinates":[%d.5,0]}}`, id, id, id%100),
		})
	}
	items = append(items, feed.Item{ID: "bad" + strconv.Itoa(to), Source: source, Data: []byte("{")})
	bustest.PublishRaw(t, conn, items...)
}

// maker is the code of enrich.
func maker(t *testing.T, conn *bus.Conn) *enrich.Service {
	t.Helper()
	svc, err := enrich.New(enrich.DefaultConfig(), conn, service.Nop())
	if err != nil {
		t.Fatal(err)
	}
	return svc
}

// work runs enrich until it has settled everything.
func work(t *testing.T, conn *bus.Conn) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	svc := maker(t, conn)
	go func() { done <- svc.Run(ctx) }()
	bustest.WaitFor(t, "enrich", func() bool {
		return bustest.Settled(t.Context(), conn, feed.StreamRaw, bus.DurableEnrich)
	})
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	forgotten(t, conn)
}

// forgotten waits until no stream remembers the ids of what it holds: one that
// is published again is stored again.
func forgotten(t *testing.T, conn *bus.Conn) {
	t.Helper()
	before := count(t, conn, feed.StreamDead)
	n := 0
	bustest.WaitFor(t, "the window to pass", func() bool {
		n++
		bustest.Publish(t, conn, feed.StreamDead, bus.Msg{Subject: "dead.test.window", ID: "w" + strconv.FormatUint(before, 10)})
		return count(t, conn, feed.StreamDead) > before+1
	})
}

func count(t *testing.T, conn *bus.Conn, stream string) uint64 {
	t.Helper()
	s, err := conn.Stream(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	return s.Messages
}

// payloads are what a stream holds of events, by event id; one that is there
// twice fails the test.
func payloads(t *testing.T, conn *bus.Conn, stream string, subjects ...string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, m := range bustest.ReadAll(t, conn, stream, subjects...) {
		id := m.Header.Get("Nats-Msg-Id")
		if _, rest, ok := strings.Cut(id, " "); ok {
			id = rest
		}
		if _, twice := all[id]; twice {
			t.Errorf("%s is in %s twice", id, stream)
		}
		all[id] = string(feed.KindOf(m.Subject)) + " " + string(m.Data)
	}
	return all
}

func TestRunLeavesEventsAlone(t *testing.T) {
	const n = 300
	_, conn := setup(t, n)
	work(t, conn)
	live := payloads(t, conn, feed.StreamEvents)
	if len(live) != 2*n {
		t.Fatalf("%d events, want %d", len(live), 2*n)
	}
	for _, run := range []string{"a", "b"} { // the second right after the first
		sum, err := replay.Run(t.Context(), conn, maker(t, conn), replay.Options{Run: run})
		if err != nil || sum.Items != n+1 || sum.Events != 2*n || sum.Bad != 1 || sum.Interrupted {
			t.Errorf("run %s: %+v, %v", run, sum, err)
		}
	}
	if _, err := replay.Run(t.Context(), conn, maker(t, conn), replay.Options{Run: "a"}); !errors.Is(err, replay.ErrRunExists) {
		t.Errorf("%v, want that the run exists", err)
	}
	for want, o := range map[uint64]replay.Options{0: {Run: "a", Continue: true}, 2 * n: {Run: "b", Overwrite: true}} {
		if sum, err := replay.Run(t.Context(), conn, maker(t, conn), o); err != nil || sum.Events != want {
			t.Errorf("%+v: %d events, %v; want %d", o, sum.Events, err, want)
		}
	}
	for _, run := range []string{"a", "b"} {
		if got := payloads(t, conn, feed.StreamReplay, feed.ReplaySubjects(run)); !maps.Equal(got, live) {
			t.Errorf("run %s holds %d events, EVENTS %d, or others", run, len(got), len(live))
		}
	}
	if after := payloads(t, conn, feed.StreamEvents); !maps.Equal(after, live) {
		t.Error("EVENTS changed")
	}
}

func TestRange(t *testing.T) {
	_, conn := setup(t, 10)
	between := time.Now()
	add(t, conn, 10, 20)
	for name, c := range map[string]struct {
		o     replay.Options
		items uint64
	}{
		"from a sequence":     {replay.Options{From: replay.Place{Seq: 18}}, 5},
		"to a sequence":       {replay.Options{To: replay.Place{Seq: 3}}, 3},
		"from a time":         {replay.Options{From: replay.Place{Time: between}}, 11},
		"to a time":           {replay.Options{To: replay.Place{Time: between}}, 11},
		"beyond both ends":    {replay.Options{From: replay.Place{Time: time.Unix(1, 0)}, To: replay.Place{Seq: 1000}}, 22},
		"as fast as it came":  {replay.Options{To: replay.Place{Seq: 3}, Speed: 1}, 3},
		"of a single message": {replay.Options{From: replay.Place{Seq: 2}, To: replay.Place{Seq: 2}}, 1},
	} {
		c.o.Run = strings.ReplaceAll(name, " ", "-")
		if sum, err := replay.Run(t.Context(), conn, maker(t, conn), c.o); err != nil || sum.Items != c.items {
			t.Errorf("%s: %d items, %v; want %d", name, sum.Items, err, c.items)
		}
	}
	for name, o := range map[string]replay.Options{
		"no name":   {},
		"bad name":  {Run: "a.b"},
		"backwards": {Run: "x", From: replay.Place{Seq: 5}, To: replay.Place{Seq: 4}},
		"nothing":   {Run: "x", From: replay.Place{Seq: 1000}},
		"speed":     {Run: "x", Speed: -1},
	} {
		if _, err := replay.Run(t.Context(), conn, maker(t, conn), o); err == nil {
			t.Errorf("%s was not refused", name)
		}
	}
}

// stopper ends a context after some items.
type stopper struct {
	replay.Maker
	after int
	stop  func()
}

func (s *stopper) Make(m *bus.Stored) ([]bus.Msg, error) {
	if s.after--; s.after == 0 {
		s.stop()
	}
	return s.Maker.Make(m)
}

// A run that is interrupted has stored what it says, and goes on where it was.
func TestInterruptedRunGoesOn(t *testing.T) {
	const n = 400
	_, conn := setup(t, n)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	sum, err := replay.Run(ctx, conn, &stopper{maker(t, conn), n / 2, cancel}, replay.Options{Run: "r"})
	if err != nil || !sum.Interrupted || sum.Resume == 0 || sum.Last >= n {
		t.Fatalf("%+v, %v", sum, err)
	}
	if got := payloads(t, conn, feed.StreamReplay); uint64(len(got)) != sum.Events {
		t.Errorf("%d events in the run, %d told", len(got), sum.Events)
	}
	sum, err = replay.Run(t.Context(), conn, maker(t, conn), replay.Options{
		Run: "r", Continue: true, From: replay.Place{Seq: sum.Resume}, To: replay.Place{Seq: sum.To},
	})
	if err != nil || sum.Interrupted {
		t.Errorf("%+v, %v", sum, err)
	}
	if got := payloads(t, conn, feed.StreamReplay); len(got) != 2*n {
		t.Errorf("%d events in the run, want %d", len(got), 2*n)
	}
}

// What RAW's limits remove while a replay reads is told.
func TestMissedItemsAreTold(t *testing.T) {
	const n = 1500
	_, conn := setup(t, n)
	purge := &stopper{maker(t, conn), 1, func() {
		if err := conn.Purge(t.Context(), feed.StreamRaw, feed.RawSubject(source)); err != nil {
			t.Error(err)
		}
	}}
	sum, err := replay.Run(t.Context(), conn, purge, replay.Options{Run: "r"})
	if err != nil || sum.Items == 0 || sum.Missed == 0 || sum.Items+sum.Missed != n+1 {
		t.Errorf("%+v, %v", sum, err)
	}
	if !strings.Contains(sum.String(), "removed by the limits of RAW") {
		t.Errorf("summary %q", sum)
	}
}

// Holes are filled, long after the server has forgotten the ids, and nothing
// is stored twice; what enrich has yet to do is left to it.
func TestHeal(t *testing.T) {
	const n = 300
	srv, conn := setup(t, n)
	work(t, conn)
	whole := payloads(t, conn, feed.StreamEvents)
	srv.DeleteMessages(t, feed.StreamEvents, 2, 3, 77, 2*n)
	add(t, conn, n, n+10)
	sum, err := replay.Run(t.Context(), conn, maker(t, conn), replay.Options{Heal: true})
	if err != nil || sum.Events != 4 || sum.Known != 2*n-4 || sum.Waiting != 11 {
		t.Errorf("%+v, %v", sum, err)
	}
	if got := payloads(t, conn, feed.StreamEvents); !maps.Equal(got, whole) {
		t.Errorf("%d events after healing, want the %d that were", len(got), len(whole))
	}
	forgotten(t, conn)
	if sum, err := replay.Run(t.Context(), conn, maker(t, conn), replay.Options{Heal: true}); err != nil || sum.Events != 0 {
		t.Errorf("healed once more: %+v, %v", sum, err)
	}
	work(t, conn)
	if got := payloads(t, conn, feed.StreamEvents); len(got) != 2*(n+10) {
		t.Errorf("%d events, want %d", len(got), 2*(n+10))
	}
}

// What the limits of EVENTS removed is no hole, unless one says so. A stream
// that was made anew is one large hole.
func TestHealKnowsLimits(t *testing.T) {
	const n = 50
	srv, conn := setup(t, n)
	work(t, conn)
	if err := conn.Purge(t.Context(), feed.StreamEvents, "events.>"); err != nil {
		t.Fatal(err)
	}
	sum, err := replay.Run(t.Context(), conn, maker(t, conn), replay.Options{Heal: true})
	if err != nil || sum.Events != 0 || sum.Beyond != n+1 {
		t.Errorf("%+v, %v", sum, err)
	}
	if sum, err := replay.Run(t.Context(), conn, maker(t, conn), replay.Options{Heal: true, Refill: true}); err != nil || sum.Events != 2*n {
		t.Errorf("refilled: %+v, %v", sum, err)
	}
	srv.DeleteStream(t, feed.StreamEvents)
	if sum, err := replay.Run(t.Context(), conn, maker(t, conn), replay.Options{Heal: true}); err != nil || sum.Events != 2*n {
		t.Errorf("made anew: %+v, %v", sum, err)
	}
}

// Only one heals at a time.
func TestHealIsAlone(t *testing.T) {
	_, conn := setup(t, 5)
	err := conn.Lease("enrich.heal", "somebody", time.Second).Run(t.Context(), func(context.Context, uint64) error {
		_, err := replay.Run(t.Context(), conn, maker(t, conn), replay.Options{Heal: true})
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "somebody heals already") {
		t.Errorf("%v, want to be told who heals", err)
	}
}

func FuzzPlace(f *testing.F) {
	for _, s := range []string{"", "0", "17", "-1", "10m", "-10m", "2026-03-01T12:00:00Z", "99999999999999999999", "1e3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var p replay.Place
		if err := p.UnmarshalText([]byte(text)); err == nil && p.IsZero() && !strings.HasPrefix(text, "0001") {
			t.Errorf("%q is no place and no error", text)
		}
	})
}
