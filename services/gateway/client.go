package gateway

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/blipstream/blipstream/internal/service"
	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
	"github.com/blipstream/blipstream/services/gateway/signin"
	"github.com/blipstream/blipstream/services/gateway/sse"
	"github.com/blipstream/blipstream/services/gateway/tail"
)

// Bounds of the time a client is asked to stay away after a bye.
const (
	reopenMin = 500 * time.Millisecond
	reopenMax = 4 * time.Second
)

// The reasons of a bye.
const (
	byeShutdown    = "shutdown"
	byeUnavailable = "unavailable"
	byeExpired     = "expired"
)

// client is one open stream, from the request until it is handed to a writer
// or, where that cannot be, until its end.
type client struct {
	s   *Service
	req sse.Request
	// addr is what the client is counted under.
	addr   netip.Addr
	isLive bool
	// allowed is what the client's token allows, and how long.
	allowed signin.Grant
	start   start
	leave   func()
	out     outlet
	// view is what is served; nil stands for all events as they are.
	view   *view
	reader *tail.Reader
	buf    []byte
	// history is what the client gets before its reader takes over.
	history history
	// endPace gives the place of a replay at a pace back.
	endPace func()
	// zip is how a compressed stream gets what is meant for this client alone.
	zip zipper
}

// streamHeaders sets the headers of every stream. no-transform and
// X-Accel-Buffering keep proxies from holding events back.
func streamHeaders(h http.Header, gzip bool) {
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-cache, no-transform")
	h.Set("X-Accel-Buffering", "no")
	h.Add("Vary", "Accept-Encoding")
	if gzip {
		h.Set("Content-Encoding", "gzip")
	}
}

// serve runs the stream. A plain HTTP/1.1 connection is taken over and, once
// the history is sent, left to a writer; others are served here to the end.
func (c *client) serve(w http.ResponseWriter, r *http.Request) {
	streamHeaders(w.Header(), c.req.Gzip)
	c.zip.on = c.req.Gzip
	ctx, cancel := c.expiring(r.Context())
	defer cancel()
	raw, err := hijack(w, r)
	if err != nil {
		c.leave()
		c.s.log.Warn("take connection over", slog.String("error", err.Error()))
		return
	}
	if raw == nil {
		defer c.leave()
		c.out = newPlainOutlet(w)
		if c.open(ctx) == nil {
			c.live(ctx)
		}
		return
	}
	raw.until = c.allowed.Until
	c.out = raw
	if err := c.open(ctx); err == nil && c.s.writers.adopt(raw, c.reader, c.zip.on, c.leave) {
		return
	} else if err == nil { // the writers have stopped meanwhile
		c.farewell(nil)
	}
	raw.close()
	c.leave()
}

// log is the log that the client reads when it has had the history.
func (c *client) log() *tail.Tail {
	if c.view == nil {
		return c.s.tail
	}
	return c.view.tail
}

// kinds are the kinds that a reader of the log chooses; none where the log
// holds nothing else.
func (c *client) kinds() []string {
	if c.isLive || c.zip.on {
		return nil
	}
	return c.req.Kinds
}

// open sends everything that comes before the live events.
func (c *client) open(ctx context.Context) error {
	if c.start.live {
		c.reader = c.log().Live(c.kinds())
		c.start.epoch, c.start.next = c.reader.Epoch(), c.reader.Position()+1
	}
	if err := c.hello(); err != nil {
		return err
	}
	if c.reader != nil {
		return nil
	}
	c.history.begin(c)
	if c.paced() {
		if err := c.pace(ctx); err != nil {
			return err
		}
	}
	if err := c.replay(ctx); err != nil {
		return err
	}
	return c.catchUp(ctx)
}

// at is the position just before the next event.
func (c *client) at() sse.ID { return sse.ID{Epoch: c.start.epoch, Seq: c.start.next - 1} }

// hello sends the first event and the gaps that are known by now.
func (c *client) hello() (err error) {
	first, last := c.start.first, c.start.last
	if c.req.Run == "" {
		log := c.s.tail.State()
		first, last = log.Floor, log.Next-1
	}
	c.buf, err = sse.AppendHello(c.buf[:0], c.at(), &feedv1.Hello{
		Epoch: c.start.epoch, Time: timestamppb.Now(),
		FirstSeq: first, LastSeq: last, NextSeq: c.start.next,
		Resumed: c.start.resumed, Kinds: c.req.Kinds, Version: service.Version(),
	})
	if err != nil {
		return err
	}
	for _, gap := range c.start.gaps {
		if err := c.addGap(gap); err != nil {
			return err
		}
	}
	return c.flush()
}

