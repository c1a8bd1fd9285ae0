package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// lockName is the file in a data directory that its user holds locked. The
// server has no such lock itself: two of them would write over each other.
const lockName = "LOCK"

// errHeld says that another process holds the lock.
var errHeld = errors.New("held by another process")

// lock is a held data directory. The system gives it back when the process
// ends, however it ends.
type lock struct{ file *os.File }

// takeLock takes dir, or says which process has it.
func takeLock(dir string) (*lock, error) {
	path := filepath.Join(dir, lockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("embedded: open lock of data directory: %w", err)
	}
	if err := lockFile(f); err != nil {
		holder := readHolder(path)
		_ = f.Close()
		if errors.Is(err, errHeld) {
			return nil, fmt.Errorf("embedded: lock data directory %s: in use by %s: stop it or give another --data", dir, holder)
		}
		return nil, fmt.Errorf("embedded: lock data directory %s: %w", dir, err)
	}
	l := &lock{f}
	if err := l.sign(); err != nil {
		return nil, errors.Join(err, l.release())
	}
	return l, nil
}

// sign writes the process's id into the file, for those who find it held.
func (l *lock) sign() error {
	if err := l.file.Truncate(0); err != nil {
		return fmt.Errorf("embedded: sign lock: %w", err)
	}
	if _, err := l.file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0); err != nil {
		return fmt.Errorf("embedded: sign lock: %w", err)
	}
	return nil
}

// release gives the directory back. The file stays: removing it would let two
// processes hold two files of one name.
func (l *lock) release() error {
	if err := l.file.Close(); err != nil {
		return fmt.Errorf("embedded: release data directory: %w", err)
	}
	return nil
}

// readHolder names the process that signed the lock, as far as it is known.
func readHolder(path string) string {
	b, err := os.ReadFile(path)
	pid := strings.TrimSpace(string(b))
	if err != nil || pid == "" {
		return "another process"
	}
	return "process " + pid
}
