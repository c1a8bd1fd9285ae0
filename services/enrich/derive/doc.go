// Package derive makes events of records. A deriver publishes an event only if
// the record has the data the event needs. Its payload is one flat ProtoJSON
// object of the message that proto/blipstream/feed/v1/event.proto has for its
// kind, written by hand because protojson takes several times as long; a
// contract test holds the two together.
//
// What an upstream takes back does not depend on how hydrators are configured:
// removals are read from the item itself, and so is the author's id that they
// refer to.
//
// To add a kind, add its message to event.proto, write a type with the two
// methods of Deriver, and give it a line in All.
package derive
