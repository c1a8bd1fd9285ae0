package twitter

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/framing"
	"github.com/blipstream/blipstream/services/ingest/source/peek"
	"github.com/blipstream/blipstream/services/ingest/source/upstream"
)

// connection is one response that is being read.
type connection struct {
	*twitterSource
	emit func(feed.Item) error
	// nonce tells this connection's notices from those of others.
	nonce   string
	notices int
	// missed is the last limit notice's count, which grows from 0 on every
	// connection.
	missed uint64
	last   notice
}

func newConnection(s *twitterSource, emit func(feed.Item) error) *connection {
	return &connection{twitterSource: s, emit: emit, nonce: rand.Text()[:10]}
}

// read hands out messages until the stream ends, and returns nil at its
// regular end.
func (c *connection) read(body io.Reader) error {
	in := framing.New(body, c.opts.framing, c.opts.maxFrame)
	for {
		f, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := c.take(f); err != nil {
			return &upstream.EmitError{Err: err}
		}
	}
}

// take hands out one message, or rejects what is not a whole one.
func (c *connection) take(f framing.Frame) error {
	switch {
	case f.Cut:
		return c.reject(source.ReasonTooLong, f, fmt.Errorf("twitter: read %s: message of %d bytes, the limit is %d", c.name, f.Size, c.opts.maxFrame))
	case f.Open && !whole(f.Data):
		return c.reject(source.ReasonTruncated, f, fmt.Errorf("twitter: read %s: connection ended in the middle of a message", c.name))
	}
	id, isNotice := identify(f.Data)
	if isNotice {
		id = c.notice(f.Data)
	}
	return c.emit(feed.Item{
		ID: id, Source: c.name, Format: feed.FormatTwitterV1, Received: time.Now(), Data: bytes.Clone(f.Data),
	})
}

// whole reports whether data is a complete object, so that only its separator
// is missing.
func whole(data []byte) bool {
	var b peek.Balance
	b.Feed(data)
	return b.Whole()
}

func (c *connection) reject(reason string, f framing.Frame, err error) error {
	c.log.Warn("message rejected", slog.String("source", c.name), slog.String("reason", reason), slog.Int64("bytes", f.Size))
	return c.observer.Reject(source.Rejected{Reason: reason, Err: err, Data: bytes.Clone(f.Data)})
}

// notice heeds a notice and returns the id of its item.
func (c *connection) notice(data []byte) string {
	n := parseNotice(data)
	c.notices++
	c.log.Warn("upstream notice", slog.String("source", c.name), slog.String("notice", n.String()))
	if n.Limit != nil && n.Limit.Track > c.missed {
		c.observer.Missed(n.Limit.Track - c.missed)
		c.missed = n.Limit.Track
	}
	if n.Disconnect != nil {
		c.last = n
	}
	return "notice-" + c.nonce + "-" + strconv.Itoa(c.notices)
}

// closed is what the regular end of the response means.
func (c *connection) closed() error {
	err := fmt.Errorf("twitter: read %s: connection closed by the upstream", c.name)
	if c.last.Disconnect != nil {
		err = fmt.Errorf("%w: %s", err, c.last)
	}
	if c.last.stayAway() {
		return &source.Error{Cause: source.CauseRateLimited, Err: err}
	}
	return &source.Error{Cause: source.CauseClosed, Err: err}
}
