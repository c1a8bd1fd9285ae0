package legacy

import (
	"github.com/blipstream/blipstream/internal/feed"
)

// EncodeEvent writes the event of a kind, a flat JSON object, as a message of
// the old events channel. A simple_tweet has username, name and body, each ""
// where unknown, and name where username is; a geo_blip has a position, or is
// refused. What else the event says follows in the body, where old readers pass
// over it. The error is an *UnsafeError.
func EncodeEvent(kind feed.Kind, payload []byte) ([]byte, error) {
	if !kind.Valid() {
		return nil, unsafe("kind", "%.80q can be no kind", kind)
	}
	fields, err := readFields(payload)
	if err != nil {
		return nil, unsafe("json", "%w", err)
	}
	switch kind {
	case feed.KindSimpleTweet:
		fields.simpleTweet()
	case feed.KindGeoBlip:
		if err := fields.geoBlip(); err != nil {
			return nil, err
		}
	default: // no old page knows its shape
	}
	body := fields.append(make([]byte, 0, len(payload)+len(payload)/8))
	out := make([]byte, 0, len(body)+len(body)/4+len(kind)+32)
	out = append(out, `{"kind": "`...)
	out = append(out, kind...)
	out = append(out, `", "body": `...)
	out = appendQuoted(out, body)
	return append(out, '}'), nil
}

func (f *fields) simpleTweet() {
	username, name := f.text("username"), f.text("name")
	if username == "" {
		name = ""
	} else if name == "" {
		name = username
	}
	// The last one put in front is first in the end.
	for _, m := range [...][2]string{
		{"body", writeEntities(f.text("body"))}, {"name", noMarkup(name)}, {"username", noMarkup(username)},
	} {
		f.set(m[0], m[1])
	}
}

func (f *fields) geoBlip() error {
	for _, name := range [...]string{"lon", "lat"} {
		v := f.value(name)
		if len(v) == 0 || v.Kind() != '0' {
			return unsafe("position", "no number for %s", name)
		}
		f.lead(name, v)
	}
	return nil
}
