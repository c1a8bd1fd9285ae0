// Package filter decides which events a client wants.
//
// Facts are what an event says about itself as far as filters ask, read from
// its JSON in one pass; a Filter is a set of conditions with a canonical form,
// so that all clients that ask for the same share one evaluation.
//
// An event of a removal (post_removed, geo_removed) matches every filter: what
// was shown under it must be able to disappear.
package filter
