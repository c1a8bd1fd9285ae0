package tail

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Options bounds a Tail.
type Options struct {
	// Bytes is about how much memory the log may take; two segments at least.
	Bytes int64
	// Window is how long events are collected before readers see them. The
	// first event after a quiet window is seen at once. 0: no collecting.
	Window time.Duration
	// Wake, if not nil, is fired whenever readers can see more: for a writer
	// that serves the readers of several logs.
	Wake *Signal
}

// Tail is the log. Its methods may be called from anywhere; that sequences grow
// is up to the one who appends.
type Tail struct {
	window time.Duration
	limit  int64
	kinds  *kindTable
	// slots holds the segment with number n at n modulo its length.
	slots []atomic.Pointer[segment]
	// oldest is the number of the oldest segment still kept.
	oldest atomic.Uint64
	// changed and wake are fired, and version counted up, whenever readers can
	// see more.
	changed *Signal
	wake    *Signal
	version atomic.Uint64

	mu         sync.Mutex
	epoch      string
	generation uint64
	// floor is the lowest sequence that a reader can start from; next is the
	// one after the newest event.
	floor, next uint64
	current     *segment
	bytes       int64
	events      uint64
	// staged is the oldest segment with something that is not published yet.
	staged    uint64
	dirty     bool
	published time.Time
	timer     *time.Timer
	armed     bool
}

// New makes an empty log. Reset it before anything else.
func New(o Options) *Tail {
	limit := max(o.Bytes, 2*(segmentBytes+segmentEntries*entryBytes))
	t := &Tail{
		window:  o.Window,
		limit:   limit,
		kinds:   newKindTable(),
		changed: NewSignal(),
		wake:    o.Wake,
		floor:   1,
		next:    1,
		slots:   make([]atomic.Pointer[segment], limit/(segmentBytes+segmentEntries*entryBytes)+2),
	}
	t.timer = time.AfterFunc(time.Hour, t.windowOver)
	t.timer.Stop()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.begin(segmentBytes)
	return t
}

// Flush makes what was appended readable now.
func (t *Tail) Flush() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.timer.Stop()
	t.publish(time.Now())
}

// Reset says that what follows belongs to epoch and starts at sequence start,
// which may be lower than before, even if the epoch is the same.
// What is in the log stays readable for readers that have not had it yet;
// notice, if not nil, is what they get between the two.
func (t *Tail) Reset(epoch string, start uint64, notice []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.epoch, t.floor, t.next = epoch, start, start
	t.generation++
	t.begin(segmentBytes)
	t.current.notice = slices.Clone(notice)
	t.touch()
}

// Append adds the event with sequence seq, which must grow. encoded is copied.
func (t *Tail) Append(seq uint64, kind string, encoded []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.add(seq, t.kinds.id(kind), encoded)
	t.next = seq + 1
	t.events++
	t.touch()
}

// Notice adds bytes that every reader gets, whatever it filters. next is the
// sequence that readers want after it: higher than before if the notice stands
// for events that are missing.
func (t *Tail) Notice(next uint64, encoded []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	next = max(t.next, next)
	t.add(next, control, encoded)
	t.next = next
	t.touch()
}

// Advance says that there is nothing to append below sequence next: readers
// that have had everything are then behind it, which nobody is woken for.
func (t *Tail) Advance(next uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next = max(t.next, next)
	if !t.dirty {
		t.current.reached.Store(t.next)
	}
}

// add writes an entry, beginning a segment if it does not fit.
func (t *Tail) add(seq uint64, kind uint32, encoded []byte) {
	if !t.current.fits(len(encoded)) {
		t.begin(max(segmentBytes, len(encoded)))
	}
	t.current.add(seq, kind, encoded)
}

// begin starts a segment with room for size bytes and drops the oldest ones
// that are too much. A segment without entries is replaced: only the newest
// may be empty, which keeps the search among them simple.
func (t *Tail) begin(size int) {
	// When an empty segment is replaced, so is what was to be said in it.
	s := &segment{generation: t.generation, epoch: t.epoch, floor: t.next, buf: make([]byte, size)}
	switch c := t.current; {
	case c == nil:
	case c.count == 0:
		s.number = c.number
		t.bytes -= c.size()
	default:
		s.number = c.number + 1
	}
	t.bytes += s.size()
	for t.bytes > t.limit && t.oldest.Load() < s.number {
		t.evict(s)
	}
	t.slots[s.number%uint64(len(t.slots))].Store(s)
	t.current = s
	t.dirty = true
}

// evict drops the oldest segment; coming is the one that takes its room.
func (t *Tail) evict(coming *segment) {
	n := t.oldest.Load()
	slot := &t.slots[n%uint64(len(t.slots))]
	t.bytes -= slot.Load().size()
	following := coming
	if n+1 < coming.number {
		following = t.slots[(n+1)%uint64(len(t.slots))].Load()
	}
	if following.generation == t.generation {
		t.floor = max(t.floor, following.floor)
	}
	t.oldest.Store(n + 1)
	slot.Store(nil)
}

// touch publishes now, or has it done when the window is over.
func (t *Tail) touch() {
	t.dirty = true
	now := time.Now()
	if wait := t.window - now.Sub(t.published); wait <= 0 {
		t.publish(now)
	} else if !t.armed {
		t.armed = true
		t.timer.Reset(wait)
	}
}

// windowOver is the timer's.
func (t *Tail) windowOver() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.publish(time.Now())
}

// publish shows readers everything and wakes them.
func (t *Tail) publish(now time.Time) {
	t.armed = false
	if !t.dirty {
		return
	}
	t.dirty, t.published = false, now
	for n := max(t.staged, t.oldest.Load()); n <= t.current.number; n++ {
		s := t.slots[n%uint64(len(t.slots))].Load()
		s.publish()
		s.sealed.Store(n < t.current.number)
	}
	t.staged = t.current.number
	t.current.reached.Store(t.next)
	t.version.Add(1)
	t.changed.Fire()
	if t.wake != nil {
		t.wake.Fire()
	}
}

// Changed returns a channel that is closed when readers can see more than they
// could at the time of the call. Take it before reading, wait for it after.
func (t *Tail) Changed() <-chan struct{} { return t.changed.Wait() }

// Version counts how often readers came to see more.
func (t *Tail) Version() uint64 { return t.version.Load() }

// State is a Tail at one moment.
type State struct {
	// Epoch is the incarnation of the stream that sequences belong to.
	Epoch string
	// Floor is the lowest sequence a reader can start from, Next the one after
	// the newest event.
	Floor, Next uint64
	// Bytes is the memory the log takes; Events how many were ever appended.
	Bytes  int64
	Events uint64
}

// State tells what the log holds, published or not.
func (t *Tail) State() State {
	t.mu.Lock()
	defer t.mu.Unlock()
	return State{Epoch: t.epoch, Floor: t.floor, Next: t.next, Bytes: t.bytes, Events: t.events}
}
