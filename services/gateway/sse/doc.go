// Package sse is the wire form of the gateway's streams: how events are
// written (Append, Control), how a client says what it wants (ParseRequest),
// and how a request that cannot be served is refused (Problem).
//
// What is sent is stated as an Event of github.com/r3labs/sse/v2, encoded by
// Append: that library writes a field per call and does not guard against line
// breaks in payloads. Its client, and any other that follows the standard
// (https://html.spec.whatwg.org/multipage/server-sent-events.html), reads the
// result, and its ?stream= is understood.
package sse
