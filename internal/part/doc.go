// Package part carries what the parts of the line say of themselves: a service
// reports its status, and whoever shows them reads all. They meet in the KV
// bucket status (docs/architecture.md), whose entries are the JSON form of
// PartStatus in proto/blipstream/feed/v1. A status is a courtesy: when it cannot
// be written, nothing waits and nothing fails.
package part
