// Package bustest runs a real nats-server inside a test: on a free port of the
// loopback, with a store of its own in t.TempDir, to be stopped and started
// again under the same address with the same store. It is what tests of every
// module talk to; nothing in this project imitates a server.
package bustest
