// Package ssetest examines a server of Server-Sent Events from outside: what
// crosses the network is all it knows. Run checks the contract of the gateway's
// /events, /live and /api against any address; Open reads a stream, strictly.
package ssetest
