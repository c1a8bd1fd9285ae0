// Package usage tells what a process has used of the machine, for benchmarks.
// What the system does not tell is 0.
package usage
