// Package feeds serves a simulated world in the protocols of several upstreams,
// with their faults on demand, from one http.Handler:
//
//   - /v2/stream/<streams>: Wikimedia's EventStreams, resumed by Last-Event-ID,
//     else begun at since; whatever the stream, it is edits.
//   - /events: Server-Sent Events with posts in Blipstream's own shape.
//   - /api/v2/instance, /api/v1/streaming/<timeline>, /api/v1/timelines/<timeline>:
//     a Mastodon server, whose stream cannot resume. Half of its authors are
//     local, a quarter of the posts has a picture; home and lists show all.
//   - /standing_order/websocket, /fdsnws/event/1/query: EMSC's earthquakes; the
//     query heeds starttime, limit, minmag and orderby.
//   - /earthquakes/feed/v1.0/summary/<size>_<span>.geojson: USGS's.
//
// What is posted depends on the world alone; everything carries
// "blipstream_simulated" or "simulated". Raw says what each item must look like
// in the stream RAW. A request may have the parameters of a simulate.Fault, for
// this connection alone.
package feeds
