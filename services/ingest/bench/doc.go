// Package bench measures how many items a second ingest stores, beside the
// bus's publisher alone: the same bytes to the same stream under ids of their
// own, without a source, headers, a ledger and a cursor.
package bench