// addGap adds a gap that ends before the next event.
func (c *client) addGap(gap *feedv1.Gap) (err error) {
	c.s.metrics.tell(gap)
	c.buf, err = sse.AppendGap(c.buf, c.at(), gap)
	return err
}

// flush sends what has been added.
func (c *client) flush() error {
	if len(c.buf) == 0 {
		return nil
	}
	out, err := c.zip.wrap(c.buf)
	c.buf = c.buf[:0]
	if err != nil {
		return err
	}
	c.s.metrics.sentBytes.Add(float64(len(out)))
	return c.out.send([][]byte{out})
}

// live sends events as they come, until the client or the gateway leaves.
func (c *client) live(ctx context.Context) {
	beat := time.NewTimer(c.s.cfg.Heartbeat)
	defer beat.Stop()
	var scratch [][]byte
	for {
		changed := c.log().Changed()
		if err := c.drain(&scratch); err != nil {
			c.cut(err)
			return
		}
		select {
		case <-changed:
		case <-beat.C:
			beat.Reset(c.s.cfg.Heartbeat)
			c.buf = sse.AppendHB(c.buf, position(c.reader), time.Now())
			if err := c.flush(); err != nil {
				c.cut(err)
				return
			}
		case <-c.s.closing:
			c.farewell(scratch)
			return
		case <-ctx.Done():
			_ = c.left(ctx) // it ends either way
			return
		}
	}
}

// farewell sends what there is, and says bye.
func (c *client) farewell(scratch [][]byte) {
	c.s.hub.flush()
	if c.drain(&scratch) == nil {
		_ = c.bye(byeShutdown) // it ends either way
	}
}

// drain sends all that the log has for the client.
func (c *client) drain(scratch *[][]byte) error {
	for {
		chunk, gap := c.reader.Next(*scratch)
		if gap != nil {
			var err error
			if c.buf, err = c.s.appendSlow(c.buf, c.reader, gap); err != nil {
				return err
			}
			if err := c.flush(); err != nil {
				return err
			}
			continue
		}
		if chunk.Bytes == 0 {
			return nil
		}
		*scratch = chunk.Runs
		if err := c.out.send(chunk.Runs); err != nil {
			return err
		}
		c.s.metrics.sent.Add(float64(chunk.Events))
		c.s.metrics.sentBytes.Add(float64(chunk.Bytes))
	}
}

// cut takes note of a client that is disconnected because it did not read.
func (c *client) cut(err error) {
	if errors.Is(err, errSlow) {
		c.s.metrics.slow.WithLabelValues(slowCut).Inc()
	}
}

// bye ends the stream.
func (c *client) bye(reason string) (err error) {
	c.buf, err = appendBye(c.buf, reason)
	if err != nil {
		return err
	}
	return c.flush()
}

// appendBye appends a bye with a reopen time of its own.
func appendBye(dst []byte, reason string) ([]byte, error) {
	wait := reopenMin + rand.N(reopenMax-reopenMin)
	bye := &feedv1.Bye{Reason: reason, ReopenAfterMs: uint32(wait / time.Millisecond)}
	return sse.AppendBye(dst, bye)
}

// The outcomes of slowness.
const (
	slowSkipped = "skipped"
	slowCut     = "cut"
)

// appendSlow appends the gap of a reader that fell out of the log.
func (s *Service) appendSlow(dst []byte, r *tail.Reader, gap *tail.Gap) ([]byte, error) {
	s.metrics.slow.WithLabelValues(slowSkipped).Inc()
	told := &feedv1.Gap{Reason: reasonSlow, FromSeq: gap.From, ToSeq: gap.To}
	if gap.Recreated {
		told.Reason = reasonRecreated
	} else {
		told.Count = gap.To - gap.From + 1
	}
	s.metrics.tell(told)
	return sse.AppendGap(dst, position(r), told)
}

// position is how far a reader has come.
func position(r *tail.Reader) sse.ID { return sse.ID{Epoch: r.Epoch(), Seq: r.Position()} }
