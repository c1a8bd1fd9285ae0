// Package phrase writes what the simulated people say, in their language and
// script, and makes up their names. Everything in it was written for this
// project: calm everyday sentences with gaps, and words that are no one's name.
package phrase
