// Package streams is the one owner of what is on a NATS server: the flags that
// say what streams, consumers and buckets there shall be, and the command that
// makes them. It is apart from the other commands so that a program for a
// cluster's set-up can be small.
package streams
