// Package service is the lifecycle that every service shares: what a process
// hands to the services in it (Env), how they run together (Group), how they
// are taken down (Cleanups), how they say whether they are well (Health,
// Admin), and the main function of a program that is one service (Main).
//
// A service is a value with New and Run. It never reads flags, never handles
// signals, never exits, and two of it can run in one process.
package service
