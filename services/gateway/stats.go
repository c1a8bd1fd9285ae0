package gateway

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"net/http"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/blipstream/blipstream/internal/service"
	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
	"github.com/blipstream/blipstream/services/gateway/sse"
)

// stats counts what comes from the stream.
type stats struct {
	mu        sync.Mutex
	events    uint64
	kinds     map[string]uint64
	simulated bool
	// before is what events was when the rate was last computed.
	before uint64
	rate   float64
}

func newStats() *stats { return &stats{kinds: map[string]uint64{}} }

// count takes note of an event.
func (s *stats) count(kind string, payload []byte) {
	simulated := isSimulated(payload)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events++
	s.kinds[kind]++
	s.simulated = simulated
}

// tick computes the rate over the time since the last tick.
func (s *stats) tick(elapsed time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rate = float64(s.events-s.before) / elapsed.Seconds()
	s.before = s.events
}

// message is the counts as they are now.
func (s *stats) message() *feedv1.Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &feedv1.Stats{
		Time: timestamppb.Now(), Events: s.events, Rate: s.rate, Kinds: maps.Clone(s.kinds),
		Version: service.Version(), Simulated: s.simulated,
	}
}

// isSimulated looks for "simulated":true in a flat JSON object. Within a string
// the quotes would be escaped, so the bytes cannot mean anything else.
func isSimulated(payload []byte) bool {
	_, value, ok := bytes.Cut(payload, []byte(`"simulated":`))
	return ok && bytes.HasPrefix(bytes.TrimLeft(value, " "), []byte("true"))
}

// runStats keeps the rate up to date.
func (s *Service) runStats(ctx context.Context) error {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-ticker.C:
			s.stats.tick(now.Sub(last))
			last = now
		}
	}
}

// serveStats answers GET /api/stats.
func (s *Service) serveStats(w http.ResponseWriter, _ *http.Request) {
	m := s.stats.message()
	m.Clients = uint32(s.limits.count())
	m.LastSeq = s.tail.State().Next - 1
	m.Parts = s.parts.now()
	data, err := sse.JSON(m)
	if err != nil {
		s.log.Error("encode stats", slog.String("error", err.Error()))
		http.Error(w, "the statistics cannot be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	// The client may be gone; there is nobody to tell.
	_, _ = w.Write(append(data, '\n'))
}
