package bridge_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/simulate"
	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
	"github.com/blipstream/blipstream/services/bridge"
	"github.com/blipstream/blipstream/services/bridge/legacy"
)

// world is a simulated one with much that is malformed.
func world(t *testing.T) *simulate.World {
	t.Helper()
	o := simulate.DefaultWorld(3)
	o.Malformed, o.Limits = 0.2, true
	w, err := simulate.NewWorld(o)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// items are n of a world, then one of each malformed sort.
func items(t *testing.T, n uint64) []string {
	t.Helper()
	w := world(t)
	var all []string
	for i := range n {
		all = append(all, string(w.Append(nil, i)))
	}
	for i, sort := range simulate.MalformedSorts() {
		if sort != simulate.Huge {
			all = append(all, string(w.AppendMalformed(nil, sort, n+uint64(i))))
		}
	}
	return all
}

// plainText reads the entities of the old wire.
func plainText(s string) string {
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(s)
}

// tailLine is a post as `blipstream tail` prints it, behind the time.
func tailLine(username, name, body string) string {
	return "@" + username + " (" + name + "): " + strings.ReplaceAll(body, "\n", " ")
}

// afterTime is a printed line without its time.
func afterTime(line string) string {
	_, rest, _ := strings.Cut(line, "] ")
	return rest
}

// oldLine is what the old subscriber must print of a tweet; "" for nothing. A
// text that is a number is printed, too, but makes no event.
func oldLine(tweet string) (line string, event bool) {
	var t struct {
		Text any
		User struct {
			ScreenName string `json:"screen_name"`
			Name       string
		}
	}
	if json.Unmarshal([]byte(tweet), &t) != nil || t.Text == nil || t.Text == "" || t.User.ScreenName == "" || t.User.Name == "" {
		return "", false
	}
	_, event = t.Text.(string)
	return tailLine(t.User.ScreenName, t.User.Name, fmt.Sprint(t.Text)), event
}

// TestOldProgramsReadTheNewLine has the old subscriber and the old enrich step
// read what NATS holds, and the old enrich step's events come back, through
// recorded payloads and everything malformed. Nobody dies.
func TestOldProgramsReadTheNewLine(t *testing.T) {
	srv, red := bustest.Start(t), startRedis(t)
	conn := srv.Conn(t, "bridge")
	r := run(t, conn, config(red, bridge.Out, bridge.In))
	subscriber, enricher, page := reader(t, red, "subscriber.py"), reader(t, red, "enricher.py"), reader(t, red, "page.py")

	payloads := append(items(t, 1000), corpus(t)...)
	var want, events []string
	var in []feed.Item
	safe := 0
	for i, p := range payloads {
		in = append(in, feed.Item{ID: strconv.Itoa(i), Source: "sim", Format: feed.FormatTwitterV1, Data: []byte(p)})
		out, err := legacy.Safe([]byte(p))
		if err != nil {
			continue
		}
		safe++
		line, event := oldLine(string(out))
		if line != "" {
			want = append(want, line)
		}
		if event {
			events = append(events, line)
		}
	}
	bustest.PublishRaw(t, conn, in...)
	bustest.WaitFor(t, "all is published", func() bool { return int(r.metric("passed_total", "twitter_raw")) == safe })
	bustest.WaitFor(t, "all events come back", func() bool {
		enricher.alive()
		return len(page.printed()) >= 2*safe
	})
	bustest.WaitFor(t, "all is printed", func() bool { return len(subscriber.printed()) >= len(want) })
	for i, line := range subscriber.printed() {
		if plainText(afterTime(line)) != plainText(want[i]) && !strings.Contains(want[i], "\ufffd") {
			t.Fatalf("line %d: %q, want %q", i, line, want[i])
		}
	}
	if held := r.metric("held_total"); int(held)+safe != len(payloads) || held == 0 {
		t.Errorf("%v held back of %d, %d safe", held, len(payloads), safe)
	}
	checkEvents(t, r, conn, events)
	for _, p := range []*program{subscriber, enricher, page} {
		p.alive()
	}
}

// checkEvents proves that what the old enrich step published says the same as
// the lines printed, to a strict reader.
func checkEvents(t *testing.T, r *running, conn *bus.Conn, want []string) {
	t.Helper()
	bustest.WaitFor(t, "events are stored", func() bool {
		stored := len(bustest.ReadAll(t, conn, feed.StreamEvents))
		return stored > 0 && r.metric("passed_total", "events") >= float64(len(want))
	})
	got := map[string]bool{}
	for _, m := range bustest.ReadAll(t, conn, feed.StreamEvents) {
		if feed.KindOf(m.Subject) == feed.KindGeoBlip {
			var blip feedv1.GeoBlip
			if err := protojson.Unmarshal(m.Data, &blip); err != nil || blip.GetLat() == 0 && blip.GetLon() == 0 {
				t.Errorf("blip = %s, %v", m.Data, err)
			}
			continue
		}
		var tweet feedv1.SimpleTweet
		if err := protojson.Unmarshal(m.Data, &tweet); err != nil {
			t.Fatalf("event = %s, %v", m.Data, err)
		}
		got[tailLine(tweet.GetUsername(), tweet.GetName(), tweet.GetBody())] = true
	}
	for _, line := range want {
		if !got[plainText(line)] {
			t.Fatalf("no event says %q", line)
		}
	}
}

// payload is the event that the pipeline must make of what a world wants.
func payload(t *testing.T, w simulate.Want) bus.Msg {
	t.Helper()
	var m proto.Message = &feedv1.SimpleTweet{
		Id: w.ID, Source: "sim", Time: timestamppb.New(w.Time), Username: w.Username, Name: w.Name, Body: w.Body,
	}
	if w.Kind == feed.KindGeoBlip {
		m = &feedv1.GeoBlip{Id: w.ID, Source: "sim", Time: timestamppb.New(w.Time), Lat: &w.Lat, Lon: &w.Lon, Precision: string(w.Precision)}
	}
	data, err := protojson.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return bus.Msg{Subject: feed.EventSubject(w.Kind), ID: feed.EventID(w.Kind, "sim", w.ID), Data: data}
}

// TestNewLineFeedsTheOldPage has the old consumer bring raw messages in, noise
// and all, and the old page show the new line's events.
func TestNewLineFeedsTheOldPage(t *testing.T) {
	srv, red := bustest.Start(t), startRedis(t)
	conn := srv.Conn(t, "bridge")
	r := run(t, conn, config(red, bridge.In, bridge.Out))
	page := reader(t, red, "page.py")
	w := world(t)
	var want []string
	for i := range uint64(1000) {
		for _, ev := range w.Want(i) {
			if ev.Kind == feed.KindSimpleTweet {
				want = append(want, tailLine(ev.Username, ev.Name, ev.Body))
			}
			if ev.Kind == feed.KindSimpleTweet || ev.Kind == feed.KindGeoBlip {
				bustest.Publish(t, conn, feed.StreamEvents, payload(t, ev))
			}
		}
	}
	consumer := python(t, red, "consumer.py")
	sent := append(items(t, 500), corpus(t)...)
	ids := map[string]bool{}
	for _, line := range sent {
		if _, err := consumer.in.Write([]byte(line + "\n")); err != nil {
			t.Fatal(err)
		}
		if it, err := legacy.ParseRaw([]byte(line)); err == nil {
			ids["legacy:"+it.ID] = true
		}
	}
	bustest.WaitFor(t, "raw messages are stored", func() bool {
		return int(r.metric("passed_total", "twitter_raw")+r.metric("ignored_total")+r.metric("dead_total")) == 3*len(sent)
	})
	for _, m := range bustest.ReadAll(t, conn, feed.StreamRaw) {
		delete(ids, m.Header.Get("Nats-Msg-Id"))
	}
	if len(ids) > 0 {
		t.Errorf("%d messages are not stored", len(ids))
	}
	var got []string
	bustest.WaitFor(t, "the page shows all", func() bool {
		page.alive()
		got = shown(t, page)
		return len(got) >= len(want)
	})
	if !slices.Equal(got, want) {
		t.Errorf("the page shows something else than tail")
	}
	consumer.alive()
}

// shown is what a page shows of posts, as tail would print it.
func shown(t *testing.T, page *program) []string {
	t.Helper()
	var lines []string
	for _, line := range page.printed() {
		kind, body, _ := strings.Cut(line, " ")
		if kind != string(feed.KindSimpleTweet) {
			continue
		}
		var ev struct{ Username, Name, Body string }
		if err := json.Unmarshal([]byte(body), &ev); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, tailLine(ev.Username, plainText(ev.Name), plainText(ev.Body)))
	}
	return lines
}
