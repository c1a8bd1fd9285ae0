package bus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nuid"

	"github.com/blipstream/blipstream/internal/feed"
)

// claimAgain is how soon a cursor is claimed again that was written meanwhile.
const claimAgain = 10 * time.Millisecond

// ErrFenced is told to a writer of a cursor that another has claimed since.
var ErrFenced = errors.New("cursor claimed by another holder")

// Cursor is a fenced feed.Cursor in the KV bucket cursor. Safe for concurrent use.
type Cursor struct {
	bucket bucket
	key    string
	token  uint64
	writer string

	mu  sync.Mutex
	rev uint64
}

// ClaimCursor reads the cursor under key ("ingest.<source>") and makes the
// caller its only writer: the Save of whoever claimed it before fails with
// ErrFenced from now on. token is that of the caller's lease; ErrFenced if a
// later holder has claimed the cursor already. It waits for the server as long
// as ctx allows.
func (c *Conn) ClaimCursor(ctx context.Context, key string, token uint64) (*Cursor, feed.Cursor, error) {
	cur := &Cursor{bucket: c.bucket(bucketCursor), key: key, token: token, writer: nuid.Next()}
	if err := cur.bucket.check(key); err != nil {
		return nil, "", fmt.Errorf("bus: claim cursor: %w", err)
	}
	delay := backoff{base: rebindDelay, limit: rebindDelayMax}
	for {
		at, err := cur.claim(ctx)
		switch {
		case err == nil:
			return cur, at, nil
		case errors.Is(err, errConflict):
			// The claim before this one is still saving, or a replica that has not
			// heard of the last saving has answered: read it again.
			if !wait(ctx, claimAgain, nil) {
				return nil, "", fmt.Errorf("bus: claim cursor: %w", context.Cause(ctx))
			}
			continue
		case !passing(err):
			return nil, "", fmt.Errorf("bus: claim cursor: %w", err)
		}
		c.heal(ctx)
		if !wait(ctx, delay.next(), c.linked.next()) {
			return nil, "", fmt.Errorf("bus: claim cursor: %w (last: %w)", context.Cause(ctx), err)
		}
	}
}

// claim rewrites the entry with the caller's token.
func (c *Cursor) claim(ctx context.Context) (feed.Cursor, error) {
	have, err := c.bucket.get(ctx, c.key)
	if err != nil {
		return "", err
	}
	if tokenOf(have) > c.token {
		return "", fmt.Errorf("claim %s: %w", c.key, ErrFenced)
	}
	at := feed.Cursor(have.value)
	if have.free() {
		at = ""
	}
	rev, err := c.bucket.put(ctx, c.key, have.rev, c.entry(at), 0)
	c.rev = rev
	return at, err
}

// entry is the message that keeps a position.
func (c *Cursor) entry(at feed.Cursor) kvEntry {
	return kvEntry{value: string(at), header: Header{
		headerToken: {strconv.FormatUint(c.token, 10)}, headerTerm: {c.writer},
	}}
}

// tokenOf is the token an entry was written under; 0 if none.
func tokenOf(e kvEntry) uint64 {
	n, err := strconv.ParseUint(e.header.Get(headerToken), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// Save stores the position. ErrFenced means that another has claimed the
// cursor: stop. After any other error it is unknown whether the position was
// stored; save the same or a later one again.
func (c *Cursor) Save(ctx context.Context, at feed.Cursor) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	rev, err := c.bucket.put(ctx, c.key, c.rev, c.entry(at), 0)
	if errors.Is(err, errConflict) {
		rev, err = c.adopt(ctx, at)
	}
	if err != nil {
		return fmt.Errorf("bus: save cursor: %w", err)
	}
	c.rev = rev
	return nil
}

// adopt saves over an entry that is this writer's own: an earlier Save that was
// stored although its answer was lost. An entry that is gone counts as own,
// too: nobody has claimed it.
func (c *Cursor) adopt(ctx context.Context, at feed.Cursor) (uint64, error) {
	have, err := c.bucket.get(ctx, c.key)
	if err != nil {
		return 0, err
	}
	if !have.free() && have.header.Get(headerTerm) != c.writer {
		return 0, fmt.Errorf("%s: %w", c.key, ErrFenced)
	}
	rev, err := c.bucket.put(ctx, c.key, have.rev, c.entry(at), 0)
	if errors.Is(err, errConflict) {
		err = fmt.Errorf("%s: %w", c.key, ErrFenced)
	}
	return rev, err
}
