package profiles

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// view is an AppView that knows everybody but those it is told not to.
type view struct {
	mu     sync.Mutex
	asks   []time.Time
	sizes  []int
	took   time.Duration
	err    error
	nobody map[string]bool
	bad    string // an author for whom a batch is refused
}

func (v *view) Fetch(ctx context.Context, dids []string) (map[string]Profile, error) {
	v.mu.Lock()
	v.asks, v.sizes = append(v.asks, time.Now()), append(v.sizes, len(dids))
	err := v.err
	v.mu.Unlock()
	select {
	case <-time.After(v.took):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	found := map[string]Profile{}
	for _, did := range dids {
		if did == v.bad {
			return nil, ErrRefused
		}
		if !v.nobody[did] {
			found[did] = Profile{Handle: did[8:12] + ".example", Name: "N"}
		}
	}
	return found, err
}

// shelf is a Shelf in memory.
type shelf struct{ m sync.Map }

func (s *shelf) Load(_ context.Context, key string) ([]byte, error) {
	v, _ := s.m.Load(key)
	b, _ := v.([]byte)
	return b, nil
}

func (s *shelf) Store(_ context.Context, key string, value []byte) error {
	s.m.Store(key, value)
	return nil
}

// outcomes is a Counter.
type outcomes struct {
	mu sync.Mutex
	n  map[string]int
}

func (o *outcomes) Profile(outcome string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.n[outcome]++
}

// of is how often an outcome was told.
func (o *outcomes) of(outcome string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.n[outcome]
}

// String lists the outcomes.
func (o *outcomes) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return fmt.Sprint(o.n)
}

func did(i int) string {
	return fmt.Sprintf("did:plc:%c%c%c%caaaaaaaaaaaaaaaaaaaa", 'a'+i/17576%26, 'a'+i/676%26, 'a'+i/26%26, 'a'+i%26)
}

// run runs a Book within the test's bubble.
func run(t *testing.T, v Fetcher, s Shelf) (*Book, *outcomes) {
	t.Helper()
	o := &outcomes{n: map[string]int{}}
	b := New(Options{Fetch: v, Shelf: s, Count: o, Log: slog.New(slog.DiscardHandler), Wait: Wait})
	ctx, cancel := context.WithCancel(t.Context())
	b.Start()
	done := make(chan struct{})
	go func() { defer close(done); b.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return b, o
}

// await asks for an author, and tells after how long done was called.
func await(t *testing.T, b *Book, did string) <-chan time.Duration {
	t.Helper()
	began, ch := time.Now(), make(chan time.Duration, 2)
	if !b.Await(did, func() { ch <- time.Since(began) }) {
		t.Fatalf("%s: not taken", did)
	}
	return ch
}

func TestBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &view{}
		b, o := run(t, v, &shelf{})
		var all []<-chan time.Duration
		for i := range 60 {
			all = append(all, await(t, b, did(i)), await(t, b, did(i))) // asked for once
		}
		for i, ch := range all {
			if took := <-ch; took > Wait {
				t.Errorf("%d took %v", i, took)
			}
		}
		if fmt.Sprint(v.sizes) != "[25 25 10]" || o.of("asked") != 60 {
			t.Errorf("batches %v, outcomes %v", v.sizes, o)
		}
		for i := 1; i < len(v.asks); i++ {
			if gap := v.asks[i].Sub(v.asks[i-1]); gap < Rate {
				t.Errorf("request %d came %v after the one before", i, gap)
			}
		}
		if p, known := b.Look(did(7)); !known || p.Handle != "aaah.example" || p.Name != "N" {
			t.Errorf("%+v, %v", p, known)
		}
	})
}

// Rate holds whatever is asked for.
func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &view{}
		b, _ := run(t, v, nil)
		for i := range 1500 {
			b.Await(did(i), func() {})
		}
		<-time.After(10 * time.Second)
		v.mu.Lock()
		defer v.mu.Unlock()
		for i := 8; i < len(v.asks); i++ {
			if v.asks[i].Sub(v.asks[i-8]) < time.Second {
				t.Fatalf("nine requests within %v", v.asks[i].Sub(v.asks[i-8]))
			}
		}
		if len(v.asks) != 60 {
			t.Errorf("%d requests, want 60", len(v.asks))
		}
	})
}

