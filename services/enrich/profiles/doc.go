// Package profiles finds out what the authors of Bluesky call themselves: their
// events carry nothing but a DID.
//
// A Book asks the AppView for many authors at once, never oftener than it may,
// and keeps what it learns: in memory, and in a KV bucket that all replicas
// share. Whoever asks gets an answer within a bounded time, if only that there
// is none; an AppView that refuses or is not there costs names, never posts.
package profiles
