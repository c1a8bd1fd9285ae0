package profiles

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

const (
	// Batch is the most authors that the AppView tells of at once.
	Batch = 25
	// collect is how long a batch that is not full waits for more.
	collect = 100 * time.Millisecond
	// Wait is how long somebody waits for an answer at most, if nothing else is
	// said.
	Wait = 500 * time.Millisecond
	// MaxWait is the longest that may be said: well below the time after which
	// an item is delivered again.
	MaxWait = 10 * time.Second
	// Rate is the least time between two requests: eight a second, below the
	// ten that the service documents for one address.
	Rate = 125 * time.Millisecond
	// atOnce is how many requests may be under way, each of which may take
	// longer than Rate.
	atOnce = 4
	// maxWaiting bounds who waits. Beyond it names are less important than
	// that a backlog gets shorter.
	maxWaiting = 2000
	// shareFor bounds how long the answer to a request may take to be shared; who
	// is asked to stop still does, or the next would have to ask again.
	shareFor = 2 * time.Second
	// maxNews bounds what waits to be shared.
	maxNews = 256
	// Pauses after a request that failed: doubled each time.
	firstPause = 5 * time.Second
	maxPause   = 5 * time.Minute
)

// Fetcher asks the AppView. What it does not know is missing from the answer.
type Fetcher interface {
	Fetch(ctx context.Context, dids []string) (map[string]Profile, error)
}

// Shelf is where replicas share notes, by key.
type Shelf interface {
	Load(ctx context.Context, key string) ([]byte, error)
	Store(ctx context.Context, key string, value []byte) error
}

// Counter is told what became of each question: "memory", "shared", "asked",
// "nobody", "failed" (the AppView gave no answer), "late" (it came after who
// asked had gone on) or "skipped" (too many waited).
type Counter interface{ Profile(outcome string) }

// Options make a Book.
type Options struct {
	Fetch Fetcher
	Shelf Shelf // nil: shared with nobody
	Count Counter
	Log   *slog.Logger
	// Wait is how long somebody waits for an answer at most.
	Wait time.Duration
}

// Book knows authors.
type Book struct {
	o    Options
	wake chan struct{}
	slot chan struct{} // one for each request under way
	news chan tidings  // what events told, to be shared

	mu      sync.Mutex
	running bool
	memory  memory
	asked   map[string]*question
	queue   []string
	waiting int
	next    time.Time // before which no request begins
	paused  time.Time // until when nobody is asked
	pause   time.Duration
}

// question is one author who is being looked up.
type question struct {
	done  []func()
	late  bool
	timer *time.Timer
}

// tidings is an author's note for the shelf.
type tidings struct {
	did string
	note
}

// New makes a Book; Run it.
func New(o Options) *Book {
	return &Book{
		o: o, wake: make(chan struct{}, 1), slot: make(chan struct{}, atOnce), news: make(chan tidings, maxNews),
		memory: newMemory(), asked: map[string]*question{},
	}
}

// Look finds an author in memory. known is true for nobody, too.
func (b *Book) Look(did string) (p Profile, known bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, ok := b.memory.get(did, time.Now())
	return Profile{n.Handle, n.Name}, ok
}

// Await has an author looked up, and reports whether done will be called: once,
// from another goroutine, when the author is known or cannot be, and within
// Options.Wait. It is false if there is no use in waiting.
func (b *Book) Await(did string, done func()) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.running || !Known(did) || time.Now().Before(b.paused) {
		return false
	}
	q := b.asked[did]
	if b.waiting >= maxWaiting || q != nil && q.late {
		b.o.Count.Profile("skipped")
		return false
	}
	if q == nil {
		q = &question{}
		q.timer = time.AfterFunc(b.o.Wait, func() { b.expire(did, q) })
		b.asked[did] = q
		b.queue = append(b.queue, did)
		b.rouse()
	}
	q.done = append(q.done, done)
	b.waiting++
	return true
}