// Nobody waits longer than Wait, and who asks later for the same does not wait at all.
func TestLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, o := run(t, &view{took: 3 * time.Second}, nil)
		if took := <-await(t, b, did(1)); took != Wait {
			t.Errorf("went on after %v, want %v", took, Wait)
		}
		if b.Await(did(1), func() {}) {
			t.Error("waits for what is late")
		}
		<-time.After(5 * time.Second)
		if _, known := b.Look(did(1)); !known || o.of("late") != 1 {
			t.Errorf("a late answer is lost: %v", o)
		}
	})
}

// An AppView that fails is left alone, ever longer, and nobody waits meanwhile.
func TestFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &view{err: errors.New("down")}
		b, o := run(t, v, nil)
		if took := <-await(t, b, did(1)); took > collect {
			t.Errorf("went on after %v", took)
		}
		for i := range 100 {
			<-time.After(100 * time.Millisecond)
			b.Await(did(i), func() {})
		}
		if n := len(v.asks); n != 2 || o.of("failed") < 2 {
			t.Errorf("%d requests in 10 s, outcomes %v", n, o)
		}
		v.mu.Lock()
		v.err = &BusyError{After: time.Minute}
		v.mu.Unlock()
		<-time.After(10 * time.Second)
		<-await(t, b, did(200))
		<-time.After(50 * time.Second)
		if b.Await(did(201), func() {}) {
			t.Error("asks before the AppView wants to be asked")
		}
	})
}

func TestRefusedAuthor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &view{bad: did(3), nobody: map[string]bool{did(4): true}}
		b, o := run(t, v, nil)
		var all []<-chan time.Duration
		for i := range 8 {
			all = append(all, await(t, b, did(i)))
		}
		for _, ch := range all {
			<-ch
		}
		<-time.After(2 * time.Second)
		for i := range 8 {
			p, known := b.Look(did(i))
			if !known || (p.Handle == "") != (i == 3 || i == 4) {
				t.Errorf("%d: %+v, %v (%v)", i, p, known, o)
			}
		}
	})
}

// What one replica knows the other need not ask for, until it is too old.
func TestShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, v, w := &shelf{}, &view{nobody: map[string]bool{did(2): true}}, &view{}
		b, _ := run(t, v, s)
		<-await(t, b, did(1))
		<-await(t, b, did(2))
		b.Learn(did(1), "new.example", "")
		synctest.Wait()
		c, o := run(t, w, s)
		<-await(t, c, did(1))
		<-await(t, c, did(2))
		if p, _ := c.Look(did(1)); p.Handle != "new.example" || len(w.asks) != 0 || o.of("shared") != 2 {
			t.Errorf("%+v, %v", p, o)
		}
		<-time.After(keptFor)
		if _, known := c.Look(did(1)); known {
			t.Error("believes an old note")
		}
		if <-await(t, c, did(1)); len(w.asks) != 0 {
			t.Error("asks for what is shared still")
		}
		<-time.After(sharedFor)
		if <-await(t, c, did(1)); len(w.asks) != 1 {
			t.Errorf("asked %d times for what is too old, want once", len(w.asks))
		}
	})
}

func TestLearn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := run(t, &view{}, nil)
		b.Learn(did(1), "half.example", "")
		if _, known := b.Look(did(1)); known {
			t.Error("half a profile is taken for a whole")
		}
		<-await(t, b, did(1))
		b.Learn(did(1), "", "New")
		if p, _ := b.Look(did(1)); p != (Profile{"aaab.example", "New"}) {
			t.Errorf("%+v", p)
		}
		b.Learn(did(1), "", "")
		if _, known := b.Look(did(1)); known {
			t.Error("an author who has changed is believed to be the old one")
		}
	})
}

