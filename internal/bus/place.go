package bus

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// place is how far a durable consumer has settled everything, as it is kept for
// a consumer of the same name that is made anew while nobody reads. `nats kv
// get` shows it.
type place struct {
	// Epoch is the stream's, Consumer when the consumer was made (both base 36):
	// a floor means nothing in another stream, and is not needed by the same
	// consumer, which an operator may have set back.
	Epoch    string `json:"epoch"`
	Consumer string `json:"consumer"`
	Floor    uint64 `json:"floor"`
}

func (r *reader) placeOf(s snapshot) place {
	return place{
		Epoch: s.stream.Epoch, Consumer: strconv.FormatInt(s.info.Created.UnixNano(), 36),
		Floor: s.info.AckFloor.Stream,
	}
}

// recall moves a consumer that was made anew to the place that was kept of the
// last one, if that was in the same stream.
func (r *reader) recall(ctx context.Context, s snapshot) error {
	if r.o.Place == "" {
		return nil
	}
	e, err := r.conn.bucket(bucketCursor).get(ctx, r.o.Place)
	if err != nil {
		return fmt.Errorf("bus: place of consumer %s: %w", r.o.Durable, err)
	}
	var kept place
	if err := json.Unmarshal([]byte(e.value), &kept); e.free() || err != nil {
		return nil //nolint:nilerr // an unreadable place is as good as none
	}
	if now := r.placeOf(s); kept.Epoch != now.Epoch || kept.Consumer == now.Consumer {
		return nil
	}
	// A stream that lost its end in a crash gives the same sequences again.
	r.in.raise(min(kept.Floor, s.stream.LastSeq))
	return r.forward(ctx, s.info)
}

// keep writes down where the consumer is, if it has moved. It is worth nothing
// later, so it is tried once; the next look writes the next place.
func (r *reader) keep(ctx context.Context, s snapshot) {
	now := r.placeOf(s)
	if r.o.Place == "" || now == r.kept || now.Floor == 0 {
		return
	}
	value, err := json.Marshal(now)
	if err != nil {
		return // strings and a number can always be marshalled
	}
	b := r.conn.bucket(bucketCursor)
	ctx, cancel := r.conn.short(ctx)
	defer cancel()
	m := &nats.Msg{Subject: b.subject(r.o.Place), Data: value}
	if _, err := r.conn.js.PublishMsg(ctx, m, jetstream.WithExpectStream(b.stream), jetstream.WithRetryAttempts(0)); err != nil {
		r.conn.log.Debug("place of consumer was not kept", slog.String("durable", r.o.Durable), slog.String("error", err.Error()))
		return
	}
	r.kept = now
}
