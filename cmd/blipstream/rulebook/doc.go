// Package rulebook is what operators do with rules: run their tests, try them
// on what is in RAW, and put them into a bucket.
package rulebook
