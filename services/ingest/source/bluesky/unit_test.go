package bluesky

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/websocket"
)

func parsed(t *testing.T, raw string) (options, error) {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return parse(u, "")
}

func TestParse(t *testing.T) {
	for raw, want := range map[string]string{
		"bluesky:":         "wss://jetstream1.us-east.bsky.network/subscribe?wantedCollections=app.bsky.feed.post&wantedCollections=app.bsky.actor.profile",
		"bluesky:?wire=v2": "wss://jetstream.us-east.bsky.network/xrpc/network.bsky.jetstream.subscribeEvents?collections=app.bsky.feed.post&collections=app.bsky.actor.profile",
		"bluesky:?hosts=a.example&collections=app.bsky.feed.*&dids=did:plc:a,did:web:b.example": "wss://a.example/subscribe?wantedCollections=app.bsky.feed.%2A&wantedDids=did%3Aplc%3Aa&wantedDids=did%3Aweb%3Ab.example",
		"bluesky+ws://127.0.0.1:8090/base/?collections=a.b":                                     "ws://127.0.0.1:8090/base/subscribe?wantedCollections=a.b",
	} {
		o, err := parsed(t, raw)
		if err != nil || o.address(o.hosts[0], "", 0) != want {
			t.Errorf("%s: %s, %v, want %s", raw, o.address(o.hosts[0], "", 0), err, want)
		}
	}
	o, err := parsed(t, "bluesky+ws://h?dids="+strings.Repeat("did:plc:a,", 200))
	if err != nil || !strings.Contains(o.address("h", "5", 0), "cursor=5&requireHello=true") || !strings.HasPrefix(string(o.hello()), `{"type":"options_update","payload":{"wantedCollections":["app.bsky.feed.post"`) {
		t.Errorf("many accounts: %s %.100s, %v", o.address("h", "5", 0), o.hello(), err)
	}
	for _, raw := range []string{
		"bluesky://host", "bluesky+wss:", "bluesky:?wire=v3", "bluesky:?zstd=true", "bluesky:?wire=v2&zstd=yes", "bluesky:?collections=post", "bluesky:?dids=kai",
		"bluesky:?idle=5", "bluesky:?max-frame=1", "bluesky:?hosts=a/b", "bluesky:?colections=a.b", "bluesky:?wire=v2&dids=" + strings.Repeat("did:plc:a,", 200),
		"bluesky:?collections=" + strings.Repeat("a.b,", 101),
	} {
		if _, err := parsed(t, raw); err == nil {
			t.Errorf("%.60s: not refused", raw)
		}
	}
	if _, err := parsed(t, "bluesky:?idle=5&max-frame=2000"); err == nil || strings.Contains(err.Error(), "max-frame") {
		t.Errorf("of a wrong and a right parameter: %v", err)
	}
	if _, err := parse(&url.URL{Scheme: "bluesky"}, "bearer:hunter2"); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a secret: %v", err)
	}
}

func TestPlace(t *testing.T) {
	for _, c := range []feed.Cursor{"1793693742123456@h:80", "1793693742123456.77@h"} {
		p, err := parsePlace(c)
		if err != nil || p.cursor() != c {
			t.Errorf("%s: %+v, %v", c, p, err)
		}
	}
	for _, c := range []feed.Cursor{"x", "5@h", "1793693742123456", "1793693742123456.x@h", "99999999999999999999@h"} {
		if _, err := parsePlace(c); err == nil {
			t.Errorf("%s: taken", c)
		}
	}
	p := place{us: 1793693742123456, seq: 77, host: "h"}
	for host, want := range map[string]string{"h": "77", "other": "1793693737123456"} {
		if got := p.ask(host); got != want {
			t.Errorf("asks %s for %s, want %s", host, got, want)
		}
	}
	if got := (place{us: 1793693742123456, host: "h"}).ask("h"); got != "1793693737123456" {
		t.Errorf("without a sequence asks for %s", got)
	}
	if (place{}).ask("h") != "" || (place{host: "h"}).cursor() != "" {
		t.Error("no place is not the present")
	}
}

