package rules

import (
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/blipstream/blipstream/internal/feed"
)

// fields are those of post. Names are those that events have, where both have
// the same thing. What is added here goes into docs/rules.md, too; a test
// compares them.
func fields() []field {
	all := []field{
		text("id", "id of the post, as its source spells it", func(r *feed.Record) string { return r.ID }),
		text("source", "name of the source, as in raw.<source>", func(r *feed.Record) string { return r.Source }),
		text("format", "format of the raw item, such as twitter-v1", func(r *feed.Record) string { return string(r.Format) }),
		{name: "received", kind: cel.TimestampType, about: "when the item arrived, by our clock", get: func(r *feed.Record) ref.Val {
			return types.Timestamp{Time: r.Received.UTC()}
		}, set: func(r *feed.Record) bool { return !r.Received.IsZero() }},
		{name: "time", kind: cel.TimestampType, about: "when it was posted, by the source's clock", get: func(r *feed.Record) ref.Val {
			if r.Time.IsZero() {
				return nil
			}
			return types.Timestamp{Time: r.Time.UTC()}
		}},
		text("lang", "BCP 47 language of the text", func(r *feed.Record) string { return r.Lang }),
		text("type", "post, reply, repost, edit or quake", func(r *feed.Record) string { return string(r.Type) }),
		text("username", "handle of the author, without @", func(r *feed.Record) string { return r.Author.Username }),
		text("name", "display name of the author", func(r *feed.Record) string { return r.Author.Name }),
		text("userId", "id of the author", func(r *feed.Record) string { return r.Author.ID }),
		text("body", "text as a person reads it", func(r *feed.Record) string { return r.Body }),
		text("url", "where the source shows the post to people", func(r *feed.Record) string { return r.URL }),
		list("tags", "hashtags without #", func(r *feed.Record) []string { return r.Tags }),
		list("mentions", "usernames without @", func(r *feed.Record) []string { return r.Mentions }),
		list("links", "addresses in the text", func(r *feed.Record) []string { return r.Links }),
		flag("media", "a picture, a film or a sound is attached", func(r *feed.Record) bool { return r.Media }),
		flag("simulated", "a simulator made it", func(r *feed.Record) bool { return r.Simulated }),
		text("country", "ISO 3166-1 alpha-2 country of the position", func(r *feed.Record) string { return r.Country }),
		text("city", "city of the position, in English", func(r *feed.Record) string { return r.City }),
		text("profileLocation", "what the author wrote as their location", func(r *feed.Record) string { return r.Upstream.ProfileLocation }),
		number("sentiment", "from -1 (bad) to 1 (good)", func(r *feed.Record) *float64 { return r.Sentiment }),
		number("magnitude", "magnitude of an earthquake", func(r *feed.Record) *float64 { return r.Magnitude }),
	}
	return append(all, placeFields()...)
}

// placeFields are those that a position tells.
func placeFields() []field {
	return []field{
		number("lat", "degrees north", func(r *feed.Record) *float64 {
			if r.Position == nil {
				return nil
			}
			return &r.Position.Lat
		}),
		number("lon", "degrees east", func(r *feed.Record) *float64 {
			if r.Position == nil {
				return nil
			}
			return &r.Position.Lon
		}),
		number("radiusKm", "how far the truth may be, in kilometres", func(r *feed.Record) *float64 {
			if r.Position == nil {
				return nil
			}
			return &r.Position.RadiusKm
		}),
		text("precision", "how the position was known: point, place, profile or mention", func(r *feed.Record) string {
			if r.Position == nil {
				return ""
			}
			return string(r.Position.Precision)
		}),
		text("origin", "which part of the item told the position", func(r *feed.Record) string {
			if r.Position == nil {
				return ""
			}
			return r.Position.Origin
		}),
	}
}

// fieldsByName are the fields of post, which are the same for all sets.
var fieldsByName = sync.OnceValue(func() map[string]field {
	known := map[string]field{}
	for _, f := range fields() {
		known[f.name] = f
	}
	return known
})
