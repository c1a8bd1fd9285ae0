// Package loadgen measures servers of Server-Sent Events: a crowd of clients on
// bare sockets behind one epoll, and two servers to compare with, r3labs/sse
// and a loop of plain writes. No client parses more than it must, so that the
// machine is left to the server.
package loadgen
