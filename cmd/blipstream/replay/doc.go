// Package replay works on what RAW holds once more, by the code of enrich: into
// a run of the stream REPLAY, which leaves EVENTS alone, or into EVENTS, to fill
// what is missing there.
//
// It knows what its target holds by reading the message ids of that, and so
// publishes nothing twice, however long ago it was stored the first time. An id
// costs about 50 bytes of memory while it works.
//
// Healing leaves to enrich what enrich has not settled yet, and passes over what
// EVENTS may have held and dropped by its limits.
package replay
