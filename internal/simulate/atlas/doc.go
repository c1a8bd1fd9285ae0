// Package atlas knows the cities of the simulated world: real ones, with where
// they are, how many people live in them and what languages they post in. The
// README beside the data names its source.
package atlas

//go:generate go run ./gen $CITIES_PBF cities.tsv
