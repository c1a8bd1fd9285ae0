// Package bench measures ingest. Run tells how many items a second it stores
// that come over HTTP in the framing of Twitter's v1.1, beside the bus's
// publisher alone (the same bytes to the same stream under ids of their own,
// without a connection to read, ids to find, a ledger and a cursor). Steady reads
// a source at its own pace, and tells what is missing and how the memory grows.
package bench
