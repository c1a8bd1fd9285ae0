package part_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/blipstream/blipstream/internal/part"
)

// fakePart keeps what is told of its status, and can be away. The clock of a
// bubble orders nothing for the race detector, hence the lock.
type fakePart struct {
	mu    sync.Mutex
	now   part.Status
	away  bool
	tried int
	told  []part.Status
}

func (p *fakePart) look() part.Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

// ReportStatus implements part.Board.
func (p *fakePart) ReportStatus(_ context.Context, key string, payload []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tried++
	if p.away {
		return errors.New("away")
	}
	var s part.Status
	if err := json.Unmarshal(payload, &s); err != nil || key != "bridge" {
		return errors.Join(errors.New("not a status of bridge"), err)
	}
	p.told = append(p.told, s)
	return nil
}

// after changes the part and lets the clock go on, just beyond a look.
func (p *fakePart) after(d time.Duration, change func()) {
	p.mu.Lock()
	change()
	p.mu.Unlock()
	<-time.After(d + time.Millisecond)
	synctest.Wait()
}

// run has a reporter look at a part.
func run(t *testing.T, test func(p *fakePart)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var p fakePart
		r := part.Reporter{Name: "bridge", Board: &p, Look: p.look, Log: slog.New(slog.DiscardHandler)}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- r.Run(ctx) }()
		synctest.Wait()
		test(&p)
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
}

func TestChangesAreToldAtOnceAndTheRestAgain(t *testing.T) {
	run(t, func(p *fakePart) {
		p.after(10*time.Second, func() {})
		if p.tried != 0 {
			t.Errorf("nothing was told %d times", p.tried)
		}
		p.after(time.Second, func() { p.now.State = "working" })
		p.after(time.Second, func() { p.now.State, p.now.RetryTime = "away", time.Now().Add(time.Minute) })
		if len(p.told) != 2 || p.told[1].State != "away" || !p.told[1].RetryTime.Equal(p.now.RetryTime) || p.told[1].Time.IsZero() {
			t.Fatalf("told %+v", p.told)
		}
		for range 20 {
			p.after(time.Second, func() { p.now.ItemTime = time.Now() }) // which alone is no news
		}
		if n := len(p.told); n != 6 {
			t.Errorf("told %d times, want 2 changes and 4 more in 20 s", n)
		}
	})
}

func TestWhatWasNotWrittenIsToldAgain(t *testing.T) {
	run(t, func(p *fakePart) {
		p.after(3*time.Second, func() { p.away, p.now.State = true, "working" })
		p.after(time.Second, func() { p.away = false })
		if p.tried != 4 || len(p.told) != 1 {
			t.Errorf("tried %d times and told %d, want 4 and 1", p.tried, len(p.told))
		}
	})
}
