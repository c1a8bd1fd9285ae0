// Package twitter reads a stream of Twitter's v1.1 kind: one HTTP response that
// never ends, one JSON object a message, control messages among the tweets,
// blank lines as keep-alives.
//
// # URL
//
// twitter+https://stream.example.com/1.1/statuses/filter.json?track=go is
// connected to as https://, with its parameters, except those that are ours:
//
//   - framing: auto (default), crlf or lf; see package framing. With
//     delimited=length, which goes to the upstream too, lengths are expected.
//   - stall: how long silence may last before the connection is given up;
//     default 90s, three of the upstream's keep-alives.
//   - max-frame: the longest message in bytes; default 8 MiB. A longer one is
//     rejected as too_long and read over.
//   - method: get or post. Without it a path that ends in filter.json is posted
//     to, which is how statuses/filter takes long lists of terms, and every
//     other one is got. Posted parameters travel as a form in the body.
//
// # Credentials
//
// The secret is "bearer:<token>", "basic:<user>:<password>", or, for the API
// that acts for a user,
// "oauth1:<consumer key>:<consumer secret>:<token>:<token secret>", by which
// each request is signed anew (OAuth 1.0a, RFC 5849).
//
// # Items
//
// Every message is an item, control messages and broken ones included. Its ID
// is a tweet's id_str, del-<id> for a deletion, scrub-<user>-<id> for a
// scrub_geo. A limit, a warning and a disconnect are notices: two of the same
// text are two notices, so their ID is new on every connection. Anything else
// is named by a hash of its bytes. The upstream cannot resume: items have no
// cursor.
package twitter
