// Package param reads the parameters of sources' URLs: those that are a
// source's own are taken out, and what is left is the upstream's, or an error.
package param
