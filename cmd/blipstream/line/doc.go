// Package line runs the whole of Blipstream in one process: ingest, enrich and
// the gateway, each with a connection of its own to one NATS server, which is
// embedded or not. The services know nothing of each other here either; what
// this package adds is the order in which they are made and taken down.
package line
