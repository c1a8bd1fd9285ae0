// Package demo is a source that needs no network: a simulated world whose
// people post about the weather, trains and soup (package simulate). It is what
// Blipstream shows before it is told what to read.
//
// # URL
//
// demo:?rate=50&seed=1, with these parameters, all optional:
//
//   - rate: items a second on average, up to 50,000; default 20. They arrive as
//     chance has it, and in small bursts.
//   - seed: which world; default 1.
//   - geo: share of posts that tell a position, 0 to 1; default 0.75.
//   - burst: how many times the usual rate a burst has, 1 (none) to 100;
//     default 3. A second of every ten or so is a burst.
//   - malformed: share of items that are broken; default 0.
//   - n: how many items there are; default 0, without end. The source ends when
//     the last was emitted, and a resumed one counts on from its cursor.
//   - start: an RFC 3339 time at which the world pretends to have begun. Items
//     then carry times counted from it instead of the clock's, and are the
//     same, byte for byte, in every run.
//
// # Items
//
// Items are in Twitter's v1.1 shape and say "blipstream_simulated": true. ID is
// unique over restarts. The cursor is "<when the world began, Unix
// milliseconds>-<number of the next item>".
package demo
