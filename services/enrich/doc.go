// Package enrich turns raw items into events. It consumes the stream RAW
// through the durable consumer "enrich", which all replicas share, and
// publishes to events.<kind> in EVENTS:
//
//	RAW ─► decode ─► hydrate ─► derive ─► EVENTS ─► ack
//	            └──────────────────────► DEAD ──► ack
//
// # What it guarantees
//
// Every item that carries the data yields each of its events once per id. An
// item is acknowledged only after the server has stored its events, so that
// a process that dies in between leaves it to another. The event then goes out
// again under the same message id, "<kind>:<source>:<identity>", and the server
// drops what it has (within the dedupe window of EVENTS, 10 minutes by
// default). No order is promised, within a process or among replicas.
//
// Items that cannot be handled go to dead.enrich.<reason> once, with the bytes
// as they came, and are acknowledged then: they are never retried, delay nobody,
// and stop nothing. The reasons are those of package decode (json, utf8, depth,
// size, shape, unsupported) and
//
//   - panic: the code that reads or derives panicked; the letter says where;
//   - too_large: an event is larger than the server takes;
//   - refused: the server refuses an event for good for another reason;
//   - deliveries: the item was delivered more than --max-deliveries times, and
//     then begun three times and never seen through: it seems to kill whoever
//     takes it. How long EVENTS takes nothing does not count;
//   - ask: a service did not answer what a rule asked of it, and the rule wants
//     the item put aside then (on_error: dead), or too many items wait to come again.
//
// What another consumer of RAW gives up, because it was terminated there or
// delivered too often, is kept as well: the stream ADVISORIES holds what the
// server says about it, and enrich makes letters of that, on
// dead.<consumer>.terminated and dead.<consumer>.max_deliveries.
//
// Items that hold nothing (blank, or JSON other than an object) are
// acknowledged and counted. So are sound items that yield no event: notices of
// the upstream about itself, and posts with neither an author nor a position.
//
// # Items published by hand
//
// A message without headers is taken as well: its source is the subject's, its
// format is recognised, its time of reception is when it was stored. One
// without a usable id of its own is called by its Nats-Msg-Id, else
// "seq-<sequence>-<time stored>". A dead letter that is put back into RAW has
// another Nats-Msg-Id; Blip-Item tells what it was called.
//
// # Rules
//
// With --rules events are made by rules of the user as well (packages rules and
// keeper), of kinds of their own. They change while the service runs; an item
// is handled under one set. A rule may ask a service (package ask); the item is
// settled when it has the answer, and others go on meanwhile.
//
// # Waiting
//
// Nothing is retried here: the publisher goes on until the server has stored
// an event, and while its window is full no further items are taken. So a
// server that is away, or a stream that is gone, stops the work and loses
// nothing. What a replica holds meanwhile is bounded in bytes: raw items that it
// has asked for or has in work, and events. A consumer or stream that was deleted is bound again.
package enrich
