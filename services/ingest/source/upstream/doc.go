// Package upstream is what the connectors share, whatever protocol they speak:
// an HTTP client for connections that never end, the Watchdog that gives a
// silent one up, what a refusal means, and how an ended connection is told.
package upstream
