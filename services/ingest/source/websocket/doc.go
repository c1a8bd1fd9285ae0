// Package websocket is the connector for upstreams that speak WebSocket
// (RFC 6455): one connection, each of its data messages handed on in order.
//
// Pings of the upstream are answered, and pings of its own sent, only while a
// message is waited for: an upstream whose messages are not taken for long sees
// its pings unanswered, as it should. Any byte, control frames included, is a
// sign of life.
package websocket