// rouse wakes Run.
func (b *Book) rouse() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// expire lets those go on who have waited long enough.
func (b *Book) expire(did string, q *question) {
	b.mu.Lock()
	var done []func()
	if b.asked[did] == q {
		done, q.done, q.late = q.done, nil, true
		b.waiting -= len(done)
	}
	b.mu.Unlock()
	for _, f := range done {
		b.o.Count.Profile("late")
		f()
	}
}

// settle ends the question of an author, and lets go on who waited.
func (b *Book) settle(did, outcome string) {
	b.mu.Lock()
	var done []func()
	if q := b.asked[did]; q != nil {
		q.timer.Stop()
		done = q.done
		b.waiting -= len(done)
		delete(b.asked, did)
	}
	b.mu.Unlock()
	b.o.Count.Profile(outcome)
	for _, f := range done {
		f()
	}
}

// Learn takes note of what an event tells: a handle, or a name, or, if both are
// empty, that something has changed.
func (b *Book) Learn(did, handle, name string) {
	b.mu.Lock()
	n, ok := b.memory.get(did, time.Now())
	switch {
	case handle == "" && name == "":
		b.memory.drop(did)
		ok = false
	case ok && n.Handle != "":
		if handle != "" {
			n.Handle = handle
		}
		if name != "" {
			n.Name = name
		}
		n.Time = time.Now()
		b.memory.put(did, n)
	default: // half of a profile is none
		ok = false
	}
	b.mu.Unlock()
	if !ok {
		return
	}
	select {
	case b.news <- tidings{did, n}:
	default: // the others learn it when theirs is too old
	}
}

// Recall has Look find what the shelf knows of an author, and asks nobody: for
// whoever reads old posts once more. A note counts however old it is, since it is
// nearer to what the post's author was called than none. It waits for the shelf,
// unless that has just failed.
func (b *Book) Recall(ctx context.Context, did string) {
	b.mu.Lock()
	_, known := b.memory.get(did, time.Now())
	useless := known || b.running || time.Now().Before(b.paused)
	b.mu.Unlock()
	if useless || b.o.Shelf == nil || !Known(did) {
		return
	}
	value, err := b.o.Shelf.Load(ctx, key(did))
	if err != nil {
		b.failed(ctx, err)
		return
	}
	n, err := decodeNote(value)
	if err != nil {
		n = note{} // nobody, as far as is known
	}
	n.Time = time.Now() // when memory learnt it
	b.keep(did, n)
}

// share puts a note on the shelf. Without it the others ask themselves.
func (b *Book) share(ctx context.Context, did string, n note) {
	if b.o.Shelf == nil {
		return
	}
	if err := b.o.Shelf.Store(ctx, key(did), n.encode()); err != nil && ctx.Err() == nil {
		b.o.Log.Debug("profile not shared", slog.String("error", err.Error()))
	}
}

// Start lets Await take questions. Run must follow.
func (b *Book) Start() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.running = true
}

// Run looks authors up until ctx ends; then everybody who waits goes on. It
// asks nobody anything before somebody has asked it.
func (b *Book) Run(ctx context.Context) {
	var requests sync.WaitGroup
	requests.Go(func() { b.telling(ctx) })
	for b.gather(ctx) {
		batch := b.take()
		select {
		case b.slot <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		requests.Go(func() {
			defer func() { <-b.slot }()
			b.resolve(ctx, batch)
		})
	}
	b.mu.Lock()
	b.running = false
	var left []string
	for did := range b.asked {
		left = append(left, did)
	}
	b.mu.Unlock()
	for _, did := range left {
		b.settle(did, "failed")
	}
	requests.Wait()
}

// telling shares what events told, until ctx ends.
func (b *Book) telling(ctx context.Context) {
	for {
		select {
		case t := <-b.news:
			b.share(ctx, t.did, t.note)
		case <-ctx.Done():
			return
		}
	}
}

// gather waits for a batch: until it is full, or has waited long enough. False
// says that ctx has ended.
func (b *Book) gather(ctx context.Context) bool {
	var ripe <-chan time.Time
	for {
		n := b.queued()
		if n >= Batch {
			return ctx.Err() == nil
		}
		if n > 0 && ripe == nil {
			timer := time.NewTimer(collect)
			defer timer.Stop()
			ripe = timer.C
		}
		select {
		case <-b.wake:
		case <-ripe:
			return ctx.Err() == nil
		case <-ctx.Done():
			return false
		}
	}
}

func (b *Book) queued() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.queue)
}

