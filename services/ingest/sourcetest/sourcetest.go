package sourcetest

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source"
)

// patience bounds every wait; nothing here is meant to take long.
const patience = 20 * time.Second

// Upstream is a running upstream and how to read it.
type Upstream struct {
	// Open makes a source that reads the upstream from its beginning.
	Open func(t *testing.T) source.Source
	// Name is the name the source was opened with.
	Name string
	// Want is what the upstream sends, in its order, at least three messages.
	// Nil for an upstream that makes its messages up: then what a first reading
	// gave is expected of every other, as far as the source can resume.
	Want [][]byte
	// Resumes says that the items have cursors.
	Resumes bool
	// Sparse says that only some items have one, the last of Want among them:
	// what came after the last cursor comes again.
	Sparse bool
	// Same reports whether two messages are one, where the upstream has it in
	// two forms; nil where only equal bytes are.
	Same func(got, want []byte) bool
	// Ends says that Stream returns nil after the last of Want. Other
	// upstreams stay open and silent, or send more.
	Ends bool
}

// same reports whether got is the message wanted.
func (up Upstream) same(got, want []byte) bool {
	return bytes.Equal(got, want) || up.Same != nil && up.Same(got, want)
}

// sample is how many items are read of an upstream that makes them up.
const sample = 50

// Run checks a source. setup starts an upstream; it is called once per check.
func Run(t *testing.T, setup func(t *testing.T) Upstream) {
	t.Helper()
	for name, check := range map[string]func(*testing.T, Upstream){
		"delivers everything in order":      delivers,
		"names an item the same every time": stableIDs,
		"resumes without loss or repeat":    resumes,
		"stops when the context ends":       stopsOnContext,
		"stops when emit fails":             stopsOnEmit,
		"waits while emit blocks":           waits,
	} {
		t.Run(name, func(t *testing.T) {
			up := setup(t)
			before := runtime.NumGoroutine()
			check(t, up)
			settle(t, before)
		})
	}
}

