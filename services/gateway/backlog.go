package gateway

import (
	"context"
	"log/slog"
	"math"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
	"github.com/blipstream/blipstream/services/gateway/sse"
)

const (
	// backlogEvery is how often the backlog of enrich is looked at.
	backlogEvery = 5 * time.Second
	// enrichDurable is the consumer of RAW that makes the events.
	enrichDurable = "enrich"
)

// backlog finds what the limits of RAW dropped before enrich read it; the
// server does so without a word. Where the gateway may not ask, nothing is
// told: enrich has a metric of its own.
type backlog struct {
	epoch string
	told  uint64 // the last sequence that was told as lost
}

// watchBacklog tells all clients what was lost before it became an event.
func (s *Service) watchBacklog(ctx context.Context) error {
	ticker := time.NewTicker(backlogEvery)
	defer ticker.Stop()
	var b backlog
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.follower.warm:
		}
		if err := s.checkBacklog(ctx, &b); err != nil {
			s.log.Debug("ask for the backlog", slog.String("error", err.Error()))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// checkBacklog looks once.
func (s *Service) checkBacklog(ctx context.Context, b *backlog) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	lag, err := s.conn.Lag(ctx, feed.StreamRaw, enrichDurable)
	if err != nil {
		s.status.backlog.Store(-1)
		s.metrics.backlog.Set(math.NaN())
		return err
	}
	waiting := lag.Pending + lag.AckPending
	s.status.backlog.Store(int64(waiting))
	s.metrics.backlog.Set(float64(waiting))
	state, err := s.conn.Stream(ctx, feed.StreamRaw)
	if err != nil {
		return err
	}
	from, to, lost := b.look(state.Epoch, state.FirstSeq, lag.AckFloor)
	if !lost {
		return nil
	}
	gap := &feedv1.Gap{Reason: reasonBacklog, FromSeq: from, ToSeq: to, Count: to - from + 1}
	notice, err := sse.AppendGap(nil, sse.ID{}, gap)
	if err != nil {
		return err
	}
	s.metrics.tell(gap)
	s.log.Warn("raw items were dropped before they were read", slog.Uint64("from_seq", from), slog.Uint64("to_seq", to))
	s.hub.notice(0, notice)
	return nil
}

// look returns the range that is newly found lost: below the first message
// kept, above what was acknowledged and what was told before. The lag must
// have been asked for before the stream, as the floor only grows.
func (b *backlog) look(epoch string, first, floor uint64) (from, to uint64, lost bool) {
	if epoch != b.epoch {
		b.epoch, b.told = epoch, 0
	}
	from, to = max(floor, b.told)+1, first-1
	if first == 0 || to < from {
		return 0, 0, false
	}
	b.told = to
	return from, to, true
}
