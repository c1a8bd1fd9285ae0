package e2e

import (
	"context"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/r3labs/sse/v2"

	"github.com/blipstream/blipstream/cmd/blipstream/tail"
	"github.com/blipstream/blipstream/internal/feed"
)

// follower reads all events of a gateway, as `blipstream tail` does.
type follower struct {
	mu   sync.Mutex
	data map[string][]byte // by message id, as far as it can be told from outside
	got  []string
	when map[string]time.Time
	open atomic.Bool
}

// follow starts reading until the test ends. A gap is an error.
func follow(t *testing.T, url string) *follower {
	t.Helper()
	f := &follower{data: map[string][]byte{}, when: map[string]time.Time{}}
	client := tail.Client{
		URL: url, Since: "1h", Log: slog.New(slog.DiscardHandler), Open: func() { f.open.Store(true) }, MaxDelay: 200 * time.Millisecond,
		Gap: func(g tail.Gap) { t.Errorf("the gateway told a gap: %+v", g) },
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- client.Run(ctx, f.take) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("read events: %v", err)
		}
	})
	return f
}

func (f *follower) take(ev *sse.Event) error {
	kind := string(ev.Event)
	_, rest, _ := strings.Cut(string(ev.Data), `"id":"`)
	id, _, _ := strings.Cut(rest, `"`)
	key := feed.EventID(feed.Kind(kind), source, id)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.got = append(f.got, key)
	f.data[key] = append([]byte(nil), ev.Data...)
	f.when[key] = time.Now()
	return nil
}

// isOpen reports whether a connection was ever greeted.
func (f *follower) isOpen() bool { return f.open.Load() }

// arrived is when an event came; zero if it has not.
func (f *follower) arrived(key string) time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.when[key]
}

// len is how many events came.
func (f *follower) len() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.got)
}

// has reports whether everything of must came.
func (f *follower) has(must wanted) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.data) < len(must) {
		return false
	}
	for id := range must {
		if f.data[id] == nil {
			return false
		}
	}
	return true
}

// all is what came so far: the keys in order, and the payloads.
func (f *follower) all() ([]string, map[string][]byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.got...), maps.Clone(f.data)
}
