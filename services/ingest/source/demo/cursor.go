package demo

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
)

// position is where in which world the source stands.
type position struct {
	epoch time.Time
	next  uint64
}

// cursor writes p as "<unix ms>-<next>".
func (p position) cursor() feed.Cursor {
	b := make([]byte, 0, 40)
	b = strconv.AppendInt(b, p.epoch.UnixMilli(), 10)
	b = append(b, '-')
	return feed.Cursor(strconv.AppendUint(b, p.next, 10))
}

// parseCursor is the inverse of cursor.
func parseCursor(c feed.Cursor) (position, error) {
	epoch, next, ok := strings.Cut(string(c), "-")
	ms, err := strconv.ParseInt(epoch, 10, 64)
	if !ok || err != nil {
		return position{}, fmt.Errorf("demo: read cursor: %q is not one of this source; give the source another name (demo:#other) or delete the cursor", c)
	}
	n, err := strconv.ParseUint(next, 10, 63)
	if err != nil {
		return position{}, fmt.Errorf("demo: read cursor: %q does not end in a number", c)
	}
	return position{time.UnixMilli(ms).UTC(), n}, nil
}