// When Run ends everybody goes on, once, and nobody waits any more.
func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Options{Fetch: &view{took: time.Hour}, Count: &outcomes{n: map[string]int{}}, Log: slog.New(slog.DiscardHandler), Wait: Wait})
		ctx, cancel := context.WithCancel(t.Context())
		b.Start()
		var calls atomic.Int32
		for i := range 60 {
			b.Await(did(i), func() { calls.Add(1) })
		}
		done := make(chan struct{})
		go func() { defer close(done); b.Run(ctx) }()
		<-time.After(200 * time.Millisecond)
		cancel()
		<-done
		if calls.Load() != 60 || b.Await(did(1), func() {}) {
			t.Errorf("%d went on, want 60", calls.Load())
		}
		<-time.After(time.Second)
		if calls.Load() != 60 {
			t.Errorf("%d went on, want each once", calls.Load())
		}
	})
}

func TestCrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, o := run(t, &view{took: time.Hour}, nil) // so that nobody is answered meanwhile
		taken := 0
		for i := range maxWaiting + 100 {
			if b.Await(did(i), func() {}) {
				taken++
			}
		}
		if taken != maxWaiting || o.of("skipped") != 100 {
			t.Errorf("%d wait, %v", taken, o)
		}
		<-time.After(Wait)
	})
}

func TestKnown(t *testing.T) {
	for did, want := range map[string]bool{
		"did:plc:aaaaaaaaaaaaaaaaaaaaaaa2": true, "did:web:kai.example": true, "did:plc:short": false,
		"did:plc:AAAAAAAAAAAAAAAAAAAAAAAA": false, "did:web:kai": false, "did:web:a.b/c": false, "did:key:z6": false, "": false,
	} {
		if Known(did) != want {
			t.Errorf("Known(%q) = %v", did, !want)
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	m, now := newMemory(), time.Now()
	for i := range 5 * generation {
		m.put(strconv.Itoa(i), note{Handle: "h", Time: now})
	}
	if n := len(m.young) + len(m.old); n > 2*generation {
		t.Errorf("%d notes", n)
	}
	if _, ok := m.get(strconv.Itoa(5*generation-1), now); !ok {
		t.Error("the newest is forgotten")
	}
}

// brokenShelf is a Shelf that nobody reaches.
type brokenShelf struct{ loads atomic.Int64 }

func (s *brokenShelf) Load(context.Context, string) ([]byte, error) {
	s.loads.Add(1)
	return nil, errors.New("away")
}

func (*brokenShelf) Store(context.Context, string, []byte) error { return nil }

// TestRecall: who reads old posts again finds what is shared, however old, and
// asks neither the AppView nor, again and again, a shelf without an answer.
func TestRecall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var v view
		var s shelf
		old := note{Handle: "ann.example", Name: "Ann", Time: time.Now()}
		s.m.Store(key(did(1)), old.encode())
		<-time.After(2 * sharedFor)
		b := New(Options{Fetch: &v, Shelf: &s, Count: &outcomes{n: map[string]int{}}, Log: slog.New(slog.DiscardHandler), Wait: Wait})
		b.Recall(t.Context(), did(1))
		if p, known := b.Look(did(1)); !known || p.Handle != "ann.example" || p.Name != "Ann" {
			t.Errorf("%+v, %v of a note that is shared", p, known)
		}
		b.Recall(t.Context(), did(2))
		if p, _ := b.Look(did(2)); p.Handle != "" || len(v.asks) > 0 {
			t.Errorf("%+v of somebody nobody knows, after %d questions", p, len(v.asks))
		}
		var away brokenShelf
		b = New(Options{Fetch: &v, Shelf: &away, Count: &outcomes{n: map[string]int{}}, Log: slog.New(slog.DiscardHandler), Wait: Wait})
		for i := range 10 {
			b.Recall(t.Context(), did(i))
		}
		if n := away.loads.Load(); n != 1 {
			t.Errorf("a shelf that is away was asked %d times", n)
		}
	})
}
