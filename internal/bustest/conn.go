package bustest

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/feed"
)

var errStopped = errors.New("bustest: server does not run")

const (
	// timeout bounds every helper, so that a broken test ends.
	timeout = time.Minute
	// pollEvery is how often WaitFor looks.
	pollEvery = 5 * time.Millisecond
	// streamBytes is the limit of each stream of Layout, in bytes.
	streamBytes = 128 << 20
	// readBatch is how much ReadAll asks for at once, in messages.
	readBatch = 10_000
)

func itoa(n int) string { return strconv.Itoa(n) }

// Layout is bus.DefaultLayout with limits that fit a test's server.
func Layout() bus.Layout {
	l := bus.DefaultLayout()
	for _, lim := range []*bus.Limits{&l.Raw, &l.Events, &l.Replay, &l.Dead} {
		lim.MaxBytes = streamBytes
	}
	return l
}

// Conn is a connection to the server that owns Layout and has ensured it. It is
// closed when the test ends, before the server is stopped.
func (s *Server) Conn(tb testing.TB, name string) *bus.Conn {
	tb.Helper()
	layout := Layout()
	c := s.Dial(tb, bus.Options{Name: name, Layout: &layout})
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if err := c.Ensure(ctx, layout); err != nil {
		tb.Fatalf("bustest: %v", err)
	}
	return c
}

// Dial connects as o says, to this server. The connection is closed when the
// test ends; closing it earlier is fine.
func (s *Server) Dial(tb testing.TB, o bus.Options) *bus.Conn {
	tb.Helper()
	if o.InProcess == nil {
		o.URL = s.URL()
	}
	c, err := bus.Connect(o)
	if err != nil {
		tb.Fatalf("bustest: %v", err)
	}
	tb.Cleanup(func() { Close(c) })
	return c
}

// Close closes a connection without waiting long for its drain.
func Close(c *bus.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	// In a test the server may be gone before the connection is.
	_ = c.Close(ctx)
}

// WaitFor waits until cond holds, and fails the test if it does not within 30 s.
func WaitFor(tb testing.TB, what string, cond func() bool) {
	tb.Helper()
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-deadline.C:
			tb.Fatalf("bustest: waited %s in vain: %s", timeout, what)
		}
	}
}

// Settled reports whether a durable without a filter has settled all that its
// stream holds now. It compares sequences: the server counts what a consumer
// has pending in a loop of its own, and for a moment after a PubAck still says
// that it is nothing.
func Settled(ctx context.Context, c *bus.Conn, stream, durable string) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	state, err := c.Stream(ctx, stream)
	if err != nil {
		return false
	}
	lag, err := c.Lag(ctx, stream, durable)
	return err == nil && lag.AckFloor >= state.LastSeq && lag.AckPending == 0
}

// Publish stores messages in a stream, in order, and waits for them.
func Publish(tb testing.TB, c *bus.Conn, stream string, msgs ...bus.Msg) {
	tb.Helper()
	p, err := c.NewPublisher(bus.PublisherOptions{Stream: stream})
	if err != nil {
		tb.Fatalf("bustest: %v", err)
	}
	defer p.Close()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	failed := make(chan error, len(msgs))
	for _, m := range msgs {
		if err := p.Publish(ctx, []bus.Msg{m}, func(err error) { failed <- err }); err != nil {
			tb.Fatalf("bustest: %v", err)
		}
	}
	if err := p.Flush(ctx); err != nil {
		tb.Fatalf("bustest: %v", err)
	}
	for range msgs {
		if err := <-failed; err != nil {
			tb.Fatalf("bustest: %v", err)
		}
	}
}

// PublishRaw stores items in RAW as ingest does, with ids and headers.
func PublishRaw(tb testing.TB, c *bus.Conn, items ...feed.Item) {
	tb.Helper()
	msgs := make([]bus.Msg, len(items))
	for i, it := range items {
		h := bus.Header{}
		if it.Format != "" {
			h.Set(feed.HeaderFormat, string(it.Format))
		}
		if it.Identity != "" {
			h.Set(feed.HeaderIdentity, it.Identity)
		}
		if !it.Received.IsZero() {
			h.Set(feed.HeaderReceived, it.Received.UTC().Format(time.RFC3339Nano))
		}
		msgs[i] = bus.Msg{Subject: feed.RawSubject(it.Source), ID: feed.RawID(it.Source, it.ID), Header: h, Data: it.Data}
	}
	Publish(tb, c, feed.StreamRaw, msgs...)
}

// ReadAll reads everything a stream holds (of the given subjects).
func ReadAll(tb testing.TB, c *bus.Conn, stream string, subjects ...string) []bus.Stored {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	var all []bus.Stored
	for from := uint64(1); ; {
		msgs, err := c.Range(ctx, stream, from, readBatch, subjects...)
		if err != nil {
			tb.Fatalf("bustest: %v", err)
		}
		all = append(all, msgs...)
		if len(msgs) < readBatch {
			return all
		}
		from = msgs[len(msgs)-1].Seq + 1
	}
}
