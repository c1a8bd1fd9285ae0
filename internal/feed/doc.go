// Package feed is the vocabulary of Blipstream: what an item, a record and an
// event are, and the names of subjects, headers, formats and kinds. It imports
// nothing but proto/gen, so that every other package can speak it.
package feed
