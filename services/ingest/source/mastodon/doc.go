// Package mastodon reads the streaming API of a Mastodon server, as Server-Sent
// Events.
//
// # URL
//
// mastodon:mastodon.social reads the public timeline of that server;
// mastodon+https://host another way to write it, and mastodon+http://host one
// without encryption. Where the stream is served the server itself tells.
// Parameters:
//
//   - stream: public (default), public/local, public/remote, hashtag,
//     hashtag/local, list or user; with tag=<name> or list=<id> where it needs one.
//   - only_media: true for posts with pictures, films or sound alone.
//   - backfill: how many posts are fetched at most that came while there was no
//     connection; default 1000, 0 for none.
//   - stall, max-event: as in package sse. The server sends a sign of life every
//     15 s.
//
// # Credentials
//
// The secret is a user's access token, as it is or as "bearer:<token>". Servers
// from version 4.2 on ask for one even for public timelines, and leave out what
// its user has blocked, muted or filtered, and languages it has not chosen: take
// an account of its own.
//
// # Items
//
// A new status is an item, as the server wrote it, named by its id. An edited
// one is an item again, named <id>@<edited_at>. A deletion comes as a bare id;
// as an item it is {"event":"delete","payload":"<id>"}, which is how the same
// message reads on the server's WebSocket, and is named del-<id>. Other events
// are about the user, and passed over.
//
// The stream cannot resume. The cursor is the highest id of a status; after an
// interruption the REST interface is asked for what came since. It does not
// tell of deletions and edits, nor of posts from other servers that arrive late
// and so have a lower id; what was more than backfill is told as a gap.
package mastodon
