package enrich_test

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/internal/simulate"
	"github.com/blipstream/blipstream/services/enrich"
)

// maxPayload lets items of 5 MB into RAW and not as one message into DEAD,
// where they carry more headers.
const maxPayload = simulate.HugeSize + 8<<10

// reasons are what becomes of the malformed sorts that give no event at all:
// a dead letter, or "" for one that is ignored.
var reasons = map[simulate.Malformed]string{
	simulate.Blank: "", simulate.Integer: "", simulate.Null: "", simulate.Array: "", simulate.String: "",
	simulate.NotJSON: "json", simulate.Truncated: "json", simulate.Trailing: "json",
	simulate.Deep: "depth", simulate.InvalidUTF8: "utf8", simulate.Huge: "size",
	simulate.UserNull: "", simulate.UserString: "", simulate.TextNumber: "",
}

// Every malformed sort ends in DEAD once, byte for byte, or is ignored, or
// gives a post without its odd part; its neighbours are not affected.
func TestMalformed(t *testing.T) {
	srv := bustest.Start(t, bustest.MaxPayload(maxPayload))
	conn := srv.Conn(t, "test")
	w := world(t, simulate.DefaultWorld(1))
	sorts := simulate.MalformedSorts()
	var items []feed.Item
	for i, sort := range sorts {
		bad := feed.Item{ID: "bad" + strconv.Itoa(i), Source: source, Data: w.AppendMalformed(nil, sort, uint64(i))}
		items = append(items, tweet(i), bad)
	}
	items = append(items, tweet(len(sorts)))
	bustest.PublishRaw(t, conn, items...)
	cfg := enrich.DefaultConfig()
	cfg.Positions = []string{"point", "place"} // authors of odd posts may still say where they live
	startWith(t, srv, cfg)
	settled(t, conn)

	got := events(t, conn)
	wantTweets(t, got, 0, len(sorts)+1)
	dead := letters(t, conn)
	for i, sort := range sorts {
		checkSort(t, sort, items[2*i+1], dead[strconv.Itoa(2*i+2)])
		delete(dead, strconv.Itoa(2*i+2))
	}
	if len(dead) > 0 {
		t.Errorf("dead letters of sound items: %v", dead)
	}
	odd := len(sorts) - len(reasons) // those that leave a post
	if want := 2*(len(sorts)+1) + odd; len(got) != want {
		t.Errorf("%d events, want %d", len(got), want)
	}
}

// checkSort checks the dead letter, perhaps in parts, of a malformed item.
func checkSort(t *testing.T, sort simulate.Malformed, it feed.Item, parts []bus.Stored) {
	t.Helper()
	reason := reasons[sort]
	if reason == "" {
		if len(parts) > 0 {
			t.Errorf("%s: dead letter %v", sort, parts[0].Header)
		}
		return
	}
	var whole []byte
	for _, p := range parts {
		whole = append(whole, p.Data...)
		if p.Subject != feed.DeadSubject("enrich", reason) || p.Header.Get(feed.HeaderDeliveries) != "1" || p.Header.Get(feed.HeaderError) == "" {
			t.Errorf("%s: letter on %s with %v", sort, p.Subject, p.Header)
		}
	}
	if !bytes.Equal(whole, it.Data) {
		t.Errorf("%s: %d letters keep %d bytes of %d", sort, len(parts), len(whole), len(it.Data))
	}
}

// bomb is a deriver that panics on a word.
type bomb struct{}

func (bomb) Kind() feed.Kind { return "bomb" }

func (bomb) Derive(rec *feed.Record) (feed.Event, bool) {
	if strings.Contains(rec.Body, "boom") {
		panic("a bomb went off")
	}
	return feed.Event{}, false
}

func TestPanicIsADeadLetter(t *testing.T) {
	srv := bustest.Start(t)
	conn := srv.Conn(t, "test")
	bad := tweet(2)
	bad.Data = bytes.Replace(bad.Data, []byte("number"), []byte("boom"), 1)
	bustest.PublishRaw(t, conn, tweet(1), bad, tweet(3))
	start(t, srv, func(s *enrich.Service) { s.AddDeriver(bomb{}) })
	settled(t, conn)
	got := events(t, conn)
	wantTweets(t, got, 1, 2)
	wantTweets(t, got, 3, 4)
	parts := letters(t, conn)["2"]
	if len(parts) != 1 || parts[0].Subject != "dead.enrich.panic" {
		t.Fatalf("letters %+v", parts)
	}
	if why := parts[0].Header.Get(feed.HeaderError); !strings.Contains(why, "a bomb went off at dead_test.go:") {
		t.Errorf("error %q does not say what and where", why)
	}
}

// A name that stands in for another makes the event larger than its item.
func TestEventTooLarge(t *testing.T) {
	srv := bustest.Start(t, bustest.MaxPayload(8<<10))
	conn := srv.Conn(t, "test")
	bad := tweet(2)
	bad.Data = bytes.Replace(bad.Data, []byte("ann"), bytes.Repeat([]byte("ann"), 1800), 1)
	bustest.PublishRaw(t, conn, tweet(1), bad, tweet(3))
	start(t, srv)
	settled(t, conn)
	got := events(t, conn)
	wantTweets(t, got, 1, 2)
	wantTweets(t, got, 3, 4)
	if _, ok := got["geo_blip:test:2"]; !ok {
		t.Error("the event that fits is missing")
	}
	parts := letters(t, conn)["2"]
	if len(parts) != 1 || parts[0].Subject != "dead.enrich.too_large" || !bytes.Equal(parts[0].Data, bad.Data) {
		t.Errorf("letters %+v", parts)
	}
}

// Nothing keeps a publisher from a subject that no source can have.
func TestSubjectOfNoSource(t *testing.T) {
	srv := bustest.Start(t)
	conn := srv.Conn(t, "test")
	for i, subject := range []string{"raw.a\xff", "raw.A.b", "raw.ok"} {
		bustest.Publish(t, conn, feed.StreamRaw, bus.Msg{Subject: subject, ID: strconv.Itoa(i), Data: []byte(`{"limit":{"track":5}}`)})
	}
	env := service.Nop()
	reg := prometheus.NewRegistry()
	env.Metrics = reg
	startEnv(t, srv, enrich.DefaultConfig(), env)
	settled(t, conn)
	if n := counter(t, reg, "blipstream_enrich_notices_total", "limit"); n != 3 {
		t.Errorf("%v notices, want 3", n)
	}
}
