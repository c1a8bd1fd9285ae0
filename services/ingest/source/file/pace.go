package file

import (
	"context"
	"math"
	"strconv"
	"time"

	"github.com/blipstream/blipstream/services/ingest/source/peek"
)

// pace spreads items over time as they were recorded.
type pace struct {
	speed  float64
	maxGap time.Duration
	// last is the latest recorded time so far: what comes out of order does
	// not wait, and does not make the next one wait again.
	last time.Time
	// due is when, by our clock, the last item was to be emitted.
	due time.Time
}

// wait waits until it is the turn of an item.
func (p *pace) wait(ctx context.Context, data []byte) error {
	if p.speed == 0 {
		return ctx.Err()
	}
	now := time.Now()
	p.schedule(recorded(data), now)
	if !p.due.After(now) {
		return ctx.Err()
	}
	timer := time.NewTimer(p.due.Sub(now))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// schedule moves due on by the gap before an item recorded at t.
func (p *pace) schedule(t, now time.Time) {
	if behind := now.Sub(p.due); behind > p.maxGap {
		p.due = now // held up for long: go on from here, do not rush
	}
	if t.IsZero() || !t.After(p.last) {
		return
	}
	if !p.last.IsZero() {
		p.due = p.due.Add(p.gap(t.Sub(p.last)))
	}
	p.last = t
}

// gap is how long a recorded gap lasts.
func (p *pace) gap(d time.Duration) time.Duration {
	scaled := float64(d) / p.speed
	if scaled >= float64(math.MaxInt64) {
		return p.maxGap
	}
	return min(time.Duration(scaled), p.maxGap)
}

// createdAt is the form of Twitter's created_at.
const createdAt = "Mon Jan 02 15:04:05 -0700 2006"

// recorded finds when an item was made; zero if it does not say.
func recorded(data []byte) (t time.Time) {
	peek.Object(data, func(key, value []byte) bool {
		switch string(key) {
		case "timestamp_ms":
			if found := unix(value, time.Millisecond); !found.IsZero() {
				t = found // more precise than created_at, which is in seconds
				return false
			}
		case "time_us":
			t = unix(value, time.Microsecond)
		case "created_at":
			t = parseTime(string(peek.Text(value)))
		case "meta":
			t = parseTime(string(peek.Text(peek.Field(value, "dt"))))
		}
		return true
	})
	return t
}

// unix reads a count of units since 1970; zero if it is none.
func unix(value []byte, unit time.Duration) time.Time {
	n, err := strconv.ParseInt(peek.Digits(value), 10, 64)
	if err != nil || n > math.MaxInt64/int64(unit) {
		return time.Time{}
	}
	return time.Unix(0, n*int64(unit))
}

// parseTime reads a time in either form; zero if it has neither.
func parseTime(s string) time.Time {
	for _, form := range []string{createdAt, time.RFC3339Nano} {
		if t, err := time.Parse(form, s); err == nil {
			return t
		}
	}
	return time.Time{}
}