// settle waits until there are as many goroutines as before the check.
func settle(t *testing.T, before int) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for runtime.NumGoroutine() > before {
		select {
		case <-tick.C:
		case <-deadline:
			stacks := make([]byte, 64<<10)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// errEnough is what emit returns to end a reading.
var errEnough = errors.New("enough items")

// read reads n items from a cursor on and ends the reading by failing emit. It
// follows the upstream over as many connections as that takes.
func read(t *testing.T, src source.Source, from feed.Cursor, n int) (items []feed.Item) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := src.Stream(ctx, from, func(it feed.Item) error {
		items = append(items, it)
		if len(items) == n {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		t.Fatalf("Stream ended after %d items of %d: %v", len(items), n, err)
	}
	return items
}

// expected is what the upstream will send.
func expected(t *testing.T, up Upstream) [][]byte {
	t.Helper()
	if up.Want != nil {
		return up.Want
	}
	var want [][]byte
	for _, it := range read(t, up.Open(t), "", sample) {
		want = append(want, it.Data)
	}
	return want
}

// delivers: every message once, in order, byte for byte, fully described.
func delivers(t *testing.T, up Upstream) {
	t.Helper()
	want := expected(t, up)
	items := read(t, up.Open(t), "", len(want))
	seen := map[string]bool{}
	for i, it := range items {
		if up.Want != nil && !up.same(it.Data, want[i]) {
			t.Fatalf("item %d is %.200q, want %.200q", i, it.Data, want[i])
		}
		if it.ID == "" || it.Source != up.Name || it.Received.IsZero() {
			t.Errorf("item %d: id %q, source %q, received %v", i, it.ID, it.Source, it.Received)
		}
		if sparse := up.Sparse && i < len(items)-1; !sparse && (it.Cursor != "") != up.Resumes {
			t.Errorf("item %d: cursor %q, but Resumes is %v", i, it.Cursor, up.Resumes)
		}
		if seen[it.ID] {
			t.Errorf("item %d: id %q is another's", i, it.ID)
		}
		seen[it.ID] = true
	}
	if up.Ends {
		ends(t, up, len(want))
	}
}

// ends: a source that has ended says so by nil, after the last item.
func ends(t *testing.T, up Upstream, want int) {
	t.Helper()
	got := 0
	err := up.Open(t).Stream(t.Context(), "", func(feed.Item) error { got++; return nil })
	if err != nil || got != want {
		t.Errorf("Stream = %v after %d items, want nil after %d", err, got, want)
	}
}

// stableIDs: reading again gives the same ids, so that what is delivered twice
// is stored once.
func stableIDs(t *testing.T, up Upstream) {
	t.Helper()
	if up.Want == nil && !up.Resumes {
		t.Log("the upstream makes up other messages every time")
		return
	}
	n := len(expected(t, up))
	first, second := read(t, up.Open(t), "", n), read(t, up.Open(t), "", n)
	for i := range first {
		if first[i].ID != second[i].ID || first[i].Identity != second[i].Identity {
			t.Errorf("item %d is %q, then %q", i, first[i].ID, second[i].ID)
		}
	}
}

// resumes: reading on from any item's cursor gives the next item.
func resumes(t *testing.T, up Upstream) {
	t.Helper()
	if !up.Resumes {
		t.Log("the upstream cannot resume")
		return
	}
	want := expected(t, up)
	for _, cut := range []int{1, len(want) / 2, len(want) - 1} {
		head, at := sure(read(t, up.Open(t), "", cut))
		tail := read(t, up.Open(t), at, len(want)-len(head))
		for i, it := range append(head, tail...) {
			if !up.same(it.Data, want[i]) {
				t.Fatalf("resumed after %d: item %d is %.200q, want %.200q", cut, i, it.Data, want[i])
			}
		}
	}
	if up.Ends {
		all := read(t, up.Open(t), "", len(want))
		err := up.Open(t).Stream(t.Context(), all[len(all)-1].Cursor, func(it feed.Item) error {
			t.Errorf("item after the last: %.200q", it.Data)
			return nil
		})
		if err != nil {
			t.Errorf("Stream from the end = %v, want nil", err)
		}
	}
}

// sure is what lies before the last cursor of items, and that cursor.
func sure(items []feed.Item) ([]feed.Item, feed.Cursor) {
	for i, it := range slices.Backward(items) {
		if it.Cursor != "" {
			return items[:i+1], it.Cursor
		}
	}
	return nil, ""
}

// stopsOnContext: whether it waits for the upstream or for emit, Stream
// returns the context's error when the context ends.
func stopsOnContext(t *testing.T, up Upstream) {
	t.Helper()
	n := len(expected(t, up))
	for _, stopAt := range []int{1, n} {
		ctx, cancel := context.WithCancel(t.Context())
		got := 0
		done := make(chan error, 1)
		src := up.Open(t)
		go func() {
			done <- src.Stream(ctx, "", func(feed.Item) error {
				if got++; got == stopAt {
					cancel()
				}
				return ctx.Err()
			})
		}()
		select {
		case err := <-done:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("Stream = %v, want context.Canceled", err)
			}
		case <-time.After(patience):
			t.Fatal("Stream goes on after its context has ended")
		}
		cancel()
	}
}

// stopsOnEmit: an error of emit is returned as it is, and emit is not called again.
func stopsOnEmit(t *testing.T, up Upstream) {
	t.Helper()
	failed := errors.New("emit failed")
	calls := 0
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := up.Open(t).Stream(ctx, "", func(feed.Item) error { calls++; return failed })
	if err != failed || calls != 1 { //nolint:errorlint // the very error is asked for
		t.Errorf("Stream = %v after %d calls, want emit's error after 1", err, calls)
	}
}

// waits: while emit blocks nothing else is emitted, and nothing is lost.
func waits(t *testing.T, up Upstream) {
	t.Helper()
	want := expected(t, up)
	var inside atomic.Int32
	gate, entered := make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var items []feed.Item
	src, done := up.Open(t), make(chan error, 1)
	go func() {
		done <- src.Stream(ctx, "", func(it feed.Item) error {
			if inside.Add(1) > 1 {
				t.Error("emit is called while it blocks")
			}
			defer inside.Add(-1)
			if items = append(items, it); len(items) == 2 {
				close(entered)
				<-gate
			}
			if len(items) == len(want) {
				return errEnough
			}
			return nil
		})
	}()
	<-entered
	for range 1000 {
		runtime.Gosched() // whoever does not wait has time to show it
	}
	close(gate)
	if err := <-done; !errors.Is(err, errEnough) {
		t.Fatalf("Stream = %v after %d items", err, len(items))
	}
	for i, it := range items {
		if up.Want != nil && !up.same(it.Data, want[i]) {
			t.Fatalf("item %d is %.200q, want %.200q", i, it.Data, want[i])
		}
	}
}
