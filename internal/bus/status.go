package bus

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// StatusTTL is how long a status is kept that its service does not report
// again: whoever died is gone from the bucket after that.
const StatusTTL = 30 * time.Second

const (
	// maxStatus bounds one status, in bytes: it is a line for a page.
	maxStatus = 4 << 10
	// maxStatuses bounds what one reading takes.
	maxStatuses = 1000
)

// ReportStatus writes what a service says of itself under key ("bridge",
// "ingest.<source>") into the KV bucket status, over what it said before. It
// does not wait for a server that is away: a status is worth nothing later.
func (c *Conn) ReportStatus(ctx context.Context, key string, payload []byte) error {
	b := c.bucket(bucketStatus)
	if err := b.check(key); err != nil {
		return fmt.Errorf("bus: report status: %w", err)
	}
	if len(payload) > maxStatus {
		return fmt.Errorf("bus: report status %s: %d bytes are more than %d", key, len(payload), maxStatus)
	}
	short, cancel := c.short(ctx)
	defer cancel()
	m := &nats.Msg{Subject: b.subject(key), Data: payload}
	if _, err := c.js.PublishMsg(short, m, jetstream.WithExpectStream(b.stream), jetstream.WithRetryAttempts(0)); err != nil {
		c.heal(ctx)
		return fmt.Errorf("bus: report status %s: %w", key, err)
	}
	return nil
}

// Statuses reads all statuses of the last StatusTTL, by key. ErrNoStream if
// there is no such bucket.
func (c *Conn) Statuses(ctx context.Context) (map[string][]byte, error) {
	b := c.bucket(bucketStatus)
	msgs, err := c.Range(ctx, b.stream, 1, maxStatuses)
	if err != nil {
		return nil, fmt.Errorf("bus: read statuses: %w", err)
	}
	all := make(map[string][]byte, len(msgs))
	for _, m := range msgs { // in order, so that a later one wins
		key := strings.TrimPrefix(m.Subject, b.subject(""))
		if (kvEntry{rev: m.Seq, header: m.Header}).free() {
			delete(all, key) // an operator removed it
			continue
		}
		all[key] = m.Data
	}
	return all, nil
}
