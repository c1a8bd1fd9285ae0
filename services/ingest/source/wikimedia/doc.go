// Package wikimedia reads EventStreams, the public feed of changes to
// Wikipedia and its sister projects. It needs no credentials.
//
// # URL
//
// wikimedia: reads the stream recentchange of stream.wikimedia.org.
// wikimedia:page-create,recentchange reads other streams, and
// wikimedia+https://host/v2/stream/recentchange another server. Parameters:
//
//   - since: where to begin on the very first start, as ISO 8601 or in
//     milliseconds since 1970; without it with the present.
//   - wiki: only this wiki (enwiki), by the member wiki; commas separate several.
//   - contact: an address of yours, mail or web, that is added to the User-Agent.
//     The Wikimedia Foundation's policy asks for a way to reach whoever runs a
//     client; without it the project's own address stands there.
//   - stall, max-event: as in package sse.
//
// # Items
//
// Each message is an item, except canary messages, which test the upstream
// (meta.domain is "canary"). Its id is meta.id. The cursor is the upstream's own
// event id, a list of timestamps a topic: going on there may repeat what has
// the same timestamp, and the ids absorb that. The upstream closes every
// connection after some 15 minutes, and allows two an address. It keeps events for
// a week or longer; who comes back later than that, and is given what is not next
// to where reading stopped, is told of a gap.
package wikimedia