func TestIdentify(t *testing.T) {
	const second = `{"$type":"message","payload":{"$type":"network.bsky.jetstream.subscribeEvents#`
	for data, want := range map[string]string{
		`{"did":"did:plc:a","time_us":1793693742123456,"kind":"commit","commit":{"rev":"r","operation":"create","collection":"a.b","rkey":"k","record":{"rkey":"x"}},"cursor":9}`: "did:plc:a/a.b/k/r/create 1793693742123456.9@h",
		`{"did":"did:plc:a","time_us":1793693742123456,"kind":"identity","identity":{"seq":5}}`:                                                                                   "did:plc:a/identity/5 1793693742123456@h",
		second + `commit","seq":9,"did":"did:plc:a","time":"2026-11-03T08:15:42.123456Z","rev":"r","operation":"delete","collection":"a.b","rkey":"k"}}`:                          "did:plc:a/a.b/k/r/delete 1793693742123456.9@h",
		second + `account","seq":9,"did":"did:plc:a","time":"2026-11-03T08:15:42.123456Z","account":{"seq":5}}}`:                                                                  "did:plc:a/account/5 1793693742123456.9@h",
		second + `info","name":"OutdatedCursor"}}`:    "sha- ",
		`{"$type":"error","error":"ConsumerTooSlow"}`: "sha- ", `null`: "sha- ", ``: "sha- ", `{"did":"a b","kind":"identity","identity":{"seq":5}}`: "sha- ",
	} {
		e := identify([]byte(data))
		id := e.id([]byte(data))
		if strings.HasPrefix(id, "sha-") {
			id = "sha-"
		}
		if got := id + " " + string(place{e.us, e.seq, "h"}.cursor()); got != want {
			t.Errorf("%s: %s, want %s", data, got, want)
		}
	}
	if e := identify([]byte(`{"$type":"error","error":"ConsumerTooSlow"}`)); e.failed != "ConsumerTooSlow" {
		t.Errorf("error frame: %+v", e)
	}
}

func FuzzIdentify(f *testing.F) {
	f.Add([]byte(`{"did":"did:plc:a","time_us":1793693742123456,"kind":"commit","commit":{"rev":"r","operation":"create","collection":"a.b","rkey":"k"}}`))
	f.Add([]byte(`{"$type":"message","payload":{"$type":"x#commit","seq":9,"did":"did:plc:a","time":"2026-11-03T08:15:42.123456Z"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e := identify(data)
		id := e.id(data)
		again := identify(data)
		if id == "" || id != again.id(data) || len(id) > maxID || strings.ContainsAny(id, " \r\n") {
			t.Errorf("id of %q is %q", data, id)
		}
		p := place{e.us, e.seq, "h"}
		if c := p.cursor(); c != "" {
			if back, err := parsePlace(c); err != nil || back != p {
				t.Errorf("cursor %q of %q: %+v, %v", c, data, back, err)
			}
		}
	})
}

// counted is an Observer that counts gaps.
type counted struct {
	source.Observer
	gaps int
}

func (c *counted) Gap(source.Gap) { c.gaps++ }

// TestOutdatedCursor: the second wire says that events are gone; the first event
// after it, which says so too, is not told again.
func TestOutdatedCursor(t *testing.T) {
	const second = `{"$type":"message","payload":{"$type":"network.bsky.jetstream.subscribeEvents#`
	var told counted
	s := &blueskySource{observer: &told, log: slog.New(slog.DiscardHandler)}
	c := &connection{blueskySource: s, from: place{us: 1793693742123456, host: "h"}, host: "h", emit: func(feed.Item) error { return nil }}
	for _, m := range []string{
		second + `info","name":"OutdatedCursor"}}`,
		second + `commit","seq":9,"did":"did:plc:a","time":"2026-11-03T10:15:42Z","rev":"r","operation":"create","collection":"a.b","rkey":"k"}}`,
	} {
		if err := c.take(websocket.Message{Data: []byte(m)}); err != nil || told.gaps != 1 {
			t.Errorf("%s: %v, %d gaps", m, err, told.gaps)
		}
	}
}

func TestRefusedByName(t *testing.T) {
	answer := func(s *blueskySource, body string) *source.Error {
		w := httptest.NewRecorder()
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.WriteString(body)
		resp := w.Result()
		resp.Request = httptest.NewRequest(http.MethodGet, "/", nil)
		c := &connection{blueskySource: s, from: place{us: 1793693742123456, host: "h"}, host: "h"}
		told, ok := errors.AsType[*source.Error](c.refused(resp))
		if !ok {
			t.Fatalf("%s: no source.Error", body)
		}
		return told
	}
	var told counted
	s := &blueskySource{observer: &told, dict: &dictionary{}}
	if e := answer(s, `{"error":"CursorTooOld"}`); e.Cause != source.CauseClosed || !s.forget || told.gaps != 1 {
		t.Errorf("too old: %v, %d gaps", e, told.gaps)
	}
	told, s.forget, s.opts.hosts = counted{}, false, []string{"h", "i"}
	for asked, want := range []int{0, 1} { // the other instance may keep more
		s.tooOld = asked
		if e := answer(s, `{"error":"CursorTooOld"}`); e.Cause != source.CauseClosed || s.forget != (want == 1) || told.gaps != want {
			t.Errorf("too old for %d of 2: %v, %d gaps", asked+1, e, told.gaps)
		}
	}
	if e := answer(s, `{"error":"UnknownZstdDictionary"}`); e.Cause != source.CauseClosed || s.dict != nil {
		t.Errorf("dictionary: %v", e)
	}
	if e := answer(s, `{"error":"InvalidRequest","message":"no such collection"}`); e.Cause != source.CauseFatal || !strings.Contains(e.Error(), "no such collection") {
		t.Errorf("invalid: %v", e)
	}
}
