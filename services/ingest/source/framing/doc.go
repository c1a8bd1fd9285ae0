// Package framing cuts a byte stream into messages, in the ways that streaming
// HTTP services and files separate them. It knows nothing of HTTP, holds a
// bounded amount of memory whatever arrives, and hands out a message as soon
// as its last byte is there.
//
// Twitter's v1.1 streams end a message with CR LF and may hold a bare LF inside
// one, so the Auto mode, which also takes servers that end each message with a
// bare LF, needs proof before it splits at one: a message ends at a bare LF
// only if it is one complete JSON object or array by then, or if two lines in
// a row are. From then on every LF ends a message, until a message ends with
// CR LF, which settles the matter for the rest of the stream.
package framing
