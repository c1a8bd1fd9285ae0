package file

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/blipstream/blipstream/internal/feed"
)

// position is where in which file, and in which pass over it.
type position struct {
	pass   uint64
	offset int64 // in the uncompressed text
	head   head
}

// head is the fingerprint by which a file is known again: the hash of its
// first bytes. A file that grows keeps it.
type head struct {
	size int64
	hash string
}

const (
	// headBytes is how much of a file its fingerprint covers: more than two
	// recordings have in common, little enough to read at every start.
	headBytes = 4096
	// hashBytes is how much of a SHA-256 is kept: 2^64 is enough against chance.
	hashBytes = 8
)

// cursor writes p as "<pass>-<offset>-<head size>-<head hash>".
func (p position) cursor() feed.Cursor {
	b := make([]byte, 0, 64)
	b = strconv.AppendUint(b, p.pass, 10)
	b = append(b, '-')
	b = strconv.AppendInt(b, p.offset, 10)
	b = append(b, '-')
	b = strconv.AppendInt(b, p.head.size, 10)
	b = append(b, '-')
	return feed.Cursor(append(b, p.head.hash...))
}

var errCursor = errors.New("it is not the cursor of a file")

// parseCursor is the inverse of cursor.
func parseCursor(c feed.Cursor) (p position, err error) {
	parts := strings.Split(string(c), "-")
	if len(parts) != 4 {
		return p, errCursor
	}
	pass, err1 := strconv.ParseUint(parts[0], 10, 64)
	offset, err2 := strconv.ParseInt(parts[1], 10, 64)
	size, err3 := strconv.ParseInt(parts[2], 10, 64)
	raw, err4 := hex.DecodeString(parts[3])
	if errors.Join(err1, err2, err3, err4) != nil || offset < 0 || size < 0 || size > headBytes || len(raw) != hashBytes {
		return p, errCursor
	}
	return position{pass, offset, head{size, parts[3]}}, nil
}

// headOf reads the fingerprint of a file's first size bytes, fewer if it has
// not so many. The file's own position does not change.
func headOf(f *os.File, size int64) (head, error) {
	data, err := io.ReadAll(io.NewSectionReader(f, 0, size))
	if err != nil {
		return head{}, fmt.Errorf("read fingerprint: %w", err)
	}
	return head{int64(len(data)), hash(data)}, nil
}

// hash is a short hash of data in hexadecimal.
func hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:hashBytes])
}
