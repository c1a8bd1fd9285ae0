// Package tail is the shared log between one stream and any number of readers.
//
// One writer appends events that are already encoded for the wire. The bytes
// of each event exist once, in segments that never change after they are
// published; every reader is a cursor, a few words large, that pulls slices of
// those segments. Nothing is queued per reader, so a reader that does not read
// costs nothing to the others: in time the oldest segments leave the log, the
// cursor finds itself outside, and is told the range it missed as a Gap.
//
// What is appended becomes readable in windows: at once after a quiet time,
// otherwise together with everything else of the window. Fewer and larger
// writes are what makes fan-out fast (a write costs about the same for one
// event as for a hundred), and the boundaries are the same for all readers.
//
// A view of the log under a filter that is dear to evaluate is meant to be
// another Tail, fed by one reader of this one: readers then share the cost.
package tail
