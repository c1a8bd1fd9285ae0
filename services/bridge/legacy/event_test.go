package legacy_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/blipstream/blipstream/internal/feed"
	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
	"github.com/blipstream/blipstream/services/bridge/legacy"
)

func arrival() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

func parseEvent(payload string) (legacy.Event, error) {
	return legacy.Reader{Source: "legacy"}.ParseEvent([]byte(payload), arrival())
}

// envelope is a message as Python's json module writes it, near enough.
func envelope(t *testing.T, kind, body string) string {
	t.Helper()
	quoted, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return `{"kind": "` + kind + `", "body": ` + string(quoted) + `}`
}

func TestParseEventOutcomes(t *testing.T) {
	blip := func(body string) string { return envelope(t, "geo_blip", body) }
	for _, c := range []struct{ in, want string }{
		{"", "ignored blank"},
		{"\r\n", "ignored blank"},
		{"hello", "dead json"},
		{`{"kind":"geo_blip"`, "dead json"},
		{"[1]", "dead shape"},
		{"null", "dead shape"},
		{"7", "dead shape"},
		{"{}", "dead shape"},
		{`{"kind":"","body":"{}"}`, "dead shape"},
		{`{"kind":5,"body":"{}"}`, "dead shape"},
		{`{"kind":"geo_blip"}`, "dead shape"},
		{`{"kind":"geo_blip","body":""}`, "dead shape"},
		{`{"kind":"geo_blip","body":{"lat":1,"lon":2}}`, "dead shape"},
		{`{"kind":"Geo","body":"{}"}`, "dead kind"},
		{`{"kind":"a\nid: 9\n","body":"{}"}`, "dead kind"},
		{`{"kind":"error","body":"{}"}`, "dead kind"},
		{`{"kind":"a.b","body":"{}"}`, "dead kind"},
		{"{\"kind\":\"a\xff\",\"body\":\"{}\"}", "dead utf8"},
		{blip(`[1]`), "dead body"},
		{blip(`{"lat": NaN, "lon": 2}`), "dead body"},
		{blip(`{"lat": 1, "lon": 2} {}`), "dead body"},
		{blip(`{"lat": 0, "lon": 0}`), "ignored empty"},
		{blip(`{"lat": 0.0, "lon": -0.0}`), "ignored empty"},
		{blip(`{"lat": 0, "lon": 7.5}`), "ok"},
		{blip(`{"lat": -80.8, "lon": 135.2}`), "ok"},
		{blip(`{"lat": 190, "lon": 5}`), "dead position"},
		{blip(`{"lat": 1e999, "lon": 5}`), "dead position"},
		{blip(`{"lat": "5", "lon": 5}`), "dead position"},
		{blip(`{"lat": 5}`), "dead position"},
		{blip(`{"lat": 5, "lon": 5, "time": "yesterday"}`), "dead body"},
		{envelope(t, "simple_tweet", `{"username": "", "name": "", "body": ""}`), "ignored empty"},
		{envelope(t, "simple_tweet", `{"username": 7, "name": "", "body": "x"}`), "dead body"},
		{envelope(t, "simple_tweet", `{"username": null, "body": "x"}`), "ok"},
		{envelope(t, "post_removed", `{}`), "dead body"},
		{envelope(t, "geo_removed", `{"userId":"4"}`), "dead body"},
		{envelope(t, "my_kind", `{"a": [1, 2]}`), "ok"},
	} {
		if _, err := parseEvent(c.in); outcome(err) != c.want {
			t.Errorf("%q = %s (%v), want %s", c.in, outcome(err), err, c.want)
		}
	}
}

