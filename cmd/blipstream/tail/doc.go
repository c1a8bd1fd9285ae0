// Package tail reads a gateway's events and prints them.
//
// It reads with the Client of r3labs/sse, as many programs do, and so shows
// every day that the gateway's wire form is one that others understand. That
// client alone would not do: it returns for good on a clean end of the stream,
// gives up after 15 minutes whether or not it had success since, stops its
// retries neither for a cancelled context nor for an answer that will never
// change, takes no event above 64 KiB, waits for ever on a connection that has
// died in silence, and hands on the torn last event of a connection that broke.
// Client here lets it make one connection at a time and does the rest.
package tail
