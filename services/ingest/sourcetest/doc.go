// Package sourcetest is the conformance suite of sources: what ingest relies
// on, checked against a real upstream of each kind. A source that passes Run
// needs no code of its own in ingest.
package sourcetest
