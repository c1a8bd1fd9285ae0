// Package source is what every upstream looks like to ingest: a Source that
// reads one connection, the Config it is opened with, the Error by which it
// says how to go on, and the Observer it tells what items cannot say.
package source
