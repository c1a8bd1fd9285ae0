package websocket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/upstream"
)

const (
	// DefaultLimit is the longest message in bytes where nobody says another.
	DefaultLimit = 8 << 20
	// skipLimit is the longest message that is read over. Reading over one
	// costs no memory, but what never ends would never end.
	skipLimit = 256 << 20
	// keepBuffer is the largest buffer that is kept for the next message.
	keepBuffer = 1 << 20
)

// Options say how to connect.
type Options struct {
	// Who begins the text of errors: the package and what it reads.
	Who string
	// URL has one of the schemes ws, wss, http and https.
	URL string
	// Header is sent with the handshake, besides a User-Agent.
	Header http.Header
	// Subprotocols are offered in the handshake, the best first.
	Subprotocols []string
	// Hello is sent as a text message once connected; nil sends nothing.
	Hello []byte
	// Limit is the longest message in bytes that is handed on whole; 0 means
	// DefaultLimit.
	Limit int
	// Idle is how long the upstream may send nothing at all, while a message is
	// waited for, before the connection is given up.
	Idle time.Duration
	// Ping is how often the upstream is pinged; 0 for never.
	Ping time.Duration
	// Refused tells what a refused handshake means; nil is upstream.Refused. It
	// need not close the body, of which there is 1 KiB at most.
	Refused func(*http.Response) error
	// Dial replaces the network; nil does not.
	Dial upstream.Dial
}

// Message is one data message.
type Message struct {
	// Data is valid until the function that it was handed to returns.
	Data []byte
	// Binary says that it came as binary and not as text.
	Binary bool
	// Size is the whole message's length in bytes.
	Size int64
	// Cut says that it was longer than the limit: Data is its beginning.
	Cut bool
}

// Read makes one connection and hands its messages to take until it ends.
// connected, if not nil, is called with the upstream's headers once it has
// accepted the connection. What Read
// returns is what Stream has to return: the error of take as it is, that of
// ctx, or an *source.Error, which wraps a *source.Error for a handshake that was
// refused. When it has returned the connection is closed.
func Read(ctx context.Context, o Options, connected func(http.Header), take func(Message) error) error {
	dog, connCtx := upstream.NewWatchdog(ctx, o.Idle)
	defer dog.Stop()
	ended := upstream.Ended{Who: o.Who, Stream: ctx, Conn: connCtx, Silence: source.CauseNetwork, After: o.Idle}
	conn, header, err := o.open(connCtx, dog)
	if err != nil {
		return ended.By(err)
	}
	defer func() { _ = conn.CloseNow() }() // there is nobody left to say goodbye to
	ended.Silence = source.CauseClosed
	if connected != nil {
		connected(header)
	}
	c := &connection{Options: o, conn: conn, dog: dog, take: take}
	return ended.By(c.run(connCtx))
}

// open makes the connection. A refusal is an *source.Error.
func (o *Options) open(ctx context.Context, dog *upstream.Watchdog) (*websocket.Conn, http.Header, error) {
	dial := o.Dial
	if dial == nil {
		dial = upstream.NetDial()
	}
	client := upstream.Client(func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return dog.Conn(conn), nil
	})
	header := o.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	if header.Get("User-Agent") == "" {
		header.Set("User-Agent", upstream.Agent)
	}
	conn, resp, err := websocket.Dial(ctx, o.URL, &websocket.DialOptions{
		HTTPClient: client, HTTPHeader: header, Subprotocols: o.Subprotocols,
	})
	if err == nil {
		conn.SetReadLimit(skipLimit)
		return conn, resp.Header, nil
	}
	if resp != nil && resp.StatusCode != http.StatusSwitchingProtocols {
		defer resp.Body.Close()
		if o.Refused != nil {
			return nil, nil, o.Refused(resp)
		}
		return nil, nil, upstream.Refused(o.Who, resp)
	}
	return nil, nil, fmt.Errorf("connect: %w", err)
}

// connection is one connection that is being read.
type connection struct {
	Options
	conn *websocket.Conn
	dog  *upstream.Watchdog
	take func(Message) error
	buf  []byte
}

