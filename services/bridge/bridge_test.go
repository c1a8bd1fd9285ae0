package bridge_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/services/bridge"
)

func TestNewRefusesWhatCannotWork(t *testing.T) {
	ok := bridge.DefaultConfig()
	ok.TwitterRaw = bridge.In
	for name, change := range map[string]func(*bridge.Config){
		"all off":              func(c *bridge.Config) { c.TwitterRaw = bridge.Off },
		"one channel, in out":  func(c *bridge.Config) { c.Events, c.EventsChannel = bridge.Out, c.TwitterRawChannel },
		"one channel, in in":   func(c *bridge.Config) { c.Events, c.EventsChannel = bridge.In, c.TwitterRawChannel },
		"no name":              func(c *bridge.Config) { c.TwitterRawChannel = " " },
		"direction":            func(c *bridge.Config) { c.Events = "both" },
		"url":                  func(c *bridge.Config) { c.Redis = "127.0.0.1:6379" },
		"scheme":               func(c *bridge.Config) { c.Redis = "http://:s3cret@127.0.0.1:6379" },
		"port":                 func(c *bridge.Config) { c.Redis = "redis://:s3cret@127.0.0.1:s3cret" },
		"password":             func(c *bridge.Config) { c.Redis = "redis://u:s3cret#@x" },
		"password with digits": func(c *bridge.Config) { c.Redis = "redis://:12/s3cret@x" },
		"password with hash":   func(c *bridge.Config) { c.Redis = "redis://:12#s3cret@x" },
		"no UTF-8":             func(c *bridge.Config) { c.EventsChannel = "e\xff" },
		"parameter":            func(c *bridge.Config) { c.Redis = "redis://:s3cret@x?colour=red" },
		"database":             func(c *bridge.Config) { c.Redis = "redis://:s3cret@x/seven" },
		"no master":            func(c *bridge.Config) { c.Redis = "redis://:s3cret@x?master_name=" },
		"cluster address":      func(c *bridge.Config) { c.Redis = "redis://:s3cret@x?addr=y" },
		"kind":                 func(c *bridge.Config) { c.Kinds = []string{"Error"} },
		"no kind":              func(c *bridge.Config) { c.Events, c.Kinds = bridge.Out, nil },
		"source":               func(c *bridge.Config) { c.Source = "a.b" },
		"age":                  func(c *bridge.Config) { c.MaxAge = -1 },
		"lease":                func(c *bridge.Config) { c.LeaseTTL = time.Millisecond },
	} {
		cfg := ok
		change(&cfg)
		_, err := bridge.New(cfg, nil, service.Nop())
		if err == nil || strings.ContainsAny(err.Error(), "\r\n") || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, want one line without secrets", name, err)
		}
	}
	for _, url := range []string{
		"redis://127.0.0.1:6379/3", "rediss://user:p%23ss@redis.example.com", "unix:///run/redis.sock",
		"redis://a:1?addr=b:2&addr=c:3", "redis://sentinel:26379?master_name=main&addr=other:26379&password=x",
	} {
		cfg := ok
		cfg.Redis = url
		if _, err := bridge.New(cfg, nil, service.Nop()); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func rawTweet(id int, text string) string {
	return `{"id_str":"` + strconv.Itoa(id) + `","text":"` + text + `","user":{"screen_name":"ann","name":"Ann"}}`
}

func TestRawIn(t *testing.T) {
	srv, red := bustest.Start(t), startRedis(t)
	conn := srv.Conn(t, "bridge")
	r := run(t, conn, config(red, bridge.In, bridge.Off))
	c := red.client()
	sent := []string{
		"2834\r", rawTweet(1, "a") + "\r", "\r", "", "null", "[1]", `"x"`, "not json", "{\"id\":", "\xff\xfe",
		rawTweet(2, "b"), rawTweet(1, "a"), `{"delete":{"status":{"id_str":"1"}}}`, rawTweet(3, "c") + "\r\n",
		"{" + strings.Repeat(" ", 2<<20) + "}",
	}
	for _, s := range sent {
		if err := c.Publish(t.Context(), "twitter_raw", s).Err(); err != nil {
			t.Fatal(err)
		}
	}
	var raw []bus.Stored
	bustest.WaitFor(t, "items are stored", func() bool {
		raw = bustest.ReadAll(t, conn, feed.StreamRaw)
		return len(raw) == 4 && r.metric("dead_total") == 4
	})
	want := []string{rawTweet(1, "a"), rawTweet(2, "b"), `{"delete":{"status":{"id_str":"1"}}}`, rawTweet(3, "c")}
	for i, m := range raw {
		if string(m.Data) != want[i] || m.Subject != "raw.legacy" || m.Header.Get(feed.HeaderFormat) != "twitter-v1" {
			t.Errorf("item %d = %s %v %s", i, m.Subject, m.Header, m.Data)
		}
	}
	if id := raw[0].Header.Get("Nats-Msg-Id"); id != "legacy:1" {
		t.Errorf("message id %q, want the tweet's own", id)
	}
	for what, n := range map[string]float64{"number": 1, "blank": 2, "null": 1, "array": 1, "string": 1} {
		if got := r.metric("ignored_total", what); got != n {
			t.Errorf("%v ignored as %s, want %v", got, what, n)
		}
	}
	var reasons []string
	for _, m := range bustest.ReadAll(t, conn, feed.StreamDead) {
		reasons = append(reasons, m.Subject)
		if m.Subject == "dead.bridge.json" && string(m.Data) != "not json" && string(m.Data) != "{\"id\":" {
			t.Errorf("dead letter = %q, want the payload as it came", m.Data)
		}
	}
	slices.Sort(reasons)
	if got := strings.Join(slices.Compact(reasons), " "); got != "dead.bridge.json dead.bridge.too_large dead.bridge.utf8" {
		t.Errorf("dead letters: %s", got)
	}
}

func TestEventsIn(t *testing.T) {
	srv, red := bustest.Start(t), startRedis(t)
	conn := srv.Conn(t, "bridge")
	cfg := config(red, bridge.Off, bridge.In)
	cfg.Kinds = append(cfg.Kinds, "my_kind")
	r := run(t, conn, cfg)
	c := red.client()
	blip := `{"kind": "geo_blip", "body": "{\"lat\": 35.2, \"lon\": -80.8}"}`
	for _, s := range []string{
		blip, blip, "", "[1]", `{"kind": "geo_blip", "body": "{\"lat\": 0, \"lon\": 0}"}`,
		`{"kind": "simple_tweet", "body": "{\"username\": \"ann\", \"name\": \"Ann\", \"body\": \"a &amp; b\"}"}`,
		`{"kind": "other", "body": "{}"}`, `{"kind": "my_kind", "body": "{\"a\":\n[1, 2]}"}`,
		`{"kind": "x\nid: 5", "body": "{}"}`,
	} {
		if err := c.Publish(t.Context(), "events", s).Err(); err != nil {
			t.Fatal(err)
		}
	}
	var events []bus.Stored
	bustest.WaitFor(t, "events are stored", func() bool {
		events = bustest.ReadAll(t, conn, feed.StreamEvents)
		return len(events) == 3 && r.metric("dead_total") == 2 && r.metric("passed_total") == 4
	})
	subjects := []string{"events.geo_blip", "events.simple_tweet", "events.my_kind"}
	for i, m := range events {
		var common struct{ ID, Source, Time string }
		if err := json.Unmarshal(m.Data, &common); err != nil || common.ID == "" || common.Source != "legacy" || common.Time == "" {
			t.Errorf("event = %s, %v", m.Data, err)
		}
		if m.Subject != subjects[i] || m.Header.Get("Nats-Msg-Id") != subjects[i][len("events."):]+":legacy:"+common.ID {
			t.Errorf("event %d on %s with %v", i, m.Subject, m.Header)
		}
	}
	if !strings.Contains(string(events[1].Data), `"a \u0026 b"`) && !strings.Contains(string(events[1].Data), `"a & b"`) {
		t.Errorf("text = %s, want its entities read", events[1].Data)
	}
	if r.metric("ignored_total", "kind") != 1 || r.metric("ignored_total", "empty") != 1 {
		t.Error("a kind that is not copied and an empty blip must be counted")
	}
}

func TestRawOut(t *testing.T) {
	srv, red := bustest.Start(t), startRedis(t)
	conn := srv.Conn(t, "bridge")
	ear := red.listen("twitter_raw")
	red.subscribed("twitter_raw")
	r := run(t, conn, config(red, bridge.Out, bridge.Off))
	item := func(id, data string, f feed.Format) feed.Item {
		return feed.Item{ID: id, Source: "tw", Format: f, Received: time.Now(), Data: []byte(data)}
	}
	bustest.PublishRaw(
		t, conn,
		item("1", rawTweet(1, "a"), feed.FormatTwitterV1),
		item("2", `{"text":"x","user":null}`, feed.FormatTwitterV1),
		item("3", `{"geo":{"type":"Point"},"id_str":"3","text":"x"}`, feed.FormatTwitterV1),
		item("4", "not json", feed.FormatTwitterV1),
		item("5", rawTweet(5, "by hand"), ""),
		item("6", "[1]", ""),
		item("7", "{\"id_str\":\"7\",\r\n\"text\":\"\\ud83d\"}", feed.FormatTwitterV1),
		feed.Item{ID: "9", Source: "legacy", Format: feed.FormatTwitterV1, Data: []byte(rawTweet(9, "came in here"))},
		item("8", rawTweet(8, "last")+"\r\n", feed.FormatTwitterV1),
	)
	bustest.WaitFor(t, "messages are heard", func() bool { return ear.count() == 4 })
	want := []string{rawTweet(1, "a"), rawTweet(5, "by hand"), `{"id_str":"7","text":"�"}`, rawTweet(8, "last")}
	if got := ear.heard(); !slices.Equal(got, want) {
		t.Errorf("heard %q", got)
	}
	for what, n := range map[string]float64{"user": 1, "geo": 1, "json": 1, "ignored": 1, "own": 1} {
		if got := r.metric("held_total", what); got != n {
			t.Errorf("%v held back for %s, want %v", got, what, n)
		}
	}
	if r.metric("rewritten_total") != 1 {
		t.Error("what was rewritten must be counted")
	}
}

func TestEventsOutAndNobodyListens(t *testing.T) {
	srv, red := bustest.Start(t), startRedis(t)
	conn := srv.Conn(t, "bridge")
	r := run(t, conn, config(red, bridge.Off, bridge.Out))
	bustest.Publish(t, conn, feed.StreamEvents, blips(1, 3)...)
	bustest.WaitFor(t, "messages are published", func() bool { return r.metric("passed_total") == 3 })
	if r.metric("unheard_total") != 3 || r.metric("receivers") != 0 {
		t.Error("that nobody listens must be counted")
	}
	ear := red.listen("events")
	red.subscribed("events")
	bustest.Publish(t, conn, feed.StreamEvents, bus.Msg{Subject: "events.post_removed", ID: "x", Data: []byte(`{"id":"1"}`)})
	bustest.Publish(t, conn, feed.StreamEvents, blips(4, 4)...)
	bustest.WaitFor(t, "a message is heard", func() bool { return ear.count() == 1 && r.metric("passed_total") == 4 })
	if got := ear.heard()[0]; got != `{"kind": "geo_blip", "body": "{\"lat\": 4, \"lon\": 5.5, \"id\": \"4\"}"}` {
		t.Errorf("heard %s", got)
	}
	if r.metric("unheard_total") != 3 || r.metric("receivers") != 1 {
		t.Error("a message that was heard counts as unheard")
	}
}

// blips are events with the ids from to to.
func blips(from, to int) []bus.Msg {
	var msgs []bus.Msg
	for i := from; i <= to; i++ {
		id := strconv.Itoa(i)
		msgs = append(msgs, bus.Msg{
			Subject: "events.geo_blip", ID: "geo_blip:t:" + id,
			Data: []byte(`{"id":"` + id + `","lat":` + strconv.Itoa(i%90) + `,"lon":5.5}`),
		})
	}
	return msgs
}

func TestLoopIsRefused(t *testing.T) {
	srv, red := bustest.Start(t), startRedis(t)
	conn := srv.Conn(t, "bridge")
	// A relay leads from one channel to the other.
	c := red.client()
	sub := c.Subscribe(t.Context(), "events")
	defer sub.Close()
	go func() {
		for m := range sub.Channel() {
			_ = c.Publish(t.Context(), "elsewhere", m.Payload).Err()
		}
	}()
	red.subscribed("events")
	cfg := config(red, bridge.In, bridge.Out)
	cfg.TwitterRawChannel = "elsewhere"
	r := launch(t, conn, cfg)
	r.ended = true
	select {
	case err := <-r.done:
		if !errors.Is(err, bridge.ErrLoop) || strings.Contains(err.Error(), "\n") {
			t.Fatalf("Run = %v, want ErrLoop in one line", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("a loop is not found")
	}
	if n := len(bustest.ReadAll(t, conn, feed.StreamRaw)); n != 0 {
		t.Errorf("%d items of the loop were stored", n)
	}
}

func TestStandbyTakesOver(t *testing.T) {
	srv, red := bustest.Start(t), startRedis(t)
	conn := srv.Conn(t, "bridge")
	ear := red.listen("events")
	red.subscribed("events")
	cfg := config(red, bridge.Off, bridge.Out)
	first := run(t, conn, cfg)
	second := launch(t, srv.Conn(t, "standby"), cfg)
	bustest.Publish(t, conn, feed.StreamEvents, blips(1, 50)...)
	bustest.WaitFor(t, "the first sends", func() bool { return ear.count() == 50 })
	if second.State().Working || second.metric("working") != 0 || first.metric("working") != 1 {
		t.Fatal("two bridges work at a time")
	}
	first.end()
	bustest.Publish(t, conn, feed.StreamEvents, blips(51, 80)...)
	bustest.WaitFor(t, "the second sends", func() bool { return ear.count() == 80 })
	if !second.State().Working {
		t.Fatal("nobody works")
	}
}

func TestPasswordFromTheEnvironment(t *testing.T) {
	srv, red := bustest.Start(t), startRedis(t, "--requirepass", "p#ss")
	conn := srv.Conn(t, "bridge")
	cfg := config(red, bridge.Off, bridge.In).WithSecrets(func(name string) string {
		if name == "BLIPSTREAM_SECRET_REDIS" {
			return "p#ss"
		}
		return ""
	})
	run(t, conn, cfg)
}
