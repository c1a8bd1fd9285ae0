// Package bench measures how fast one enrich process is, beside the least that
// any process could do with the same items: take them and acknowledge them.
//
// Both halves read the same number of simulated tweets out of RAW through the
// durable consumer of enrich, from a backlog, over one connection. The second
// decodes, hydrates and derives them, has their events stored in EVENTS under
// message ids, and acknowledges each tweet when its events are stored.
//
// What is measured as CPU is this process's: point it at a server in a
// process of its own, or the figures are of both.
package bench
