package ingest

import (
	"context"
	"fmt"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/feed"
)

const (
	// largeSlots is how many large items may be on their way at once. A large
	// one is more than half of what the server takes, and may turn out to be
	// too large; then it is held until it is stored as a dead letter, outside
	// of the window.
	largeSlots = 8
	// deadWindow is how many dead letters may wait to be stored.
	deadWindow = 256
)

// outlet is a source's way into the streams. It outlives the lease: what was
// taken while it was held is still stored when it is lost, under the same ids.
type outlet struct {
	conn      *bus.Conn
	raw, dead *bus.Publisher
	large     chan struct{}
}

// newOutlet makes an outlet; close it.
func newOutlet(conn *bus.Conn, window int) (*outlet, error) {
	raw, err := conn.NewPublisher(bus.PublisherOptions{Stream: feed.StreamRaw, Window: window})
	if err != nil {
		return nil, fmt.Errorf("ingest: open outlet: %w", err)
	}
	dead, err := conn.NewPublisher(bus.PublisherOptions{Stream: feed.StreamDead, Window: deadWindow})
	if err != nil {
		raw.Close()
		return nil, fmt.Errorf("ingest: open outlet: %w", err)
	}
	return &outlet{conn, raw, dead, make(chan struct{}, largeSlots)}, nil
}

// close tells what is not stored that it will not be.
func (o *outlet) close() {
	o.raw.Close()
	o.dead.Close()
}

// enter waits for a slot if the data is large. The slot is given back by leave.
func (o *outlet) enter(ctx context.Context, data []byte) (slot bool, err error) {
	if int64(len(data)) <= o.conn.MaxPayload()/2 {
		return false, nil
	}
	select {
	case o.large <- struct{}{}:
		return true, nil
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}

// leave gives a slot back.
func (o *outlet) leave(slot bool) {
	if slot {
		<-o.large
	}
}

// flush waits until everything that was taken is stored.
func (o *outlet) flush(ctx context.Context) error {
	if err := o.raw.Flush(ctx); err != nil {
		return err
	}
	// A large item that RAW refused is on its way to DEAD: all slots are free
	// once it is there.
	taken := 0
	defer func() {
		for range taken {
			o.leave(true)
		}
	}()
	for range largeSlots {
		select {
		case o.large <- struct{}{}:
			taken++
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return o.dead.Flush(ctx)
}
