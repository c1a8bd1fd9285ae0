package bluesky

import (
	"bytes"
	"fmt"
	"log/slog"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/websocket"
)

const (
	// gapTolerance is how much later than asked for the first event may be
	// without anything being missing: a whole network is never silent so long.
	gapTolerance = time.Minute
	// lookback is how far back instances keep events.
	lookback = 36 * time.Hour
)

// connection is one connection that is being read.
type connection struct {
	*blueskySource
	host string
	emit func(feed.Item) error
	// from is where the connection was to go on, last the last event taken.
	from, last place
	begun      bool
}

// take hands out one event, or rejects what is not a whole one.
func (c *connection) take(m websocket.Message) error {
	if m.Cut {
		return c.reject(m.Data, fmt.Errorf("bluesky: read %s: event of %d bytes, the limit is %d", c.name, m.Size, c.opts.maxFrame))
	}
	data := bytes.Clone(m.Data)
	if m.Binary {
		whole, err := c.undo(m.Data)
		if err != nil {
			return c.undecoded(data, err)
		}
		data = whole
	}
	e := identify(data)
	if c.repeated(&e) {
		return nil
	}
	if e.kind == "info" && e.outdated {
		c.gone()
	}
	c.moved(&e)
	err := c.emit(feed.Item{
		ID: e.id(data), Source: c.name, Format: feed.FormatBluesky, Received: time.Now(), Cursor: c.last.cursor(), Data: data,
	})
	if err == nil && e.failed != "" {
		return c.failed(e.failed)
	}
	return err
}

// undo decompresses an event.
func (c *connection) undo(frame []byte) ([]byte, error) {
	if c.dict == nil {
		return nil, fmt.Errorf("bluesky: read %s: binary event, although none was asked for", c.name)
	}
	return c.dict.undo(frame)
}

// undecoded rejects an event that cannot be decompressed, or not within the limit.
func (c *connection) undecoded(frame []byte, err error) error {
	if tooLong(err) {
		return c.reject(frame, fmt.Errorf("bluesky: read %s: event of %d bytes becomes longer than %d", c.name, len(frame), c.opts.maxFrame))
	}
	return c.rejectAs(source.ReasonTruncated, frame, fmt.Errorf("bluesky: read %s: decompress event: %w", c.name, err))
}

func (c *connection) reject(data []byte, err error) error {
	return c.rejectAs(source.ReasonTooLong, data, err)
}

func (c *connection) rejectAs(reason string, data []byte, err error) error {
	c.log.Warn("event rejected", slog.String("source", c.name), slog.String("reason", reason), slog.Int("bytes", len(data)))
	e := identify(data)
	c.moved(&e)
	return c.observer.Reject(source.Rejected{Reason: reason, Err: err, Data: bytes.Clone(data), Cursor: c.last.cursor()})
}

// repeated reports whether an event was taken before: the sequence that is
// asked for comes again.
func (c *connection) repeated(e *event) bool {
	return c.from.exact(c.host) && e.seq == c.from.seq && e.us == c.from.us
}

// gone tells that the instance no longer has what was asked for, and says so. Its
// first event says it again, which is not told twice.
func (c *connection) gone() {
	c.begun = true
	source.TellGap(c.observer, source.Gap{Why: "the instance does not keep events as long as the source was away", From: c.from.time(), To: time.Now().UTC()})
}

// moved takes note of an event's place. One without a time leaves it.
func (c *connection) moved(e *event) {
	if e.us < firstTime {
		return
	}
	c.last = place{us: e.us, seq: e.seq, host: c.host}
	if c.begun {
		return
	}
	c.begun = true
	if c.from.us != 0 && c.clamped(e) {
		source.TellGap(c.observer, source.Gap{Why: "the instance began later than asked for", From: c.from.time(), To: c.last.time()})
	}
}

// clamped reports whether an instance has begun elsewhere than it was asked to. A
// few accounts may well be silent for longer than a network; there it takes a
// cursor beyond what instances keep.
func (c *connection) clamped(e *event) bool {
	if c.from.exact(c.host) && e.seq != 0 && e.seq < c.from.seq {
		return true // it has lost what it had, and counts anew
	}
	late := time.Duration(e.us-c.from.us)*time.Microsecond > gapTolerance
	return late && (len(c.opts.dids) == 0 || time.Since(c.from.time()) > lookback)
}

// failed is what the last frame means that an instance sends before it ends a
// connection of the second wire.
func (c *connection) failed(name string) error {
	cause := source.CauseHTTP
	if name == "ConsumerTooSlow" {
		cause = source.CauseClosed // it goes on where it was
	}
	return &source.Error{Cause: cause, Err: fmt.Errorf("bluesky: read %s: the instance ended the connection: %.80q", c.name, name)}
}
