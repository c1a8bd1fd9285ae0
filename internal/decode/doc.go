// Package decode turns an item's bytes into a feed.Record: one pure function
// per payload format, no I/O, no clock.
//
// # What comes out
//
// Decode ends in one of three ways, and each item takes exactly one of them:
//
//   - a Record. It may hold nothing that yields an event (a post without an
//     author and without a position); that is not an error.
//   - *IgnoredError: the bytes are blank, or are a whole JSON value that is no
//     object: a number, a string, an array, true, false, null. The old line's
//     wire carries these between its tweets (lengths, keep-alives), and its
//     enrich step passes over them. They are counted, not kept.
//   - *MalformedError: everything else. Its Reason is a subject token, and the
//     item goes to dead.<stage>.<reason>. The reasons are ReasonJSON (cut
//     short, garbage around the object, no JSON at all), ReasonUTF8,
//     ReasonDepth (nested deeper than MaxDepth), ReasonSize (longer than
//     MaxSize), ReasonShape (an object, but nothing the format knows) and
//     ReasonUnsupported (a format nobody has taught this package).
//
// # How strict it is
//
// The text must be JSON by RFC 8259 and UTF-8 throughout, also in the parts
// that nobody reads. Names match by case. A name that occurs twice in one
// object makes the text malformed: two readers would understand it in two
// ways, and no upstream sends it. A lone surrogate (`\ud83d` without its other
// half: text that somebody cut in two) becomes U+FFFD.
//
// A field of a type that nobody expects counts as absent, except that a number
// where an id or a time belongs is taken as its digits. So `"user": null`, a `geo`
// that is a string or a place with three corners cost what they would have
// told, never the rest of the item. A position that cannot be read is handed
// on as NaN, which no range check passes.
//
// Ids are strings from end to end. A numeric id is taken as the digits on the
// wire, since beyond 2^53 a float64 would name another post.
//
// # Formats
//
// An item says its format. One that does not, because it was published by
// hand, is recognised by the names at its top level.
//
// Mastodon's statuses are its API's entity Status, bare or in an event of the
// streaming API's WebSocket form; wikimedia is EventStreams' schemas
// recentchange and page-create; usgs one feature of the U.S. Geological
// Survey's GeoJSON summary feeds; emsc a message of the "standing order" of the
// European-Mediterranean Seismological Centre; post is Blipstream's own, which
// docs/sources.md describes.
//
// Twitter's v1.1 streaming format is described by the platform's archived
// documentation of "statuses/filter" and "streaming message types".
//
// Bluesky's is Jetstream's, of its first wire ("kind" and "commit" beside the
// time) or its second ("$type": "message" around a payload), as its own
// repository describes them. A post's time is when Jetstream saw it, and not
// createdAt, which is whatever the author's program claims; its id is the
// record's address without the scheme, <did>/app.bsky.feed.post/<rkey>, by which
// deletions name it, too. The author's handle is not told: until somebody looks
// it up, a short form of the DID stands for it.
//
// X's API v2 is described by its documentation of filtered streams. Both the
// names of the documentation and those of its schema of 2026 (note_post for
// note_tweet, includes.posts for includes.tweets) are known.
package decode
