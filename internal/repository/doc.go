// Package repository holds the tests of the repository itself: that its
// modules agree, that every package says what it is, that what the documents
// name exists. It has no code.
package repository
