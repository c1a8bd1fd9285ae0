// Package bluesky reads Jetstream, the public stream of what happens on
// Bluesky: one WebSocket, one JSON event a message, no credentials.
//
// # URL
//
// bluesky: is the public instances, one after the other. bluesky+wss://host and
// bluesky+ws://host are an instance of one's own. Parameters:
//
//   - wire: v1 (default), the wire of /subscribe, whose form is frozen; or v2,
//     that of network.bsky.jetstream.subscribeEvents.
//   - collections: which sorts of records, separated by commas; a prefix may
//     end in .*; 100 at most. Default app.bsky.feed.post and
//     app.bsky.actor.profile, by which names are kept up to date.
//   - dids: only these accounts, separated by commas; 10,000 at most on v1.
//   - hosts: other instances for bluesky:, separated by commas.
//   - zstd: true has a v2 instance compress, by a dictionary that is fetched
//     from the instance. v1 has one too, which only its program's source holds.
//   - idle: how long silence may last before the connection is given up;
//     default 50s, more than the 30 s between two pings.
//   - max-frame: the longest event in bytes; default 1 MiB. A longer one is
//     rejected as too_long and read over, and so is what would be longer once
//     it is decompressed.
//
// # Resuming
//
// A cursor holds the event's time, its sequence where the instance tells one,
// and the instance. A connection to the same instance goes on behind that
// sequence, exactly. Elsewhere a sequence means nothing, and times of different
// instances differ by a little, as they do among the events of one that lie
// close together: there it goes on five seconds before, and what comes twice is
// stored once, by its id. An instance that no longer has what is asked for
// begins with the oldest it has, without a word on v1: an event that is far
// later than was asked for is told as a gap. One that refuses such a cursor, as
// on v2, leaves it to the others first. Connections that end go to the next
// instance.
//
// # Items
//
// Every event is an item, those about identities and accounts included. Its ID
// is <did>/<collection>/<rkey>/<rev>/<operation>, or <did>/<kind>/<seq>.
package bluesky
