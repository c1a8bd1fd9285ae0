// Package dead shows what could not be handled, and puts it back.
//
// A letter is put back into RAW under a new message id, because the stream may
// still remember the old one, and with its item's own id, so that its events
// have the ids they would have had. It is deleted from DEAD when RAW has stored
// it, and not before: what is interrupted is put back once more, and stored once.
package dead