func TestParseEventPayload(t *testing.T) {
	ev, err := parseEvent(envelope(t, "simple_tweet",
		"{\"name\": \"Ann\",\n \"username\": \"ann\", \"body\": \"a &amp;lt; b &amp; c\\u00e9\", \"colour\": 1}"))
	if err != nil {
		t.Fatal(err)
	}
	var m feedv1.SimpleTweet
	if err := protojson.Unmarshal(ev.Payload, &m); err != nil {
		t.Fatalf("not a SimpleTweet to a strict reader: %v: %s", err, ev.Payload)
	}
	if m.GetUsername() != "ann" || m.GetName() != "Ann" || m.GetBody() != "a &lt; b & cé" {
		t.Errorf("payload = %s", ev.Payload)
	}
	if m.GetId() != ev.ID || m.GetSource() != "legacy" || !m.GetTime().AsTime().Equal(arrival()) {
		t.Errorf("payload = %s, id %q", ev.Payload, ev.ID)
	}
	if bytes.ContainsAny(ev.Payload, "\r\n") {
		t.Errorf("payload has line breaks: %q", ev.Payload)
	}
}

func TestParseEventIdentity(t *testing.T) {
	in := envelope(t, "geo_blip", `{"lat": 35.2, "lon": -80.8}`)
	one, err := parseEvent(in)
	if err != nil {
		t.Fatal(err)
	}
	later, err := legacy.Reader{Source: "legacy"}.ParseEvent([]byte(in+"\r"), arrival().Add(time.Hour))
	if err != nil || later.ID != one.ID {
		t.Fatalf("the same content has two ids: %q, %q (%v)", one.ID, later.ID, err)
	}
	other, err := parseEvent(envelope(t, "geo_blip", `{"lat": 35.2, "lon": -80.9}`))
	if err != nil || other.ID == one.ID {
		t.Fatalf("two contents have one id %q (%v)", one.ID, err)
	}
	own, err := parseEvent(envelope(t, "geo_blip", `{"id": "77", "source": "twitter", "lat": 1, "lon": 2}`))
	if err != nil || own.ID != "77" || own.Source != "twitter" {
		t.Fatalf("an event with an id = %+v, %v", own, err)
	}
	forged, err := parseEvent(envelope(t, "geo_blip", `{"id": "a b", "source": "x.>", "lat": 1, "lon": 2}`))
	if err != nil || !strings.HasPrefix(forged.ID, "sha-") || forged.Source != "legacy" {
		t.Fatalf("an event with an unusable id = %+v, %v", forged, err)
	}
}

func TestEncodeEventBytes(t *testing.T) {
	for _, c := range []struct {
		kind     feed.Kind
		in, want string
	}{
		{
			feed.KindGeoBlip, `{"id":"7","lat":35.2,"lon":-80.8}`,
			`{"kind": "geo_blip", "body": "{\"lat\": 35.2, \"lon\": -80.8, \"id\": \"7\"}"}`,
		},
		{
			feed.KindSimpleTweet, `{"id":"7","username":"ann","body":"<b>é & 😀\n\"q\""}`,
			`{"kind": "simple_tweet", "body": "{\"username\": \"ann\", \"name\": \"ann\", ` +
				`\"body\": \"&lt;b&gt;\\u00e9 &amp; \\ud83d\\ude00\\n\\\"q\\\"\", \"id\": \"7\"}"}`,
		},
		{
			feed.KindSimpleTweet, `{"name":"<script>"}`,
			`{"kind": "simple_tweet", "body": "{\"username\": \"\", \"name\": \"\", \"body\": \"\"}"}`,
		},
		{"my_kind", `{"a":{"b":[1,2]}}`, `{"kind": "my_kind", "body": "{\"a\": {\"b\":[1,2]}}"}`},
	} {
		out, err := legacy.EncodeEvent(c.kind, []byte(c.in))
		if err != nil || string(out) != c.want {
			t.Errorf("%s %s\n got %s (%v)\nwant %s", c.kind, c.in, out, err, c.want)
		}
	}
	for in, want := range map[string]string{
		`{"lat":1}`: "unsafe position", `{"lat":"1","lon":2}`: "unsafe position", `[1]`: "unsafe json", `{`: "unsafe json", ``: "unsafe json",
	} {
		if _, err := legacy.EncodeEvent(feed.KindGeoBlip, []byte(in)); outcome(err) != want {
			t.Errorf("%s = %v, want %s", in, err, want)
		}
	}
	if _, err := legacy.EncodeEvent(`a","x":"`, []byte("{}")); outcome(err) != "unsafe kind" {
		t.Errorf("a kind that is none: %v", err)
	}
}

