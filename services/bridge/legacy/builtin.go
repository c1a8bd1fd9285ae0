package legacy

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/blipstream/blipstream/internal/decode"
	"github.com/blipstream/blipstream/internal/feed"
	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
)

// message is an empty message of a built-in kind, or nil.
func message(kind feed.Kind) proto.Message {
	switch kind {
	case feed.KindSimpleTweet:
		return &feedv1.SimpleTweet{}
	case feed.KindGeoBlip:
		return &feedv1.GeoBlip{}
	case feed.KindPostRemoved:
		return &feedv1.PostRemoved{}
	case feed.KindGeoRemoved:
		return &feedv1.GeoRemoved{}
	default:
		return nil
	}
}

// check drops what the old enrich step publishes when it knows nothing, and
// refuses what nobody can use.
func check(kind feed.Kind, f fields) error {
	switch kind {
	case feed.KindSimpleTweet:
		if f.text("body") == "" {
			return &decode.IgnoredError{What: "empty"}
		}
	case feed.KindGeoBlip:
		return checkBlip(f)
	case feed.KindPostRemoved:
		if usableID(f.text("id")) == "" {
			return malformed(ReasonBody, "a removal that does not say of what")
		}
	case feed.KindGeoRemoved:
		if f.text("userId") == "" || f.text("upToId") == "" {
			return malformed(ReasonBody, "a removal that does not say of what")
		}
	}
	return nil
}

// checkBlip: 0,0 is what the old step writes for unknown, and it writes it for
// nearly every message, while nobody posts from that point of the sea.
func checkBlip(f fields) error {
	lat, okLat := number(f.value("lat"))
	lon, okLon := number(f.value("lon"))
	switch {
	case !okLat || !okLon || !onEarth(lat, lon):
		return malformed(ReasonPosition, "%.20s, %.20s is not on Earth", f.value("lat"), f.value("lon"))
	case lat == 0 && lon == 0:
		return &decode.IgnoredError{What: "empty"}
	}
	return nil
}

func number(v jsontext.Value) (n float64, ok bool) {
	if len(v) == 0 || v.Kind() != '0' {
		return 0, false
	}
	n, err := strconv.ParseFloat(string(v), 64)
	return n, err == nil
}

// encode writes an event in one line: by the kind's own message, which drops
// what it has no field for and refuses what does not fit, or, for a kind that
// has none, as it is.
func encode(kind feed.Kind, f fields) ([]byte, error) {
	text, err := f.compact()
	m := message(kind)
	if err != nil || m == nil {
		return text, err
	}
	opts := protojson.UnmarshalOptions{DiscardUnknown: true}
	if err := opts.Unmarshal(text, m); err != nil {
		return nil, err
	}
	out, err := protojson.Marshal(m)
	if err != nil {
		return nil, err
	}
	v := jsontext.Value(out) // protojson varies its blanks on purpose
	if err := v.Compact(); err != nil {
		return nil, err
	}
	return v, nil
}
