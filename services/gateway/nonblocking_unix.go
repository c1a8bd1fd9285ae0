//go:build unix

package gateway

import (
	"errors"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// hasWriters says that sockets can be written to without waiting.
const hasWriters = true

// maxRuns is how many pieces the kernel takes at once (IOV_MAX).
const maxRuns = 1024

// maxFiles is how many files, and so connections, the process may have open; 0
// if that is not known. Go has raised it as far as it may be at the start.
func maxFiles() uint64 {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	return uint64(limit.Cur) //nolint:unconvert // an int64 on FreeBSD
}

// nonBlocking writes to sockets without waiting for room. It keeps its
// arguments between calls so that a write allocates nothing.
type nonBlocking struct {
	runs [][]byte
	n    int
	err  error
	call func(fd uintptr) bool
}

// to writes as much of runs as the socket takes now, which may be nothing.
func (w *nonBlocking) to(c syscall.RawConn, runs [][]byte) (int, error) {
	if w.call == nil {
		w.call = w.once
	}
	w.runs, w.n, w.err = runs[:min(len(runs), maxRuns)], 0, nil
	if err := c.Write(w.call); err != nil {
		return 0, fmt.Errorf("gateway: write to socket: %w", err)
	}
	w.runs = nil
	if w.err != nil {
		return 0, fmt.Errorf("gateway: write to socket: %w", w.err)
	}
	return w.n, nil
}

// once makes the system call; true tells the runtime not to wait.
func (w *nonBlocking) once(fd uintptr) bool {
	for {
		if len(w.runs) == 1 {
			w.n, w.err = unix.Write(int(fd), w.runs[0])
		} else {
			w.n, w.err = unix.Writev(int(fd), w.runs)
		}
		if !errors.Is(w.err, unix.EINTR) {
			break
		}
	}
	if errors.Is(w.err, unix.EAGAIN) {
		w.n, w.err = 0, nil
	}
	return true
}
