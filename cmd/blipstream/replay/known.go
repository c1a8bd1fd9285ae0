package replay

import (
	"context"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/feed"
)

const (
	headerMsgID = "Nats-Msg-Id"
	// skew is by how much the clocks of two servers of a cluster may differ,
	// which keep the times of RAW and of EVENTS.
	skew = time.Minute
)

// known is a set of event ids. It keeps 128 bits of a hash of each: two of ten
// million ids have the same with a probability below 10^-24.
type known map[[16]byte]struct{}

// add puts an id into the set; false if it is there already.
func (k known) add(id string) bool {
	h := fnv.New128a()
	_, _ = h.Write([]byte(id)) // a hash takes everything
	var sum [16]byte
	h.Sum(sum[:0])
	if _, ok := k[sum]; ok {
		return false
	}
	k[sum] = struct{}{}
	return true
}

// readEvents learns what EVENTS holds of the events of the span.
func (j *job) readEvents(ctx context.Context, events bus.StreamState) error {
	first, err := j.conn.Range(ctx, feed.StreamRaw, j.span.from, 1)
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	if len(first) == 0 {
		return errNothing
	}
	// An event is stored after its item.
	from, err := j.conn.SeqAt(ctx, feed.StreamEvents, first[0].Time.Add(-skew))
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	return j.learn(ctx, feed.StreamEvents, from, events.LastSeq)
}

// learn adds the ids of a stream's messages.
func (j *job) learn(ctx context.Context, stream string, from, to uint64, subjects ...string) error {
	err := j.conn.Each(ctx, stream, from, to, func(m *bus.Stored) error {
		j.known.add(j.eventID(m.Header.Get(headerMsgID)))
		return nil
	}, subjects...)
	if err != nil {
		return fmt.Errorf("replay: read what is there: %w", err)
	}
	return nil
}

// eventID is the event's part of a message id. In a run another part comes
// first, or else the stream would take the events of a second run, or those of
// a run begun anew, for ones it has.
func (j *job) eventID(messageID string) string {
	if j.Heal {
		return messageID
	}
	_, id, _ := strings.Cut(messageID, " ")
	return id
}
