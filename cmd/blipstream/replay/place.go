package replay

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/feed"
)

// Place is where in RAW something begins or ends: a sequence, or a time of
// storing. The zero value is no place.
type Place struct {
	Seq  uint64
	Time time.Time
}

// UnmarshalText reads a sequence (1000), how long ago (10m), or a time (RFC 3339).
func (p *Place) UnmarshalText(text []byte) error {
	s := string(text)
	if seq, err := strconv.ParseUint(s, 10, 64); err == nil && seq > 0 {
		*p = Place{Seq: seq}
		return nil
	}
	if ago, err := time.ParseDuration(s); err == nil && ago >= 0 {
		*p = Place{Time: time.Now().Add(-ago)}
		return nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return fmt.Errorf("%q is neither a sequence such as 1000, nor a duration such as 10m, nor a time such as 2026-03-01T12:00:00Z", text)
	}
	*p = Place{Time: t}
	return nil
}

// IsZero reports whether p is no place.
func (p Place) IsZero() bool { return p.Seq == 0 && p.Time.IsZero() }

// span is the sequences of RAW that are worked on, both ends included.
type span struct{ from, to uint64 }

func (s span) size() uint64 { return s.to + 1 - s.from }

var errNothing = errors.New("replay: RAW holds nothing in that range")

// span finds the sequences that the options ask for.
func (j *job) findSpan(ctx context.Context) error {
	raw, err := j.conn.Stream(ctx, feed.StreamRaw)
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	j.span = span{raw.FirstSeq, raw.LastSeq}
	if !j.From.IsZero() {
		from, err := j.seq(ctx, j.From)
		if err != nil {
			return err
		}
		j.span.from = max(j.span.from, from)
	}
	if !j.To.IsZero() {
		to, err := j.seq(ctx, j.To)
		if err != nil {
			return err
		}
		if j.To.Seq == 0 {
			to-- // what was stored before that time
		}
		j.span.to = min(j.span.to, to)
	}
	if j.span.from > j.span.to {
		return errNothing
	}
	return nil
}

func (j *job) seq(ctx context.Context, p Place) (uint64, error) {
	if p.Seq > 0 {
		return p.Seq, nil
	}
	seq, err := j.conn.SeqAt(ctx, feed.StreamRaw, p.Time)
	if err != nil {
		return 0, fmt.Errorf("replay: %w", err)
	}
	return seq, nil
}

// narrow takes from the span of a healing what enrich has yet to settle, and
// what EVENTS no longer reaches back to.
func (j *job) narrow(ctx context.Context, events bus.StreamState) error {
	lag, err := j.conn.Lag(ctx, feed.StreamRaw, bus.DurableEnrich)
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	if lag.AckFloor < j.span.to {
		j.sum.Waiting = j.span.to - max(lag.AckFloor, j.span.from-1)
		j.span.to = lag.AckFloor
	}
	if events.FirstSeq == 1 || j.Refill {
		return nil
	}
	first, err := j.horizon(ctx, events)
	if err != nil {
		return err
	}
	if first > j.span.from {
		j.sum.Beyond = min(first, j.span.to+1) - j.span.from
		j.span.from = first
	}
	return nil
}

// horizon is the first sequence of RAW whose events EVENTS must still hold:
// that of what was stored when its own first message was.
func (j *job) horizon(ctx context.Context, events bus.StreamState) (uint64, error) {
	first, err := j.conn.Range(ctx, feed.StreamEvents, events.FirstSeq, 1)
	if err != nil {
		return 0, fmt.Errorf("replay: %w", err)
	}
	if len(first) == 0 {
		return j.span.to + 1, nil
	}
	return j.seq(ctx, Place{Time: first[0].Time})
}
