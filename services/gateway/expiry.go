package gateway

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// errExpired ends a stream whose client's token has expired.
var errExpired = errors.New("gateway: serve stream: the token has expired")

// expiring returns a ctx that ends with errExpired when c's token expires.
func (c *client) expiring(ctx context.Context) (context.Context, context.CancelFunc) {
	if c.allowed.Until.IsZero() {
		return ctx, func() {}
	}
	return context.WithDeadlineCause(ctx, c.allowed.Until, errExpired)
}

// left ends a stream whose ctx is over: with a bye if it is the token's time
// that is, else the client is gone.
func (c *client) left(ctx context.Context) error {
	if errors.Is(context.Cause(ctx), errExpired) {
		_ = c.bye(byeExpired) // it ends either way
	}
	return errLeft
}

// historyFailed ends a stream whose history could not be read.
func (c *client) historyFailed(ctx context.Context, err error) {
	if errors.Is(context.Cause(ctx), errExpired) {
		_ = c.bye(byeExpired) // it ends either way
		return
	}
	c.s.log.Warn("read history", slog.String("error", err.Error()))
	_ = c.bye(byeUnavailable) // it ends either way
}

// expire says bye to a peer whose token has expired; the error then ends it.
func (sh *shard) expire(p *peer, now time.Time) error {
	if p.until.IsZero() || now.Before(p.until) {
		return nil
	}
	if len(p.rest) > 0 {
		return errExpired // it is in the middle of something
	}
	if bye, err := appendBye(nil, byeExpired); err == nil {
		sh.scratch = append(sh.scratch[:0], p.own(bye))
		_, _ = sh.write.to(p.raw, sh.scratch) // it ends either way
	}
	return errExpired
}
