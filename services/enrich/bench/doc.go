// Package bench measures how fast one enrich process is, beside the least that
// any process could do with the same items: take them and acknowledge them.
//
// All parts read the same number of simulated tweets out of RAW through the
// durable consumer of enrich, from a backlog. One takes and acknowledges them.
// The others decode, hydrate and derive them, have their events stored in EVENTS
// under message ids, and acknowledge each tweet when its events are stored: as
// they are, with 20 rules of a user, with 1 % of them broken, by two replicas,
// and, where that is asked for, with a large backlog behind them.
//
// What is measured as CPU is this process's: point it at a server in a
// process of its own, or the figures are of both.
package bench
