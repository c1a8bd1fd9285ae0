package bus

import (
	"context"
	"errors"
	"sync"

	"github.com/nats-io/nats.go"
)

// link is the life of the connection to one server, as a context that ends
// with it. A request that a broken connection has swallowed is never answered;
// waiting for its timeout would hold up whoever asks.
type link struct {
	mu  sync.Mutex
	ctx context.Context
	end context.CancelFunc
}

// life is the context of the current link, or of the next one while there is none.
func (l *link) life() context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ctx == nil {
		l.ctx, l.end = context.WithCancel(context.Background())
	}
	return l.ctx
}

// broke ends the current link.
func (l *link) broke() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.end != nil {
		l.end()
	}
	l.ctx, l.end = nil, nil
}

// Broken is closed when the present connection to a server breaks; while there
// is none, when the next one does. What the server had sent and not delivered
// is lost with it: a consumer brings it again only after its AckWait.
func (c *Conn) Broken() <-chan struct{} { return c.link.life().Done() }

// short bounds one request to the server: by apiTimeout and by the link.
func (c *Conn) short(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	ctx, end := context.WithCancelCause(ctx)
	unlink := context.AfterFunc(c.link.life(), func() { end(nats.ErrDisconnected) })
	return linkContext{ctx}, func() {
		unlink()
		end(nil)
		cancel()
	}
}

// linkContext says ErrDisconnected where a plain context would say Canceled,
// which callers take for their own doing.
type linkContext struct{ context.Context }

func (c linkContext) Err() error {
	err := c.Context.Err()
	if err != nil && errors.Is(context.Cause(c.Context), nats.ErrDisconnected) {
		return nats.ErrDisconnected
	}
	return err
}
