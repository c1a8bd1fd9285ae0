// Package bus is Blipstream's way to NATS JetStream, and the only package that
// imports nats.go. Everything durable goes through it:
//
//   - Conn is a connection that never gives up, and Conn.Ensure makes the
//     streams, the durable consumer and the buckets from one Layout;
//   - Publisher stores messages and goes on trying until they are stored;
//   - Conn.Consume shares a durable consumer with other processes;
//   - Conn.Follow reads a whole stream in order, Conn.Range a piece of it;
//   - Lease and Cursor let one process at a time own an upstream, and keep its
//     place in it;
//   - Conn.Letters turns what could not be handled into messages that keep it.
//
// What nats.go and the server leave to their users is done here once: a server
// that is away is waited for, a stream or consumer that was deleted is bound
// again, and a loss that the server does not report is found and told.
package bus
