// Package bridge keeps old programs working: it copies between NATS and the two
// Redis pub/sub channels of the old line, in one direction per channel, so that
// a team moves over one program at a time (docs/migration.md).
//
//	twitter_raw in    Redis -> raw.<source>      whole objects; the rest is counted, or dead
//	twitter_raw out   raw.> -> Redis             only what the old readers survive, not raw.<source>
//	events in         Redis -> events.<kind>     allowed kinds, body taken out of its string
//	events out        events.<kind> -> Redis     allowed kinds, body put into its string
//
// What stands on the channels is known to package legacy alone.
//
// # What it guarantees
//
// Exactly one bridge of a NATS server works at a time; the others wait for its
// lease. In: every message has an id of its own or made of its content, so a
// second bridge or a second reading does no harm. A bridge that waits listens
// all the same and keeps the last two minutes, so that a takeover leaves no gap;
// so does one that has lost its lease because NATS is away. Out: a durable
// consumer for each channel, which begins when the first bridge does, holds the
// backlog while Redis is away or no bridge runs; then it is sent in the stream's
// order, without what is older than Config.MaxAge, which is counted. What was on
// its way when the connection broke is sent again: at least once. A bridge that
// does not copy a channel out removes its durable.
//
// # What it cannot guarantee
//
// Redis keeps no pub/sub message. What is published on a channel while no
// bridge is subscribed never reaches NATS, and what the bridge publishes while
// nobody is subscribed reaches nobody; the count that PUBLISH answers is
// watched, and blipstream_bridge_unheard_total says how often it was zero. On a
// Redis Cluster that count covers one node, so all are asked now and then.
//
// # Loops
//
// A message on a channel carries no sender, so a bridge that reads what it
// writes would feed itself for ever. Equal names are refused at the start. For
// what only leads to the same place (a relay between two channels, say), each
// outgoing channel carries a marker at the start of every session and once a
// minute, which no old reader shows; a bridge that hears its own marker stops
// with an error.
package bridge
