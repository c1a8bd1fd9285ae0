// Package xapi reads the streams of X's API v2: one HTTP response that never
// ends, one JSON object a line, blank lines as keep-alives. X charges for every
// post it delivers.
//
// # URL
//
// x: is the API itself, at api.x.com; x+https://host is another server that
// speaks it. Parameters:
//
//   - stream: filtered (default), whose rules say which posts come, or sample,
//     one in a hundred of all.
//   - rules: a file of rules. Those on the server that carry our tag are made
//     to be those of the file before the first connection; others are left
//     alone. Without it the rules are as they are.
//   - tag: what tags of our rules begin with; default blipstream.
//   - max-posts: how many posts may be delivered in all; unlimited for no end.
//     It must be given for x:.
//   - backfill: minutes, 1 to 5, that each connection goes back, the first one
//     included; what is stored already is not stored twice, but counts.
//   - takeover: true ends another connection that is in the way.
//   - idle: how long silence may last; default 25s, since the keep-alives of
//     every 20 s come a little late.
//   - max-frame: the longest message in bytes; default 8 MiB.
//
// # Rules
//
// The file is either lines, each a rule, with # for comments, or the API's own
// form: a JSON array of objects with value and tag. A tag becomes
// <prefix>:<tag>; a line's tag is a short hash of it.
//
// # Credentials
//
// The secret is "bearer:<token>", the token of an application.
//
// # Budget
//
// The count of posts is kept in the cursor, so it goes on over restarts and in
// whichever process takes over. Posts are set aside before they are read, 64 at a
// time, and the cursor says so by then: a process that is killed has read none
// that the next one does not count, and leaves 64 at most that count without
// having been read. The source stops for good before a post more than max-posts
// is read. A message that is no notice counts, whether it is understood or not.
//
// # Items
//
// A post's ID is its own. Messages of the stream about itself are notices: their
// ID is new on every connection. The stream cannot resume.
package xapi
