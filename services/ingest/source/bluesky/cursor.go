package bluesky

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
)

const (
	// rewind is how far before the last event a connection begins that cannot
	// go on behind a sequence.
	rewind = 5 * time.Second
	// firstTime is the least number that an instance takes for a time in
	// microseconds; below it is a sequence.
	firstTime = 1_000_000_000_000_000
)

// place is where in the stream an event lies.
type place struct {
	us   int64  // the event's time, in microseconds since 1970
	seq  uint64 // its number on the instance; 0 if it told none
	host string
}

// parsePlace reads a cursor: <time>[.<seq>]@<host>.
func parsePlace(c feed.Cursor) (p place, err error) {
	if c == "" {
		return place{}, nil
	}
	numbers, host, ok := strings.Cut(string(c), "@")
	us, seq, hasSeq := strings.Cut(numbers, ".")
	p.host = host
	p.us, err = strconv.ParseInt(us, 10, 64)
	if err == nil && hasSeq {
		p.seq, err = strconv.ParseUint(seq, 10, 64)
	}
	if err != nil || !ok || p.us < firstTime {
		return place{}, fmt.Errorf("bluesky: read cursor %q: it is not of the form <microseconds>.<sequence>@<host>", c)
	}
	return p, nil
}

// cursor is the place as a cursor; empty if it has no time.
func (p place) cursor() feed.Cursor {
	switch {
	case p.us < firstTime:
		return ""
	case p.seq == 0:
		return feed.Cursor(strconv.FormatInt(p.us, 10) + "@" + p.host)
	default:
		return feed.Cursor(strconv.FormatInt(p.us, 10) + "." + strconv.FormatUint(p.seq, 10) + "@" + p.host)
	}
}

// exact reports whether a connection to host can go on right behind p.
func (p place) exact(host string) bool { return p.seq != 0 && p.seq < firstTime && p.host == host }

// ask is what to ask host for in order to go on behind p; "" for the present.
func (p place) ask(host string) string {
	switch {
	case p.us == 0:
		return ""
	case p.exact(host):
		return strconv.FormatUint(p.seq, 10)
	default:
		return strconv.FormatInt(max(p.us-rewind.Microseconds(), firstTime), 10)
	}
}

// time is when the event was.
func (p place) time() time.Time { return time.UnixMicro(p.us).UTC() }
