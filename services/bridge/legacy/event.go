package legacy

import (
	"bytes"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/blipstream/blipstream/internal/decode"
	"github.com/blipstream/blipstream/internal/feed"
)

// Event is a message of the old events channel, as it is published here.
type Event struct {
	feed.Event
	// Source is what the body says, or that of the reader.
	Source string
}

// Reader reads the old events channel.
type Reader struct {
	// Source stands for the source of an event that names none.
	Source string
}

// ParseEvent reads one payload that arrived at a moment. The event's id is the
// one in its body, or else made from its content, so that the same payload has
// the same id; its payload is one line of JSON, of the kind's own message for
// the four built-in kinds. The error is a *decode.IgnoredError for what says
// nothing, or a *decode.MalformedError.
func (r Reader) ParseEvent(payload []byte, at time.Time) (Event, error) {
	data := bytes.Trim(payload, blank)
	if len(data) == 0 {
		return Event{}, &decode.IgnoredError{What: "blank"}
	}
	kind, body, err := envelope(data)
	if err != nil {
		return Event{}, err
	}
	all, err := readFields([]byte(body))
	if err != nil {
		return Event{}, malformed(ReasonBody, "body: %w", err)
	}
	ev := Event{Event: feed.Event{Kind: kind}}
	ev.ID, ev.Source = all.identity(kind), all.text("source")
	if !feed.ValidSource(ev.Source) {
		ev.Source = r.Source
	}
	if err := check(kind, all); err != nil {
		return Event{}, err
	}
	all.complete(ev, at)
	if ev.Payload, err = encode(kind, all); err != nil {
		return Event{}, malformed(ReasonBody, "body of %s: %w", kind, err)
	}
	return ev, nil
}

// envelope takes a payload apart.
func envelope(data []byte) (kind feed.Kind, body string, err error) {
	if !utf8.Valid(data) {
		return "", "", malformed(decode.ReasonUTF8, "not UTF-8")
	}
	v := jsontext.Value(data)
	if !v.IsValid(lenient()) {
		return "", "", malformed(decode.ReasonJSON, "not a JSON value: %.20q", data)
	}
	var e struct {
		Kind jsontext.Value `json:"kind"`
		Body jsontext.Value `json:"body"`
	}
	if err := json.Unmarshal(data, &e, lenient()); err != nil {
		return "", "", malformed(decode.ReasonShape, "not an object: %.20q", data)
	}
	name, ok := str(e.Kind)
	if !ok || name == "" {
		return "", "", malformed(decode.ReasonShape, "no kind")
	}
	if kind = feed.Kind(name); !kind.Valid() {
		return "", "", malformed(ReasonKind, "%.80q can be no kind", name)
	}
	if body, ok = str(e.Body); !ok || body == "" {
		return "", "", malformed(decode.ReasonShape, "no body that is a string")
	}
	return kind, body, nil
}

// str reads a JSON string; ok is false for any other value.
func str(v jsontext.Value) (s string, ok bool) {
	if len(v) == 0 || v.Kind() != '"' {
		return "", false
	}
	return s, json.Unmarshal(v, &s, lenient()) == nil
}

// identity is the id an event goes by: its own, or one made of its content,
// which is read here before anything is added to it.
func (f fields) identity(kind feed.Kind) string {
	v := f.value("id")
	if id := usableID(f.text("id")); id != "" {
		return id
	}
	if id := digits(v); id != "" {
		return id
	}
	return hashed(append([]byte(kind), f.append(nil)...))
}

// complete adds what every event has.
func (f *fields) complete(ev Event, at time.Time) {
	if v := f.value("time"); len(v) == 0 || v.Kind() == 'n' {
		f.set("time", at.UTC().Format(time.RFC3339Nano))
	}
	if ev.Kind == feed.KindSimpleTweet {
		f.set("body", readEntities(f.text("body")))
	}
	f.set("source", ev.Source)
	f.set("id", ev.ID)
}
