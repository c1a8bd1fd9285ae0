// Package web holds the built page and serves it.
//
// dist is generated: the sources are in the folder web at the root of the
// project. It is committed so that building the programs takes Go alone.
package web
