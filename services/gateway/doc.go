// Package gateway serves events to browsers and programs over Server-Sent
// Events, and the page that shows them.
//
// It consumes the stream EVENTS by one ordered consumer per process, whatever
// the number of clients, into a shared log in memory (package tail), and
// publishes nothing. Gateways share nothing: any of them serves any client, as
// the ids it sends are the stream's own sequences.
//
// It guarantees to a client of GET /events:
//   - events come in the order of the stream, each once per connection;
//   - a client that returns with the last id it had (Last-Event-ID, or
//     lastEventId in the query) goes on behind it, from memory or else from the
//     stream, and gets no event twice and none too few;
//   - what cannot be served is told as an event "gap" with its range: trimmed
//     by the stream's limits, more history than one replay serves, a reader
//     that was too slow, a stream that was made anew. After a gap the stream
//     goes on with the oldest event there is; in a stream made anew that is
//     the first of those it still holds, since the client has had none;
//   - what was lost before it became an event (the backlog of enrich trimmed by
//     the limits of RAW) is told in the same way, with sequences of RAW;
//   - a client that does not read costs the others nothing, and the gateway
//     the bytes that fit in the socket's buffer.
//
// GET /live is what a person can take in: ten frames a second (package live) and
// the statistics each second (package stats). A client that comes back is told
// in one frame what it missed.
//
// What is done for a client is done once for all that ask for the same: a filter
// or a rate is a view, a log of its own that the hub fills as events come, and a
// view's compressed form (package pack) is another. Their number is bounded.
//
// What was removed upstream is in no replay, resume or snapshot: removals are
// read from the stream before anything of that time is served, and an event that was removed
// before it came is not served at all. A reader of one kind only must ask for
// post_removed and geo_removed, too; every other filter lets them through.
//
// An id on hello, hb and gap is the position reached: a client that is cut off
// before its first event, or filters so much that it rarely gets one, resumes
// from there.
package gateway
