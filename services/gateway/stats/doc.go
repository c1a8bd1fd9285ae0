// Package stats counts events over sliding windows: by kind, source, language,
// country and hashtag, and how long they took to arrive.
package stats
