package bus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// ErrNoStream is told for a stream that does not exist.
var ErrNoStream = errors.New("stream does not exist")

// StreamState is a stream at one moment.
type StreamState struct {
	// Epoch identifies this incarnation of the stream: its creation time in
	// nanoseconds since 1970, base 36. Sequences of different epochs cannot be
	// compared.
	Epoch string
	// FirstSeq and LastSeq are the oldest and newest sequences kept. An empty
	// stream has FirstSeq = LastSeq+1.
	FirstSeq, LastSeq uint64
	// Messages and Bytes are what is kept; bytes count before compression.
	Messages, Bytes uint64
}

// Stream asks for the state of a stream. ErrNoStream if it does not exist and
// this connection is not an owner that could make it.
func (c *Conn) Stream(ctx context.Context, name string) (StreamState, error) {
	s, err := c.streamState(ctx, name)
	if errors.Is(err, ErrNoStream) && c.layout.Load() != nil {
		c.heal(ctx)
		s, err = c.streamState(ctx, name)
	}
	return s, err
}

func (c *Conn) streamState(ctx context.Context, name string) (StreamState, error) {
	ctx, cancel := c.short(ctx)
	defer cancel()
	s, err := c.js.Stream(ctx, name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return StreamState{}, fmt.Errorf("bus: state of stream %s: %w", name, ErrNoStream)
	}
	if err != nil {
		return StreamState{}, fmt.Errorf("bus: state of stream %s: %w", name, err)
	}
	info := s.CachedInfo()
	return StreamState{
		Epoch:    epoch(info.Created),
		FirstSeq: max(info.State.FirstSeq, 1), // 0 in a stream that never held anything
		LastSeq:  info.State.LastSeq,
		Messages: info.State.Msgs,
		Bytes:    info.State.Bytes,
	}, nil
}

func epoch(created time.Time) string { return strconv.FormatInt(created.UnixNano(), 36) }

// Purge deletes a stream's messages of one subject, which may have wildcards.
func (c *Conn) Purge(ctx context.Context, stream, subject string) error {
	ctx, cancel := c.short(ctx)
	defer cancel()
	s, err := c.js.Stream(ctx, stream)
	if err == nil {
		err = s.Purge(ctx, jetstream.WithPurgeSubject(subject))
	}
	if err != nil {
		return fmt.Errorf("bus: purge %s of stream %s: %w", subject, stream, err)
	}
	return nil
}
