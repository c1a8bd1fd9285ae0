// Package websocket is the connector for upstreams that speak WebSocket
// (RFC 6455): Read makes one connection and hands on each of its data messages,
// in order. Open is the generic source.
//
// Pings of the upstream are answered, and pings of its own sent, only while a
// message is waited for: an upstream whose messages are not taken for long sees
// its pings unanswered, as it should. Any byte, control frames included, is a
// sign of life.
//
// # URL
//
// ws+https://host/path?query, or wss://, is connected to with its parameters,
// except those that are ours:
//
//   - id: a JSON pointer (RFC 6901) to a message's id, such as /meta/id. Without
//     it, or where it names nothing, a message is named by a hash of its bytes.
//   - format: how enrich is to read messages; without it the shape tells.
//   - hello: a text that is sent once connected, as to subscribe.
//   - subprotocol: those that are offered, separated by commas.
//   - ping: how often the upstream is pinged; default 30s.
//   - stall: how long silence may last before the connection is given up;
//     default 60s.
//   - max-event: the longest message in bytes; default 1 MiB. A longer one is
//     rejected as too_long and read over.
//
// # Credentials
//
// The secret is "bearer:<token>" or "basic:<user>:<password>"; none is needed.
//
// # Items
//
// Every message is an item. The stream cannot resume.
package websocket
