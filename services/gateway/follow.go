package gateway

import (
	"context"
	"log/slog"
	"time"

	r3 "github.com/r3labs/sse/v2"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/feed"
	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
	"github.com/blipstream/blipstream/services/gateway/filter"
	"github.com/blipstream/blipstream/services/gateway/sse"
	"github.com/blipstream/blipstream/services/gateway/stats"
)

// The reasons of a gap.
const (
	reasonTrimmed   = "trimmed"
	reasonSlow      = "slow"
	reasonCapped    = "capped"
	reasonRecreated = "recreated"
	reasonBacklog   = "backlog"
)

// Bounds of the wait between attempts to ask the stream for its state.
const (
	askAgainMin = 100 * time.Millisecond
	askAgainMax = 2 * time.Second
	askTimeout  = 5 * time.Second
)

// follower copies the stream into the log, encoding every event once.
type follower struct {
	s *Service
	// warm is closed when the log holds what was stored before the start.
	warm   chan struct{}
	isWarm bool
	from   uint64 // where the memory begins
	target uint64 // the last sequence of before the start
	epoch  string
	next   uint64
	buf    []byte
	facts  filter.Facts
	memory *filter.Memory
}

func newFollower(s *Service) *follower {
	return &follower{s: s, warm: make(chan struct{}), memory: filter.NewMemory()}
}

// Run follows the stream until ctx ends.
func (f *follower) Run(ctx context.Context) error {
	if !f.retry(ctx, f.warmFrom) || !f.loadRemovals(ctx) {
		return nil
	}
	err := f.s.conn.Follow(ctx, feed.StreamEvents, f.from, f.changed, f.store)
	if ctx.Err() != nil {
		return nil //nolint:nilerr // the end of ctx is how it is meant to end
	}
	return err
}

// retry asks the stream until it answers; false if
// ctx ends before.
func (f *follower) retry(ctx context.Context, ask func(context.Context) error) bool {
	wait := askAgainMin
	for {
		err := ask(ctx)
		if err == nil {
			return true
		}
		f.s.log.Warn("wait for the stream", slog.String("error", err.Error()))
		select {
		case <-ctx.Done():
			return false
		case <-time.After(wait):
			wait = min(2*wait, askAgainMax)
		}
	}
}

// warmFrom finds where the memory should begin: cfg.Warm ago, but no earlier
// than what the memory can be expected to hold.
func (f *follower) warmFrom(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	state, err := f.s.conn.Stream(ctx, feed.StreamEvents)
	if err != nil {
		return err
	}
	from, err := f.s.conn.SeqAt(ctx, feed.StreamEvents, time.Now().Add(-f.s.cfg.Warm))
	if err != nil {
		return err
	}
	if state.Messages > 0 {
		average := max(state.Bytes/state.Messages, 1)
		room := uint64(f.s.cfg.RingBytes) / average
		if room < state.LastSeq {
			from = max(from, state.LastSeq-room+1)
		}
	}
	f.from = max(from, 1)
	return nil
}

// changed hears which stream the messages that follow are from.
func (f *follower) changed(st bus.StreamState) error {
	start := max(st.FirstSeq, 1)
	switch {
	case f.epoch == "":
		if f.from <= st.LastSeq+1 { // else it was of a stream that is no more
			start = max(start, f.from)
		}
		f.target = st.LastSeq
		f.s.hub.reset(st.Epoch, start, nil)
	case st.Epoch == f.epoch && st.LastSeq+1 >= f.next:
		return nil
	case st.Epoch == f.epoch: // the server lost the end of it
		start = st.LastSeq + 1
		fallthrough
	default:
		if err := f.recreated(st.Epoch, start); err != nil {
			return err
		}
	}
	f.epoch, f.next = st.Epoch, start
	f.checkWarm()
	return nil
}

// recreated tells everyone that the sequences start over.
func (f *follower) recreated(epoch string, start uint64) error {
	gap := &feedv1.Gap{Reason: reasonRecreated}
	notice, err := sse.AppendGap(nil, sse.ID{Epoch: epoch, Seq: start - 1}, gap)
	if err != nil {
		return err
	}
	f.s.log.Warn("sequences start over", slog.String("epoch", epoch), slog.Uint64("start", start))
	f.s.metrics.tell(gap)
	f.s.hub.reset(epoch, start, notice)
	return nil
}

// store takes one message of the stream.
func (f *follower) store(m *bus.Stored) error {
	if m.Seq < f.next {
		return nil // had it: the stream's reader came back with an overlap
	}
	if m.Seq > f.next {
		if err := f.skipped(m.Seq); err != nil {
			return err
		}
	}
	f.next = m.Seq + 1
	encoded, kind, ok := f.encode(m)
	if ok {
		f.s.metrics.events.WithLabelValues(kind).Inc()
		f.facts.Read(m.Data)
		f.count(m, kind)
		f.memory.Join(f.s.removals.seed, &f.facts)
		f.s.hub.append(&incoming{seq: m.Seq, kind: kind, encoded: encoded, payload: m.Data, facts: &f.facts})
	} else {
		f.s.metrics.invalid.Inc()
		f.s.hub.skip(f.next)
	}
	f.checkWarm()
	return nil
}

// count counts an event. What was stored before the start is counted as past.
func (f *follower) count(m *bus.Stored, kind string) {
	e := stats.Event{Kind: kind, Facts: &f.facts, Stored: m.Time, Latency: -1}
	if !f.isWarm {
		f.s.book.Past(e)
		return
	}
	if told := m.Header.Get(feed.HeaderReceived); told != "" {
		if at, err := time.Parse(time.RFC3339Nano, told); err == nil {
			e.Latency = max(0, time.Since(at))
		}
	}
	f.s.book.Count(e)
}

// skipped tells everyone that the stream dropped messages before we read them.
func (f *follower) skipped(to uint64) error {
	gap := &feedv1.Gap{Reason: reasonTrimmed, FromSeq: f.next, ToSeq: to - 1, Count: to - f.next}
	notice, err := sse.AppendGap(nil, sse.ID{Epoch: f.epoch, Seq: to - 1}, gap)
	if err != nil {
		return err
	}
	f.s.metrics.tell(gap)
	f.s.log.Warn("stream dropped events before they were read",
		slog.Uint64("from_seq", gap.GetFromSeq()), slog.Uint64("to_seq", gap.GetToSeq()))
	f.s.hub.notice(to, notice)
	return nil
}

// checkWarm notes when everything of before the start has been read.
func (f *follower) checkWarm() {
	if !f.isWarm && f.next > f.target {
		f.isWarm = true
		close(f.warm)
	}
}

// encode encodes a message into the follower's buffer.
func (f *follower) encode(m *bus.Stored) (encoded []byte, kind string, ok bool) {
	f.buf, kind, ok = appendStored(f.buf[:0], f.epoch, m)
	return f.buf, kind, ok
}

// appendStored appends a message of the stream as an event; false if it is
// none: its subject names no kind, or it is empty.
func appendStored(dst []byte, epoch string, m *bus.Stored) (encoded []byte, kind string, ok bool) {
	k := feed.KindOf(m.Subject)
	if !k.Valid() || len(m.Data) == 0 {
		return dst, "", false
	}
	e := r3.Event{
		ID:    sse.ID{Epoch: epoch, Seq: m.Seq}.Append(make([]byte, 0, 48)),
		Event: []byte(k),
		Data:  m.Data,
	}
	return sse.Append(dst, &e), string(k), true
}
