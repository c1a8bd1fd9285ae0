// Package ingest brings upstream items into the stream RAW.
//
// It consumes one upstream connection per source (package source and its
// subpackages) and publishes each item, byte for byte, to raw.<source>, with
// the headers Blip-Format, Blip-Received, traceparent and, where an item has
// one, Blip-Identity, under the message id <source>:<item id>. What is too
// large for the server, or is no whole item, goes to dead.ingest.<reason>.
//
// It guarantees:
//   - One connection per source and credential, whatever the number of
//     processes: each source has a lease, and who does not hold it stands by.
//   - Nothing is forgotten: an item is published again under its id until it
//     is stored, and the source's cursor moves over it only then.
//   - Bounded memory: while NATS is away the window fills and the reading of
//     the upstream stops; it goes on by itself.
//   - Independence: sources share nothing but the connection to NATS. One that
//     fails for good (bad credentials) makes the process not ready and leaves
//     the others alone.
package ingest
