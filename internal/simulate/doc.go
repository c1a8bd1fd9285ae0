// Package simulate is a made-up world of people who post, for demonstrations
// and for tests: item n of a world depends on nothing but the world's seed, n
// and a time. Items have the shape of Twitter's v1.1 streaming API and carry
// "blipstream_simulated": true. People and sentences are invented; the cities
// they post from are real (package atlas names the source).
//
// Want says which events must come out of the pipeline for an item. It knows
// that from the plan of the post, not from the pipeline's code, so that tests
// can compare the two.
//
// NewServer serves a world as Twitter's statuses/filter.json did, with its
// framing, its rule of one connection and, on demand, its faults.
package simulate
