package bus

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blipstream/blipstream/internal/feed"
)

// WatchEvery makes a connection's readers look at their streams more often.
// Call it before they are started.
func WatchEvery(c *Conn, d time.Duration) { c.watchEvery = d }

// Held is the count of redeliveries that a consumer did not hand out.
func Held(c *Conn, stream, durable string) prometheus.Counter {
	return c.metrics.held.WithLabelValues(stream, durable)
}

// LettersFor is Letters for a server with the given largest payload.
func LettersFor(d Dead, maxPayload int64) []Msg { return letters(d, maxPayload) }

// Passing reports whether an error of the API may go away by waiting.
func Passing(err error) bool { return passing(err) }

// String tells connections apart.
func (c *Conn) String() string { return c.name }

// SaveUnheard saves as if the answer never arrived.
func SaveUnheard(ctx context.Context, c *Cursor, at feed.Cursor) error {
	rev := c.rev
	defer func() { c.rev = rev }()
	return c.Save(ctx, at)
}

// Join puts letters together.
func Join(msgs ...Stored) []*Letter {
	j := joiner{open: map[string]*joint{}}
	var all []*Letter
	for _, m := range msgs {
		if l := j.add(m); l != nil {
			all = append(all, l)
		}
	}
	return append(all, j.rest()...)
}

// AskAfterPause asks a consumer for a message after a time in which nothing was
// asked for, and returns what the pull makes of that before there is an answer.
func AskAfterPause(c *Conn, stream, consumer string, pause time.Duration) error {
	p, err := c.pull(stream, consumer, pullWindow{msgs: 1}, nil)
	if err != nil {
		return err
	}
	defer p.stop()
	p.mu.Lock()
	p.ask.open, p.heard = false, p.heard.Add(-pause)
	p.request()
	p.mu.Unlock()
	p.check()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ended
}
