package bus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	// rangeBatch bounds the messages of one request of Range.
	rangeBatch = 1000
	// rangeBytes bounds its bytes, so that a batch of large messages does not
	// pile up in the connection.
	rangeBytes = 8 * mib
)

// Stored is a message as a stream holds it.
type Stored struct {
	Subject string
	Header  Header
	Data    []byte
	// Seq is the sequence in the stream, from 1.
	Seq uint64
	// Time is when the server stored it.
	Time time.Time
}

// SeqAt is the sequence of the first message stored at or after t; LastSeq+1
// if there is none.
func (c *Conn) SeqAt(ctx context.Context, stream string, t time.Time) (uint64, error) {
	state, err := c.Stream(ctx, stream)
	if err != nil {
		return 0, err
	}
	if state.Messages == 0 {
		return state.LastSeq + 1, nil
	}
	t = t.UTC()
	msgs, _, err := c.directBatch(ctx, stream, directRequest{StartTime: &t, Batch: 1})
	switch {
	case err != nil:
		return 0, fmt.Errorf("bus: find time in stream %s: %w", stream, err)
	case len(msgs) == 0:
		return state.LastSeq + 1, nil
	}
	return msgs[0].Seq, nil
}

// Range reads up to limit messages from sequence from on, in order, by batched
// direct get, without a consumer. What the stream no longer holds is left out.
// subjects filters (none: all); each may have wildcards, and together they
// must not match a message twice. It returns fewer than limit only where the
// stream ends. ErrNoStream if there is no such stream.
func (c *Conn) Range(ctx context.Context, stream string, from uint64, limit int, subjects ...string) ([]Stored, error) {
	if err := validStream(stream); err != nil {
		return nil, fmt.Errorf("bus: read stream: %w", err)
	}
	if len(subjects) == 0 {
		subjects = []string{""}
	}
	var all []Stored
	for _, subject := range subjects {
		msgs, err := c.rangeOf(ctx, stream, from, limit, subject)
		if errors.Is(err, nats.ErrNoResponders) {
			err = c.whySilent(ctx, stream, err)
		}
		if err != nil {
			return nil, fmt.Errorf("bus: read stream %s: %w", stream, err)
		}
		all = append(all, msgs...)
	}
	if len(subjects) > 1 {
		slices.SortFunc(all, func(a, b Stored) int { return cmp.Compare(a.Seq, b.Seq) })
	}
	return all[:min(limit, len(all))], nil
}

// Each calls fn with every message from sequence from to sequence to, in order,
// by Range, of the given subjects. It returns fn's first error.
func (c *Conn) Each(ctx context.Context, stream string, from, to uint64, fn func(*Stored) error, subjects ...string) error {
	for from <= to {
		msgs, err := c.Range(ctx, stream, from, rangeBatch, subjects...)
		if err != nil {
			return err
		}
		for i := range msgs {
			if msgs[i].Seq > to {
				return nil
			}
			if err := fn(&msgs[i]); err != nil {
				return err
			}
		}
		if len(msgs) < rangeBatch {
			return nil
		}
		from = msgs[len(msgs)-1].Seq + 1
	}
	return nil
}

// rangeOf reads the messages of one subject; "" stands for all.
func (c *Conn) rangeOf(ctx context.Context, stream string, from uint64, limit int, subject string) ([]Stored, error) {
	var all []Stored
	from = max(from, 1) // 0 would not be a sequence to the server
	for len(all) < limit {
		msgs, more, err := c.directBatch(ctx, stream, directRequest{
			Seq: from, NextFor: subject, Batch: min(limit-len(all), rangeBatch), MaxBytes: rangeBytes,
		})
		if err != nil {
			return nil, err
		}
		all = append(all, msgs...)
		if !more || len(msgs) == 0 {
			break
		}
		from = msgs[len(msgs)-1].Seq + 1
	}
	return all, nil
}

// Message reads one message. ErrNoMessage if the stream no longer holds it,
// ErrNoStream if there is no such stream.
func (c *Conn) Message(ctx context.Context, stream string, seq uint64) (Stored, error) {
	msgs, err := c.Range(ctx, stream, seq, 1)
	if err != nil {
		return Stored{}, err
	}
	if len(msgs) == 0 || msgs[0].Seq != seq {
		return Stored{}, fmt.Errorf("bus: read message %d of stream %s: %w", seq, stream, ErrNoMessage)
	}
	return msgs[0], nil
}

// whySilent tells a stream that does not exist from a server without JetStream.
func (c *Conn) whySilent(ctx context.Context, stream string, err error) error {
	if _, e := c.streamState(ctx, stream); errors.Is(e, ErrNoStream) {
		return ErrNoStream
	}
	return err
}
