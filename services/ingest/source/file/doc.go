// Package file reads recorded items: newline-delimited JSON, one item a line,
// plain or compressed with gzip or Zstandard, from a file or from standard input.
//
// # URL
//
// file:tweets.ndjson, file:../dir/tweets.ndjson.gz and file:///dir/tweets.ndjson
// name a file, file:- standard input. Compression is seen by the content, not
// by the name. Parameters:
//
//   - speed: 0 (default) is as fast as it goes, 1 the pace at which the items
//     were recorded, 10 ten times that. The pace is taken from timestamp_ms,
//     created_at, time_us or meta.dt; items without a time wait for nothing.
//   - max-gap: the longest wait between two items; default 5s.
//   - loop: true starts over at the end, for ever.
//   - max-line: the longest line in bytes; default 8 MiB. A longer one is
//     rejected as too_long and read over.
//
// # Items
//
// Every line that is not blank is an item, whatever it holds, without its line
// end. Its ID is where in the file it stands and a hash of it, so that a line
// that occurs twice is two items, and another file under the same name is not
// taken for the one read before. In the passes of a loop after the first the
// items have an Identity, so that they yield events again.
//
// The cursor is the pass, the offset in the uncompressed text and a fingerprint
// of the file's beginning. If the file turns out to be another one, or shorter,
// reading starts over, and says so. Standard input, pipes and devices cannot be
// resumed: their items have no cursor.
package file
