// Package embedded runs a nats-server inside the process, so that one command
// is all a newcomer needs. It listens on 127.0.0.1 as well, so that the nats
// command line works beside it, keeps its streams in a directory that only one
// process may use, and fits their limits to the disk.
//
// How durable it is: what it has acknowledged survives a kill of the process
// at any moment, because the bytes are then with the operating system. A power
// loss or kernel panic may take what was acknowledged in the last
// SyncInterval; Options.SyncAlways closes that window, and costs about three
// quarters of the publishing rate.
package embedded
