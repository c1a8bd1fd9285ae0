// Package atlas knows the cities of the simulated world: real ones, with where
// they are, how many people live in them and what languages they post in. They
// are the larger ones of package gazetteer.
package atlas
