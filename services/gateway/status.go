package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/service"
	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
	"github.com/blipstream/blipstream/services/gateway/filter"
	"github.com/blipstream/blipstream/services/gateway/sse"
	"github.com/blipstream/blipstream/services/gateway/stats"
)

// status is what the statistics hold beside the book.
type status struct {
	// backlog is how many items wait for enrich; -1 if that is not known.
	backlog atomic.Int64
}

// statsMessage is the statistics as they are now.
func (s *Service) statsMessage(now time.Time) *feedv1.Stats {
	m := s.book.Message(now)
	m.Version = service.Version()
	m.Clients = uint32(s.limits.count())
	m.LastSeq = s.hub.reached().Seq
	m.Parts = s.parts.now()
	if n := s.status.backlog.Load(); n >= 0 {
		m.Backlog = new(uint64(n))
	}
	return m
}

// serveStats answers GET /api/stats.
func (s *Service) serveStats(w http.ResponseWriter, r *http.Request) {
	allowed := grantOf(r)
	if problem := choose(allowed, &sse.Request{}); problem != nil {
		s.refuse(w, r, "kinds", problem)
		return
	}
	s.answer(w, r, stats.Limit(s.statsMessage(time.Now()), allowed.Kinds))
}

// answer answers with a message.
func (s *Service) answer(w http.ResponseWriter, _ *http.Request, m proto.Message) {
	data, err := sse.JSON(m)
	if err != nil {
		s.log.Error("encode answer", slog.String("error", err.Error()))
		http.Error(w, "the answer cannot be written", http.StatusInternalServerError)
		return
	}
	s.answerJSON(w, data)
}

// answerJSON answers with JSON.
func (s *Service) answerJSON(w http.ResponseWriter, data []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	// The client may be gone; there is nobody to tell.
	_, _ = w.Write(append(data, '\n'))
}

// pastBatch is how many events of the past are asked for at once.
const pastBatch = 1000

// readPast fills the statistics with what was stored in the hour before the
// memory begins. It takes no more than half of a core, as clients are served
// meanwhile.
func (s *Service) readPast(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-s.follower.warm:
	}
	if err := s.countPast(ctx); err != nil && ctx.Err() == nil {
		s.log.Warn("read the past hour", slog.String("error", err.Error()))
	}
	<-ctx.Done() // a part of the service that ended would end it all
	return nil
}

// countPast counts the past, as far back as MaxPastEvents reach.
func (s *Service) countPast(ctx context.Context) error {
	since := time.Now().Add(-stats.Longest)
	from, err := s.conn.SeqAt(ctx, feed.StreamEvents, since)
	if err != nil {
		return err
	}
	end := s.follower.from // written before warm was closed
	if most := uint64(s.cfg.MaxPastEvents); end > most && from < end-most {
		from, since = end-most, time.Time{}
	}
	for from < end {
		began := time.Now()
		batch, err := s.conn.Range(ctx, feed.StreamEvents, from, int(min(end-from, pastBatch)))
		if err != nil {
			return err
		}
		if len(batch) == 0 {
			break
		}
		if since.IsZero() {
			since = batch[0].Time
		}
		from = batch[len(batch)-1].Seq + 1
		countBatch(s.book, batch, end, nil)
		rest := time.NewTimer(time.Since(began))
		select {
		case <-ctx.Done():
			rest.Stop()
			return nil
		case <-rest.C:
		}
	}
	s.book.Complete(since)
	return nil
}

// countBatch counts what lies before sequence end, without what leaveOut names;
// nil leaves out nothing.
func countBatch(book *stats.Book, batch []bus.Stored, end uint64, leaveOut func(kind string, f *filter.Facts) bool) {
	var facts filter.Facts
	for i := range batch {
		m := &batch[i]
		k := feed.KindOf(m.Subject)
		if m.Seq >= end || !k.Valid() {
			continue
		}
		facts.Read(m.Data)
		if leaveOut == nil || !leaveOut(string(k), &facts) {
			book.Past(stats.Event{Kind: string(k), Facts: &facts, Stored: m.Time})
		}
	}
}
