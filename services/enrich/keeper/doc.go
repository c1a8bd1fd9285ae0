// Package keeper keeps the rules in force. It reads their text from a file or
// from a NATS key-value bucket, looks for changes while the service runs, and
// swaps a new set in, in one step, when that has been compiled and has passed
// its tests. A text that is no good is refused, told, and changes nothing: the
// last good set stays.
//
// # A file
//
// is read when the service is made, and what is wrong with it is refused there
// and then. After that it is read every two seconds; a change of its bytes
// counts, not that of its time, so that mounted ConfigMaps work as well. Each
// process has its own file and numbers its generations from 1.
//
// # A bucket
//
// has two keys. "current" is what operators write, with `blipstream rules put`
// or `nats kv put`; its revision is the generation, the same in all replicas.
// "good" is what replicas write: the newest text that has passed, with its
// generation as mark. A replica that starts while "current" is no good takes
// "good", so that a restart does not undo what "the last good set stays" says.
package keeper
