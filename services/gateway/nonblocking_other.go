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
