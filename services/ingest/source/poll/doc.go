// Package poll is the connector for upstreams that are asked again and again:
// a document that changes, got every so often, and only if it has changed
// (ETag, Last-Modified). "Connected" means that it could be got and read.
package poll
