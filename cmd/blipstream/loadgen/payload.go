package loadgen

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// mark is where a payload tells when it was published, in nanoseconds since
// 1970; each event has it once.
const mark = `"sent":"`

// digits is how long that time is: until the year 2286.
const digits = 19

// Payload is an event of size bytes that tells when it was published.
func Payload(now time.Time, size int) []byte {
	head := `{"id":"1",` + mark + strconv.FormatInt(now.UnixNano(), 10) + `","body":"`
	return []byte(head + strings.Repeat("x", max(0, size-len(head)-2)) + `"}`)
}

// published reads the first time in data; false if it is not whole.
func published(data []byte) (time.Time, bool) {
	i := bytes.Index(data, []byte(mark))
	if i < 0 || len(data) < i+len(mark)+digits {
		return time.Time{}, false
	}
	n, err := strconv.ParseInt(string(data[i+len(mark):i+len(mark)+digits]), 10, 64)
	return time.Unix(0, n), err == nil
}
