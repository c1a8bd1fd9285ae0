package gateway

import (
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// boundSilence has the kernel end a connection on which what was sent is not
// acknowledged for that long. Without it a client whose machine or network went
// away without a word keeps its place for a quarter of an hour: heartbeats are
// too small to fill its buffer, so no write fails.
func boundSilence(c *net.TCPConn, d time.Duration) error {
	raw, err := c.SyscallConn()
	if err == nil {
		var failed error
		err = raw.Control(func(fd uintptr) {
			failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(d.Milliseconds()))
		})
		err = errors.Join(err, failed)
	}
	if err != nil {
		return fmt.Errorf("gateway: bound silence: %w", err)
	}
	return nil
}
