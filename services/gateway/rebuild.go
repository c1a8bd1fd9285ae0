package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/gateway/filter"
)

// rebuildStep is how many sequences of the stream are looked through at once
// for older removals.
const rebuildStep = 100_000

// errRebuilding is told to who wants history from before what is known of
// removals.
var errRebuilding = errors.New("what was removed from older history is still being read")

// load reads the removals from sequence from on, which is where the memory
// begins: nothing older is served before extend has come to it.
func (r *removals) load(ctx context.Context, conn *bus.Conn, from uint64) error {
	state, err := conn.Stream(ctx, feed.StreamEvents)
	if err != nil {
		return err
	}
	if err := eachRemoval(ctx, conn, from, state.LastSeq, r.add); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.floor = max(r.floor, max(from, 1)-1)
	return nil
}

// extend reads the removals of the step of the stream before what is known;
// more is false when there is nothing older, or no room for it.
func (r *removals) extend(ctx context.Context, conn *bus.Conn) (more bool, err error) {
	r.mu.RLock()
	era, end := r.era, r.floor
	done := end == 0 || len(r.order) == r.most
	r.mu.RUnlock()
	var found []foundRemoval
	begin := end - min(end, rebuildStep)
	if !done {
		err = eachRemoval(ctx, conn, begin+1, end, func(e *incoming) {
			if one, ok := r.find(e); ok {
				found = append(found, one)
			}
		})
	}
	if err != nil {
		return true, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.era == era && !done {
		done = r.prepend(found, begin)
	}
	r.whole = done
	r.grown.Fire()
	return !done, nil
}

// prepend takes removals that are older than all others, and from which floor
// on all are known; true if that was all there is room for. The lock is held.
func (r *removals) prepend(found []foundRemoval, floor uint64) (done bool) {
	room := r.most - len(r.order)
	if room == 0 {
		return true // the floor is where the newer ones have pushed it
	}
	if len(found) > room {
		floor, found = found[len(found)-room-1].seq, found[len(found)-room:]
	}
	older := make([]removalRef, 0, len(found)+len(r.order))
	for _, one := range found {
		r.note(one)
		older = append(older, one.removalRef)
	}
	r.order, r.floor = append(older, r.order...), floor
	return floor == 0 || len(r.order) == r.most
}

// await waits until all is known that was removed from sequence next on, or
// that never will be.
func (r *removals) await(ctx context.Context, next uint64) error {
	for {
		grown := r.grown.Wait()
		r.mu.RLock()
		known := r.whole || r.floor < next
		r.mu.RUnlock()
		if known {
			return nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return errRebuilding
		}
	}
}

// eachRemoval hands over the removals from sequence from to sequence to, in order.
func eachRemoval(ctx context.Context, conn *bus.Conn, from, to uint64, take func(*incoming)) error {
	var all []bus.Stored
	for _, kind := range []feed.Kind{feed.KindPostRemoved, feed.KindGeoRemoved} {
		err := conn.Each(ctx, feed.StreamEvents, from, to, func(m *bus.Stored) error {
			all = append(all, *m)
			return nil
		}, feed.EventSubject(kind))
		if err != nil {
			return fmt.Errorf("gateway: read removals: %w", err)
		}
	}
	slices.SortFunc(all, func(a, b bus.Stored) int { return cmp.Compare(a.Seq, b.Seq) })
	var facts filter.Facts
	for i := range all {
		m := &all[i]
		facts.Read(m.Data)
		take(&incoming{seq: m.Seq, kind: string(feed.KindOf(m.Subject)), payload: m.Data, facts: &facts})
	}
	return nil
}

// loadRemovals reads the removals of what is served from memory before anything
// is; false if ctx ends before.
func (f *follower) loadRemovals(ctx context.Context) bool {
	return f.retry(ctx, func(ctx context.Context) error {
		return f.s.removals.load(ctx, f.s.conn, f.from)
	})
}

// readOlderRemovals reads what was removed before the memory begins. Clients of
// the present do not wait for it; it takes no more than half of a core.
func (s *Service) readOlderRemovals(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-s.follower.warm:
	}
	began := time.Now()
	for more := true; more; {
		step := time.Now()
		var err error
		more, err = s.removals.extend(ctx, s.conn)
		rest := time.Since(step)
		if err != nil && ctx.Err() == nil {
			s.log.Warn("read older removals", slog.String("error", err.Error()))
			rest = askAgainMax
		}
		if !more {
			break
		}
		wait := time.NewTimer(rest)
		select {
		case <-ctx.Done():
			wait.Stop()
			return nil
		case <-wait.C:
		}
	}
	s.log.Info("know what was removed", slog.Int("removals", s.removals.count()), slog.Duration("took", time.Since(began)),
		slog.Uint64("from_seq", s.removals.trusted()))
	<-ctx.Done() // a part of the service that ended would end it all
	return nil
}

// count is how many removals are remembered.
func (r *removals) count() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.order)
}