// twice decodes a message of the events channel as a page does.
func twice(t *testing.T, payload []byte) (kind string, body map[string]any) {
	t.Helper()
	for _, c := range payload {
		if c >= utf8.RuneSelf || c < ' ' {
			t.Fatalf("not plain ASCII: %q", payload)
		}
	}
	var outer map[string]any
	if err := json.Unmarshal(payload, &outer); err != nil {
		t.Fatalf("%v: %q", err, payload)
	}
	kind, ok := outer["kind"].(string)
	text, ok2 := outer["body"].(string)
	if !ok || !ok2 || len(outer) != 2 {
		t.Fatalf("envelope %q", payload)
	}
	if err := json.Unmarshal([]byte(text), &body); err != nil {
		t.Fatalf("%v: %q", err, text)
	}
	return kind, body
}

func FuzzEncodeEvent(f *testing.F) {
	for _, s := range []string{
		`{"id":"7","username":"ann","name":"A","body":"x"}`, `{"body":"&lt;<é\u0000\u007f"}`, `{"é\"":1}`, `{"a":"\ud83d"}`, `{"lat":0,"lon":0}`,
	} {
		f.Add("simple_tweet", []byte(s))
		f.Add("geo_blip", []byte(s))
		f.Add("other", []byte(s))
	}
	f.Fuzz(func(t *testing.T, kind string, payload []byte) {
		out, err := legacy.EncodeEvent(feed.Kind(kind), payload)
		if err != nil {
			return
		}
		got, body := twice(t, out)
		if got != kind {
			t.Fatalf("kind %q became %q", kind, got)
		}
		if kind != "other" || !utf8.Valid(payload) {
			return
		}
		var want map[string]any
		if err := json.Unmarshal(payload, &want); err == nil && !reflect.DeepEqual(body, want) {
			t.Fatalf("%s became %v", payload, body)
		}
	})
}

func FuzzParseEvent(f *testing.F) {
	for _, s := range []string{
		"", "[1]", `{"kind":"geo_blip","body":"{\"lat\": 35.2, \"lon\": -80.8}"}`, `{"kind":"simple_tweet","body":"{\"body\": \"a\\n\"}"}`,
		`{"kind":"k","body":"{\"id\": 5,\"time\":null}"}`, `{"kind":"a\nb","body":"{}"}`, `{"kind":"k","body":"{\"\\ud83d\":1}"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		ev, err := legacy.Reader{Source: "legacy"}.ParseEvent(payload, arrival())
		if err != nil {
			if o := outcome(err); !strings.HasPrefix(o, "ignored ") && !strings.HasPrefix(o, "dead ") {
				t.Fatalf("an error of another sort: %v", err)
			}
			return
		}
		if !ev.Kind.Valid() || !feed.ValidSource(ev.Source) || ev.ID == "" || strings.ContainsAny(ev.ID, " \r\n\t") {
			t.Fatalf("%+v", ev)
		}
		if !json.Valid(ev.Payload) || bytes.ContainsAny(ev.Payload, "\r\n") {
			t.Fatalf("payload %q", ev.Payload)
		}
		// What came in can go out, and means the same when it comes in again.
		out, err := legacy.EncodeEvent(ev.Kind, ev.Payload)
		if err != nil {
			t.Fatalf("cannot go out: %v: %s", err, ev.Payload)
		}
		again, err := legacy.Reader{Source: "other"}.ParseEvent(out, arrival().Add(time.Hour))
		if err != nil || again.ID != ev.ID || again.Source != ev.Source || again.Kind != ev.Kind {
			t.Fatalf("came back as %+v, %v; was %+v", again, err, ev)
		}
	})
}