// take takes a batch from the queue.
func (b *Book) take() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := min(Batch, len(b.queue))
	batch := b.queue[:n:n]
	b.queue = b.queue[n:]
	return batch
}

// resolve looks a batch up: first on the shelf, the rest at the AppView.
func (b *Book) resolve(ctx context.Context, batch []string) {
	var ask []string
	for _, did := range batch {
		if n, ok := b.shared(ctx, did); ok {
			n.Time = time.Now() // when memory learnt it
			b.keep(did, n)
			b.settle(did, "shared")
			continue
		}
		ask = append(ask, did)
	}
	b.ask(ctx, ask)
}

// shared finds a note on the shelf.
func (b *Book) shared(ctx context.Context, did string) (note, bool) {
	if b.o.Shelf == nil {
		return note{}, false
	}
	value, err := b.o.Shelf.Load(ctx, key(did))
	if err != nil || len(value) == 0 {
		return note{}, false // the AppView knows, too
	}
	n, err := decodeNote(value)
	return n, err == nil && n.fresh(time.Now(), sharedFor)
}

func (b *Book) keep(did string, n note) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.memory.put(did, n)
}

// ask asks the AppView, when it may. A batch that is refused for one of its
// authors is asked for in halves.
func (b *Book) ask(ctx context.Context, batch []string) {
	if len(batch) == 0 {
		return
	}
	if !b.turn(ctx) {
		b.giveUp(batch)
		return
	}
	found, err := b.o.Fetch.Fetch(ctx, batch)
	if errors.Is(err, ErrRefused) && len(batch) > 1 {
		b.ask(ctx, batch[:len(batch)/2])
		b.ask(ctx, batch[len(batch)/2:])
		return
	}
	if err != nil && !errors.Is(err, ErrRefused) {
		b.failed(ctx, err)
		b.giveUp(batch)
		return
	}
	b.mu.Lock()
	b.pause = 0
	b.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shareFor)
	defer cancel()
	for _, did := range batch {
		p := found[did]
		n := note{Handle: p.Handle, Name: p.Name, Time: time.Now()}
		b.keep(did, n)
		outcome := "asked"
		if p.Handle == "" {
			outcome = "nobody"
		}
		b.settle(did, outcome)
		b.share(ctx, did, n)
	}
}

// giveUp lets those go on who wait for a batch.
func (b *Book) giveUp(batch []string) {
	for _, did := range batch {
		b.settle(did, "failed")
	}
}

// turn waits until a request may begin. False says that none may: ctx has
// ended, or the AppView is left alone for a while.
func (b *Book) turn(ctx context.Context) bool {
	b.mu.Lock()
	now := time.Now()
	at := b.next
	if at.Before(now) {
		at = now
	}
	paused := now.Before(b.paused)
	if !paused {
		b.next = at.Add(Rate)
	}
	b.mu.Unlock()
	if paused {
		return false
	}
	timer := time.NewTimer(at.Sub(now))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// failed leaves the AppView alone for a while, longer each time.
func (b *Book) failed(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	b.mu.Lock()
	b.pause = min(max(2*b.pause, firstPause), maxPause)
	wait := b.pause
	if asked, ok := errors.AsType[*BusyError](err); ok {
		wait = max(wait, asked.After)
	}
	b.paused = time.Now().Add(wait)
	b.mu.Unlock()
	b.o.Log.Warn("no names of authors for a while", slog.Duration("retry_in", wait), slog.String("error", err.Error()))
}
