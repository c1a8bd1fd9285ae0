package bus_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
)

func TestValues(t *testing.T) {
	srv := bustest.Start(t)
	c := srv.Conn(t, "test")
	if v, err := c.GetValue(t.Context(), bus.BucketRules, "current"); err != nil || v.Revision != 0 || v.Data != nil {
		t.Errorf("value %+v, %v, want none", v, err)
	}
	rev, err := c.PutValue(t.Context(), bus.BucketRules, "current", bus.Value{Data: []byte("a"), Mark: 7})
	if err != nil {
		t.Fatal(err)
	}
	v, err := c.GetValue(t.Context(), bus.BucketRules, "current")
	if err != nil || string(v.Data) != "a" || v.Revision != rev || v.Mark != 7 {
		t.Errorf("value %+v, %v", v, err)
	}
	if _, err := c.PutValue(t.Context(), bus.BucketRules, "current", bus.Value{Data: []byte("b")}); !errors.Is(err, bus.ErrChanged) {
		t.Errorf("error %v, want that it was changed", err)
	}
	if _, err := c.GetValue(t.Context(), "none", "current"); !errors.Is(err, bus.ErrNoStream) {
		t.Errorf("error %v, want that there is no bucket", err)
	}
	for _, bad := range []string{"", "a.b", "a b", "a>"} {
		if bus.ValidBucket(bad) {
			t.Errorf("bucket %q is valid", bad)
		}
	}
}

// A watch tells the value there is and those that come, through a restart of
// the server, and nothing of other keys.
func TestWatchValue(t *testing.T) {
	srv := bustest.Start(t)
	c := srv.Conn(t, "test")
	put := func(key, text string) {
		t.Helper()
		v, err := c.GetValue(t.Context(), bus.BucketRules, key)
		if err == nil {
			_, err = c.PutValue(t.Context(), bus.BucketRules, key, bus.Value{Data: []byte(text), Revision: v.Revision})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	put("current", "one")
	var mu sync.Mutex
	var told []string
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- c.WatchValue(ctx, bus.BucketRules, "current", func(v bus.Value) error {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, string(v.Data))
			return nil
		})
	}()
	last := func(want string) {
		t.Helper()
		bustest.WaitFor(t, want, func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(told) > 0 && told[len(told)-1] == want
		})
	}
	last("one")
	put("good", "other")
	put("current", "two")
	last("two")
	srv.Restart()
	bustest.WaitFor(t, "the server", func() bool { return c.Ready() == nil })
	put("current", "three")
	last("three")
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if slices.Contains(told, "other") {
		t.Errorf("told %v: another key among them", told)
	}
}
