// Package usgs follows the U.S. Geological Survey's GeoJSON summary feeds of
// earthquakes. They need no credentials.
//
// # URL
//
// usgs: reads the feed all_day; usgs:2.5_week another: a size (all, 1.0, 2.5,
// 4.5, significant) and a time (hour, day, week, month). usgs+https://host/path
// reads a feed of another server. Parameters:
//
//   - interval: how often the feed is asked for; default 60s, which is how often
//     it is made anew. Below 30s only on this machine.
//   - stall: how long an answer may hang before it is given up; default 30s.
//
// # Items
//
// Every feature is an item, byte for byte, named <id>@<updated>: an earthquake
// that is corrected is an item again. One that vanishes although it is not too
// old for the feed was deleted upstream (or renamed, or revised below the feed's
// size); that is told by an item in the feed's shape with nothing but its id
// and the status "deleted". The items of one answer come by the time of their
// last change.
//
// The cursor is what the feed held, and is handed out with the last item of an
// answer: what came before it comes again after a crash, under the same ids. Who
// comes back after longer than the feed reaches is told of a gap.
package usgs
