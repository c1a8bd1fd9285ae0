package bus

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"
)

// BucketRules is the KV bucket in which operators put rules, unless they name
// another.
const BucketRules = bucketRules

// Value is an entry of a KV bucket; the zero value is a key that has none.
type Value struct {
	Data []byte
	// Revision is the sequence of the write in the bucket, from 1.
	Revision uint64
	// Mark is a number that the writer attached; 0 if none.
	Mark uint64
}

// ValidBucket reports whether name may name a KV bucket.
func ValidBucket(name string) bool { return nameForm.MatchString(name) }

// value turns an entry into a Value. What was deleted keeps its revision.
func (e kvEntry) asValue() Value {
	if e.free() {
		return Value{Revision: e.rev}
	}
	return Value{Data: []byte(e.value), Revision: e.rev, Mark: tokenOf(e)}
}

// GetValue reads a key of a bucket. ErrNoStream if there is no such bucket.
func (c *Conn) GetValue(ctx context.Context, name, key string) (Value, error) {
	b := c.bucket(name)
	if err := errors.Join(validStream(name), b.check(key)); err != nil {
		return Value{}, fmt.Errorf("bus: read bucket %s: %w", name, err)
	}
	e, err := b.get(ctx, key)
	if errors.Is(err, nats.ErrNoResponders) {
		err = c.whySilent(ctx, b.stream, err)
	}
	if err != nil {
		c.heal(ctx)
		return Value{}, fmt.Errorf("bus: read bucket %s: %w", name, err)
	}
	return e.asValue(), nil
}

// ErrChanged is told to a writer of a value that another has written since.
var ErrChanged = errConflict

// PutValue writes a key of a bucket if it still is at v.Revision (0: it never
// had a value), and returns its new revision. ErrChanged if it is not; after
// any other error it is unknown whether it was written.
func (c *Conn) PutValue(ctx context.Context, name, key string, v Value) (uint64, error) {
	b := c.bucket(name)
	if err := errors.Join(validStream(name), b.check(key)); err != nil {
		return 0, fmt.Errorf("bus: write bucket %s: %w", name, err)
	}
	e := kvEntry{value: string(v.Data), header: Header{}}
	if v.Mark > 0 {
		e.header.Set(headerToken, strconv.FormatUint(v.Mark, 10))
	}
	rev, err := b.put(ctx, key, v.Revision, e, 0)
	if err != nil {
		return 0, fmt.Errorf("bus: write bucket %s: %w", name, err)
	}
	return rev, nil
}

// WatchValue calls fn with the value of a key of a bucket, and again whenever
// it is written or deleted, until ctx ends (then it returns nil) or fn fails
// (then it returns that error). It reconnects by itself, waits for a bucket
// that is not there, and may tell a value twice. All calls come from one
// goroutine.
func (c *Conn) WatchValue(ctx context.Context, name, key string, fn func(Value) error) error {
	b := c.bucket(name)
	if err := errors.Join(validStream(name), b.check(key)); err != nil {
		return fmt.Errorf("bus: watch bucket %s: %w", name, err)
	}
	subject := b.subject(key)
	return c.Follow(ctx, b.stream, 1, func(StreamState) error { return nil }, func(m *Stored) error {
		if m.Subject != subject {
			return nil
		}
		return fn(kvEntry{rev: m.Seq, value: string(m.Data), header: m.Header}.asValue())
	})
}
