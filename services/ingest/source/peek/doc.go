// Package peek looks for a few members in JSON text without decoding it: the
// id and the time that a source needs of a message it otherwise passes on
// untouched. It never fails. What it cannot follow it leaves alone, and whoever
// decodes the message later says what is wrong with it.
package peek
