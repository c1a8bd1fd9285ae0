//go:build !unix

package gateway

import (
	"errors"
	"syscall"
)

// hasWriters says that sockets cannot be written to without waiting here:
// every stream is served through net/http.
const hasWriters = false

// nonBlocking is never used here.
type nonBlocking struct{}

func (nonBlocking) to(syscall.RawConn, [][]byte) (int, error) { return 0, errors.ErrUnsupported }

// maxFiles is how many files the process may have open; 0 as it is not known.
func maxFiles() uint64 { return 0 }
