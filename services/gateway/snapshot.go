package gateway

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/blipstream/blipstream/services/gateway/live"
	"github.com/blipstream/blipstream/services/gateway/sse"
	"github.com/blipstream/blipstream/services/gateway/stats"
)

const (
	// snapshotEvents is how many of the newest events a snapshot is made of.
	snapshotEvents = 5000
	// snapshotEvery is how often one is made of the same at most: who asks in
	// between waits, and all who do get the next.
	snapshotEvery = 200 * time.Millisecond
	// maxSnapshots bounds how many are kept.
	maxSnapshots = 64
)

// snapshots keeps what was made lately, so that a crowd of fresh pages costs
// what one does.
type snapshots struct {
	mu   sync.Mutex
	made map[string]snapshot
}

// snapshot is one that was made: of what there was at a time, or later.
type snapshot struct {
	at   time.Time
	data []byte
}

// serveSnapshot answers GET /api/snapshot.
func (s *Service) serveSnapshot(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	req, problem := sse.ParseRequest(r, now)
	if problem != nil {
		s.refuse(w, r, "parameter", problem)
		return
	}
	allowed := grantOf(r)
	if problem := choose(allowed, &req); problem != nil {
		s.refuse(w, r, "kinds", problem)
		return
	}
	select {
	case <-s.follower.warm:
	default:
		s.refuse(w, r, "starting", unavailable(errStarting))
		return
	}
	sel := selection{live: true, allowed: allowed.Kinds, kinds: req.Kinds, filter: req.Filter}
	var tooMany *sse.Problem
	data, err := s.snapshots.get(r.Context(), sel.key(false), func(now time.Time) ([]byte, error) {
		if !sel.whole() {
			if tooMany = s.overdrawn(r, now); tooMany != nil {
				return nil, errQueries
			}
		}
		return s.snapshot(sel, now)
	})
	switch {
	case tooMany != nil:
		s.refuse(w, r, "queries", tooMany)
	case err != nil:
		s.refuse(w, r, "starting", unavailable(err))
	default:
		s.answerJSON(w, data)
	}
}

// get returns a snapshot of a key that was made after it was asked for: a page
// that has opened its stream before misses nothing in between, no removal either.
func (k *snapshots) get(ctx context.Context, key string, build func(time.Time) ([]byte, error)) ([]byte, error) {
	asked := time.Now()
	for {
		data, wait, err := k.try(key, asked, build)
		if err != nil || wait <= 0 {
			return data, err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		}
	}
}

// try returns a snapshot that was made since a time, by others or now; wait is
// how long it is until the next may be made.
func (k *snapshots) try(key string, since time.Time, build func(time.Time) ([]byte, error)) (data []byte, wait time.Duration, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	if had, ok := k.made[key]; ok {
		if !had.at.Before(since) {
			return had.data, 0, nil
		}
		if wait = snapshotEvery - now.Sub(had.at); wait > 0 {
			return nil, wait, nil
		}
	}
	if data, err = build(now); err != nil {
		return nil, 0, err
	}
	if k.made == nil || len(k.made) >= maxSnapshots {
		k.made = map[string]snapshot{}
	}
	// The capacity ends with the data: several may append to it.
	k.made[key] = snapshot{now, slices.Clip(data)}
	return k.made[key].data, 0, nil
}

// snapshot makes a snapshot of the newest events in memory.
func (s *Service) snapshot(sel selection, now time.Time) ([]byte, error) {
	frame, at := s.newest(sel)
	frame.Newest(historyPosts)
	told, err := sse.JSON(stats.Limit(s.statsMessage(now), sel.allowed))
	if err != nil {
		return nil, err
	}
	data := append([]byte(`{"epoch":"`), at.Epoch...)
	data = append(append(data, `","id":"`...), at.String()...)
	data = append(data, `","frame":`...)
	data = frame.Append(data, now)
	data = append(append(data, `,"stats":`...), told...)
	return append(data, '}'), nil
}

// newest collects the newest events in memory that are wanted and not removed.
func (s *Service) newest(sel selection) (*live.Framer, sse.ID) {
	h := history{selection: sel, frames: live.NewFramer()}
	h.remember()
	s.tail.Flush() // not what it was at the end of the last window
	log := s.tail.State()
	at := sse.ID{Epoch: log.Epoch, Seq: log.Next - 1}
	from := log.Floor
	if log.Next > from+snapshotEvents {
		from = log.Next - snapshotEvents
	}
	ring, ok := s.tail.From(log.Epoch, from, nil)
	if !ok {
		return h.frames, at
	}
	for {
		chunk, gap := ring.Next(h.scratch)
		if gap != nil {
			continue
		}
		if chunk.Bytes == 0 {
			return h.frames, position(ring)
		}
		h.scratch = chunk.Runs
		for e := range ring.Entries(chunk) {
			if e.Kind != "" {
				h.offerPost(s, &incoming{seq: e.Seq, kind: e.Kind, payload: sse.Data(e.Bytes)}, snapshotEvents)
			}
		}
	}
}
