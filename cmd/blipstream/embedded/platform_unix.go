//go:build linux || darwin || freebsd

package embedded

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// lockFile locks f for this process without waiting.
func lockFile(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return errHeld
	}
	return err
}

// diskSpace tells what an ordinary user may still write to dir's file system,
// and its size, in bytes.
func diskSpace(dir string) (free, total int64, err error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return 0, 0, err
	}
	block := int64(fs.Bsize) //nolint:unconvert // 32 bits on some systems
	return int64(fs.Bavail) * block, int64(fs.Blocks) * block, nil
}
