// Package e2e tests the programs as they are shipped: it builds them, runs them
// as processes with an environment of their own, kills them at bad moments, and
// compares what comes out with package simulate's oracle, which knows what must
// come out without sharing a line with the pipeline.
//
// Variables, read by the tests alone, make them heavier: BLIPSTREAM_E2E_ITEMS is
// how many items the kill tests send (default 20,000), BLIPSTREAM_E2E_KILL_FOR
// for how long replicas of enrich are killed at random (default 6 s), and
// BLIPSTREAM_E2E_RACE=1 builds the programs with the race detector.
package e2e
