// Package sse reads Server-Sent Events (the HTML standard's event streams) as a
// client: Reader takes a stream apart, Profile keeps one connection to it for
// any source that speaks this protocol, and Open is the generic source.
//
// # URL
//
// sse+https://host/path?query is connected to as https://, with its parameters,
// except those that are ours:
//
//   - id: a JSON pointer (RFC 6901) to a message's id within its data, such as
//     /meta/id. Without it, or where it names nothing, a message is named by a
//     hash of its own event id and its data.
//   - format: how enrich is to read the data; without it the shape tells.
//   - events: names of the events that are taken, separated by commas; without
//     it all are.
//   - stall: how long silence may last before the connection is given up;
//     default 60s.
//   - max-event: the longest event in bytes; default 1 MiB. A longer one is
//     rejected as too_long and read over.
//
// # Credentials
//
// The secret is "bearer:<token>" or "basic:<user>:<password>"; none is needed.
//
// # Items
//
// The data of each event, its lines joined by \n, is an item. The cursor is the
// last event id, sent back as Last-Event-ID; an upstream that gives no ids
// cannot resume. An upstream that closes the stream is connected to again at
// once, or after the time that it asked for by retry:.
package sse
