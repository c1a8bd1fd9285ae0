// Package emsc follows the earthquakes that the European-Mediterranean
// Seismological Centre makes known on its "standing order" WebSocket. It needs no
// credentials.
//
// # URL
//
// emsc: connects to the service; emsc+wss://host/path and emsc+ws://host/path to
// another server. Parameters:
//
//   - stall: how long silence may last, pongs included, before the connection is
//     given up; default 45s, three of the pings that are sent every 15 s.
//   - backfill: how many earthquakes are fetched at most that became known while
//     there was no connection; default 1000, 0 for none.
//
// # Items
//
// Each message is an item, named <unid>@<lastupdate>: an earthquake that is
// corrected is an item again. The cursor is the latest lastupdate. The socket
// cannot resume; after an interruption the centre's FDSN event service is asked
// for what happened since an hour before the cursor, and each feature of its
// answer that was changed since is an item, byte for byte (without the message
// around it). A correction of something older is not seen again.
package emsc