// run reads the connection to its end.
func (c *connection) run(ctx context.Context) error {
	if err := c.greet(ctx); err != nil {
		return err
	}
	if c.Ping > 0 {
		pings, stop := context.WithCancel(ctx)
		var pinger sync.WaitGroup
		pinger.Go(func() { c.pinging(pings) })
		defer pinger.Wait()
		defer stop()
	}
	for {
		m, err := c.next(ctx)
		if err != nil {
			return c.closed(err)
		}
		if err := c.take(m); err != nil {
			return &upstream.EmitError{Err: err}
		}
	}
}

// greet says hello, if there is something to say. An upstream that reads none of
// it is as silent as one that sends nothing.
func (c *connection) greet(ctx context.Context) error {
	if c.Hello == nil {
		return nil
	}
	c.dog.Watch()
	defer c.dog.Rest()
	if err := c.conn.Write(ctx, websocket.MessageText, c.Hello); err != nil {
		return fmt.Errorf("say hello: %w", err)
	}
	return nil
}

// pinging pings the upstream until ctx ends. Whether an answer comes is the
// watchdog's to judge: none is read while nobody waits for a message.
func (c *connection) pinging(ctx context.Context) {
	tick := time.NewTicker(c.Ping)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			answer, cancel := context.WithTimeout(ctx, c.Ping)
			_ = c.conn.Ping(answer)
			cancel()
		case <-ctx.Done():
			return
		}
	}
}

// next reads one message, and over what is too much of it.
func (c *connection) next(ctx context.Context) (Message, error) {
	kind, in, err := c.conn.Reader(ctx)
	if err != nil {
		return Message{}, fmt.Errorf("read message: %w", err)
	}
	limit := int64(c.Limit)
	if limit <= 0 {
		limit = DefaultLimit
	}
	if cap(c.buf) > keepBuffer {
		c.buf = nil
	}
	c.buf, err = appendAll(c.buf[:0], io.LimitReader(in, limit))
	if err != nil {
		return Message{}, fmt.Errorf("read message: %w", err)
	}
	over, err := io.Copy(io.Discard, in)
	if err != nil {
		return Message{}, fmt.Errorf("read over message: %w", err)
	}
	size := int64(len(c.buf)) + over
	return Message{Data: c.buf, Binary: kind == websocket.MessageBinary, Size: size, Cut: over > 0}, nil
}

// appendAll appends all of in to b.
func appendAll(b []byte, in io.Reader) ([]byte, error) {
	const least = 4 << 10
	for {
		if cap(b)-len(b) < least {
			b = append(b, make([]byte, max(least, len(b)))...)[:len(b)]
		}
		n, err := in.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if errors.Is(err, io.EOF) {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
}

// closed sorts the ends of a connection.
func (c *connection) closed(err error) error {
	if closed, ok := errors.AsType[websocket.CloseError](err); ok {
		return &source.Error{Cause: CauseOf(int(closed.Code)), Err: fmt.Errorf("%s: closed by the upstream: %d %s",
			c.Who, closed.Code, upstream.Excerpt([]byte(closed.Reason)))}
	}
	switch {
	case errors.Is(err, websocket.ErrMessageTooBig):
		return &source.Error{Cause: source.CauseHTTP, Err: fmt.Errorf("%s: message of more than %d bytes", c.Who, skipLimit)}
	case errors.Is(err, io.EOF):
		return &source.Error{Cause: source.CauseClosed, Err: fmt.Errorf("%s: connection closed by the upstream", c.Who)}
	default:
		return err
	}
}

// The close codes of an upstream that ends a connection in order; see RFC 6455,
// section 7.4.1, and IANA's registry for 1012.
const (
	closeNormal   = 1000
	closeAway     = 1001
	closeNoStatus = 1005
	closeRestart  = 1012
)

// CauseOf sorts the close codes: those of an end in order let the client come
// back at once. The others complain of something that would only be met again,
// or ask to come later.
func CauseOf(code int) source.Cause {
	switch code {
	case closeNormal, closeAway, closeNoStatus, closeRestart:
		return source.CauseClosed
	default:
		return source.CauseHTTP
	}
}
