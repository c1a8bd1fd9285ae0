// Package live makes of a stream of events what a person can take in: a frame
// is a tenth of a second with a fair sample of its posts, its positions merged
// where they are close, exact totals, and all removals. Its size does not grow
// with the number of events.
package live
