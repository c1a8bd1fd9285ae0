package demo

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/simulate"
	"github.com/blipstream/blipstream/services/ingest/source"
)

// Open is the source.Opener of demo: URLs.
func Open(c source.Config) (source.Source, error) {
	o, err := parse(c.URL)
	if err != nil {
		return nil, err
	}
	world, err := simulate.NewWorld(simulate.WorldOptions{
		Seed: o.seed, Geo: o.geo, Malformed: o.malformed, Epoch: o.start,
		Gap: time.Duration(float64(time.Second) / o.rate),
	})
	if err != nil {
		return nil, fmt.Errorf("demo: make world: %w", err)
	}
	return &demo{options: o, name: c.Name, world: world, observer: c.Observe()}, nil
}

// demo is a source whose upstream is made up on the spot.
type demo struct {
	options
	name     string
	world    *simulate.World
	observer source.Observer
}

// Stream implements source.Source.
func (d *demo) Stream(ctx context.Context, from feed.Cursor, emit func(feed.Item) error) error {
	r, err := d.reading(from)
	if err != nil {
		return &source.Error{Cause: source.CauseFatal, Err: err}
	}
	d.observer.Connected()
	r.emit = emit
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for due := d.greeting(); ; due = r.pace.due(time.Now()) {
		if err := r.batch(ctx, due); err != nil {
			return err
		}
		if r.done() {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// greeting is how many items come at once, so that a page that has just been
// opened is not empty: those of half a second.
func (d *demo) greeting() int { return max(1, int(min(d.rate/2, maxGreeting))) }

// maxGreeting bounds what comes at once.
const maxGreeting = 500

// reading is one call of Stream.
type reading struct {
	*demo
	position
	world *simulate.World // with the position's epoch
	pace  *pace
	emit  func(feed.Item) error
	slab  []byte
}

// reading starts at a cursor, or without one in a world that begins now.
func (d *demo) reading(from feed.Cursor) (*reading, error) {
	now := time.Now()
	at := position{epoch: now.Truncate(time.Millisecond)}
	if !d.start.IsZero() {
		at.epoch = d.start
	}
	if from != "" {
		var err error
		if at, err = parseCursor(from); err != nil {
			return nil, err
		}
	}
	world, err := d.world.From(at.epoch)
	if err != nil {
		return nil, err
	}
	return &reading{demo: d, position: at, world: world, pace: newPace(d.options, now)}, nil
}

// done reports whether the last of n items was emitted.
func (r *reading) done() bool { return r.n > 0 && r.next >= r.n }

// batch emits so many items, as far as there are any.
func (r *reading) batch(ctx context.Context, due int) error {
	now := time.Now()
	for range due {
		if r.done() {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.emit(r.item(now)); err != nil {
			return err
		}
	}
	return nil
}

// item makes the next item.
func (r *reading) item(now time.Time) feed.Item {
	n := r.next
	r.next++
	return feed.Item{
		ID:     strconv.FormatUint(r.world.ID(n), 10),
		Source: r.name, Format: feed.FormatTwitterV1, Received: now,
		Cursor: r.cursor(), Data: r.data(n, now),
	}
}

const (
	// slabSize holds some twenty items, so that memory is asked for rarely and
	// one item that is kept long does not keep much else.
	slabSize = 64 << 10
	// roomy is more than almost any item needs.
	roomy = 8 << 10
)

// data makes the bytes of item n; nobody else ever writes to them.
func (r *reading) data(n uint64, now time.Time) []byte {
	if cap(r.slab)-len(r.slab) < roomy {
		r.slab = make([]byte, 0, slabSize)
	}
	from := len(r.slab)
	if r.start.IsZero() {
		r.slab = r.world.AppendAt(r.slab, n, now)
	} else {
		r.slab = r.world.Append(r.slab, n)
	}
	return r.slab[from:len(r.slab):len(r.slab)]
}
