package sse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/upstream"
)

const (
	// DefaultMaxEvent is the longest event of a source that does not say
	// otherwise, in bytes: what a NATS server takes.
	DefaultMaxEvent = 1 << 20
	// DefaultStall is how long a source that does not say otherwise lets its
	// upstream be silent: four of the heartbeats that are sent every 15 s.
	DefaultStall = time.Minute
)

// Profile is a connection to an event stream, and what one upstream differs in
// from others.
type Profile struct {
	// Who begins errors: the package and what it reads.
	Who string
	// Request makes the request for the stream as it goes on behind a cursor.
	Request func(ctx context.Context, from feed.Cursor) (*http.Request, error)
	// Take turns an event into an item; false passes over it.
	Take func(ev Event) (feed.Item, bool)
	// Opened, if not nil, is called when the stream is open and before it is
	// read, to fetch what came while there was no connection.
	Opened func(ctx context.Context, from feed.Cursor, emit func(feed.Item) error) error
	// NoResume says that event ids are of no use to the upstream.
	NoResume bool
	// Stall is how long silence may last, MaxEvent the longest event in bytes.
	Stall    time.Duration
	MaxEvent int
	// Client makes the connections.
	Client *http.Client
	// Observer and Log are the source's.
	Observer source.Observer
	Log      *slog.Logger
}

// Stream makes one connection and reads it to its end, as source.Source does.
func (p *Profile) Stream(ctx context.Context, from feed.Cursor, emit func(feed.Item) error) error {
	dog, conn := upstream.NewWatchdog(ctx, p.Stall)
	defer dog.Stop()
	ended := upstream.Ended{Who: p.Who, Stream: ctx, Conn: conn, Silence: source.CauseNetwork, After: p.Stall}
	resp, err := p.connect(conn, dog, from)
	if err != nil {
		return ended.By(err)
	}
	defer resp.Body.Close()
	p.Observer.Connected()
	ended.Silence = source.CauseClosed
	if p.Opened != nil {
		if err := p.Opened(conn, from, emit); err != nil {
			return ended.By(err)
		}
	}
	r := &reading{Profile: p, ctx: ctx, emit: emit, moved: time.Now()}
	return ended.By(r.read(dog.Reader(resp.Body), from))
}

// connect asks for the stream.
func (p *Profile) connect(ctx context.Context, dog *upstream.Watchdog, from feed.Cursor) (*http.Response, error) {
	req, err := p.Request(ctx, from)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Cache-Control", "no-store")
	dog.Watch()
	defer dog.Rest()
	resp, err := p.Client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	if err := p.check(resp); err != nil {
		_ = resp.Body.Close() // the answer is known already
		return nil, err
	}
	return resp, nil
}

// check refuses what is no event stream, such as a proxy's page.
func (p *Profile) check(resp *http.Response) error {
	if resp.StatusCode != http.StatusOK {
		return upstream.Refused(p.Who, resp)
	}
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil || kind != "text/event-stream" {
		return &source.Error{Cause: source.CauseHTTP, Err: fmt.Errorf("%s: connect: upstream answered with %q, which is no event stream", p.Who, kind)}
	}
	return nil
}

// moveEvery is how often the cursor is moved over events that are passed over:
// where few are taken of many, a connection would else begin far back.
const moveEvery = 10 * time.Second

// reading is one stream that is being read.
type reading struct {
	*Profile
	ctx  context.Context // Stream's
	emit func(feed.Item) error
	// moved is when the cursor was last moved.
	moved time.Time
}

// read hands out items until the stream ends; its error always says why.
func (r *reading) read(body io.Reader, from feed.Cursor) error {
	if r.NoResume {
		from = ""
	}
	in := NewReader(body, r.MaxEvent, string(from))
	for {
		ev, err := in.Next()
		if errors.Is(err, io.EOF) {
			return &source.Error{Cause: source.CauseClosed, RetryAfter: in.Retry(), Err: fmt.Errorf("%s: connection closed by the upstream", r.Who)}
		}
		if err != nil {
			return err
		}
		if err := r.hand(ev); err != nil {
			return &upstream.EmitError{Err: err}
		}
	}
}

// hand emits an event, or rejects what is not a whole one. One that the end of
// the stream cut short comes again if the upstream can resume.
func (r *reading) hand(ev Event) error {
	switch {
	case ev.Cut:
		return r.reject(ev, source.ReasonTooLong, fmt.Errorf("%s: event of %d bytes, the limit is %d", r.Who, ev.Size, r.MaxEvent))
	case ev.Open && ev.ID == "":
		return r.reject(ev, source.ReasonTruncated, fmt.Errorf("%s: connection ended in the middle of an event", r.Who))
	case ev.Open:
		return nil
	}
	it, ok := r.Take(ev)
	if !ok {
		return r.passOver(ev)
	}
	it.Received = time.Now()
	r.moved = it.Received
	return r.emit(it)
}

// passOver moves the cursor over an event that is no item, now and then.
func (r *reading) passOver(ev Event) error {
	if r.NoResume || ev.ID == "" || time.Since(r.moved) < moveEvery {
		return nil
	}
	r.moved = time.Now()
	return source.Keep(r.ctx, r.Observer, feed.Cursor(ev.ID))
}

func (p *Profile) reject(ev Event, reason string, err error) error {
	p.Log.Warn("event rejected", slog.String("reason", reason), slog.Int("bytes", ev.Size))
	r := source.Rejected{Reason: reason, Err: err, Data: ev.Data}
	if !p.NoResume {
		r.Cursor = feed.Cursor(ev.ID)
	}
	return p.Observer.Reject(r)
}
