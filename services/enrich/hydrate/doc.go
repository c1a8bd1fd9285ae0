// Package hydrate adds to a record what can be known from its item: who posted
// it, what it says and when, in which language, what it tags, mentions and links
// to, and where it is on the map. A hydrator chooses among the candidates that
// decode found, or finds out from what it has: the text, and the cities of
// package gazetteer. It does no I/O, and it cannot fail the line: one that
// panics leaves the record as it was, and is counted.
//
// Hydrators run in the order in which they are configured, and a later one may
// overwrite what an earlier one set. To add one, write a type with the two
// methods of Hydrator and give it a line in the catalogue.
package hydrate
