package xapi

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
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
	*xSource
	ctx     context.Context // Stream's
	emit    func(feed.Item) error
	nonce   string // tells this connection's notices from those of others
	notices int
	last    *problem
}

func newConnection(ctx context.Context, s *xSource, emit func(feed.Item) error) *connection {
	return &connection{xSource: s, ctx: ctx, emit: emit, nonce: rand.Text()[:10]}
}

// read hands out messages until the stream ends, or the budget does.
func (c *connection) read(body io.Reader) error {
	in := framing.New(body, framing.LF, c.opts.maxFrame)
	for {
		f, err := in.Next()
		if errors.Is(err, io.EOF) {
			return c.closed()
		}
		if err != nil {
			return err
		}
		if err := c.take(f); err != nil {
			return &upstream.EmitError{Err: err}
		}
		if err := c.budget.left(); err != nil {
			return err
		}
		if err := c.setAside(c.ctx); err != nil {
			return &upstream.EmitError{Err: err}
		}
	}
}

// take hands out one message, or rejects what is not a whole one.
func (c *connection) take(f framing.Frame) error {
	switch {
	case f.Cut:
		return c.reject(source.ReasonTooLong, f, fmt.Errorf("xapi: read %s: message of %d bytes, the limit is %d", c.name, f.Size, c.opts.maxFrame))
	case f.Open && !whole(f.Data):
		return c.reject(source.ReasonTruncated, f, fmt.Errorf("xapi: read %s: connection ended in the middle of a message", c.name))
	}
	id, isNotice := identify(f.Data)
	if isNotice {
		id = c.notice(f.Data)
	} else {
		c.spend()
	}
	if id == "" {
		sum := sha256.Sum256(f.Data)
		id = "sha-" + hex.EncodeToString(sum[:16])
	}
	return c.emit(feed.Item{
		ID: id, Source: c.name, Format: feed.FormatXV2, Received: time.Now(), Cursor: c.budget.cursor(), Data: bytes.Clone(f.Data),
	})
}

// spend counts a message that is a post, or may be one in a form that is not
// known here: what cannot be told apart was charged for.
func (c *connection) spend() {
	c.budget.spend()
	source.TellBudget(c.observer, c.budget.used, c.budget.most)
}

// whole reports whether data is a complete object, so that only its separator
// is missing.
func whole(data []byte) bool {
	var b peek.Balance
	b.Feed(data)
	return b.Whole()
}

// reject keeps what is no whole message. It may have been a post, and counts.
func (c *connection) reject(reason string, f framing.Frame, err error) error {
	c.log.Warn("message rejected", slog.String("source", c.name), slog.String("reason", reason), slog.Int64("bytes", f.Size))
	c.spend()
	return c.observer.Reject(source.Rejected{Reason: reason, Err: err, Data: bytes.Clone(f.Data), Cursor: c.budget.cursor()})
}

// identify finds the id of a message's post. isNotice says that it has no post,
// but errors: it is about the stream.
func identify(data []byte) (id string, isNotice bool) {
	failed, post := false, false
	peek.Object(data, func(key, value []byte) bool {
		switch string(key) {
		case "data":
			id, post = peek.Digits(peek.Field(value, "id")), true
		case "errors":
			failed = true
		}
		return !post
	})
	return id, failed && !post
}

// notice heeds a notice and returns the id of its item.
func (c *connection) notice(data []byte) string {
	var n struct {
		Errors []problem `json:"errors"`
	}
	c.notices++
	if json.Unmarshal(data, &n) == nil && len(n.Errors) > 0 {
		c.last = &n.Errors[0]
		c.log.Warn("upstream notice", slog.String("source", c.name), slog.String("notice", c.last.text()))
	}
	return "notice-" + c.nonce + "-" + strconv.Itoa(c.notices)
}

// closed is what the regular end of the response means.
func (c *connection) closed() error {
	err := fmt.Errorf("xapi: read %s: connection closed by the upstream", c.name)
	if c.last == nil {
		return &source.Error{Cause: source.CauseClosed, Err: err}
	}
	err = fmt.Errorf("%w: %s", err, c.last.text())
	if c.last.tooMany() {
		err = fmt.Errorf("%w: %w", err, errTooMany)
	}
	return &source.Error{Cause: c.last.cause(), Err: err}
}
