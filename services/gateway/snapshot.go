package gateway

import (
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
	// snapshotAge is how long a snapshot serves all who ask for the same.
	snapshotAge = time.Second
	// maxSnapshots bounds how many are kept.
	maxSnapshots = 64
)

// snapshots keeps what was made lately, so that a crowd of fresh pages costs
// what one does.
type snapshots struct {
	mu   sync.Mutex
	made map[string]snapshot
}

// snapshot is one that was made.
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
	data, err := s.snapshots.get(sel.key(false), now, func() ([]byte, error) {
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

// get returns the snapshot of a key, made anew if it is old.
func (k *snapshots) get(key string, now time.Time, build func() ([]byte, error)) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if had, ok := k.made[key]; ok && now.Sub(had.at) < snapshotAge {
		return had.data, nil
	}
	data, err := build()
	if err != nil {
		return nil, err
	}
	if k.made == nil || len(k.made) >= maxSnapshots {
		k.made = map[string]snapshot{}
	}
	// The capacity ends with the data: several may append to it.
	k.made[key] = snapshot{now, slices.Clip(data)}
	return k.made[key].data, nil
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
