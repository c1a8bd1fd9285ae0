package dead

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/feed"
)

// Redrive says what is put back.
type Redrive struct {
	Filter bus.DeadFilter
	// Source takes letters that do not say where they came from; "" leaves them.
	Source string
	// DryRun only tells what would be put back.
	DryRun bool
}

// Result is what Redrive.Run did.
type Result struct {
	// Chosen letters; those put back; those that could not be.
	Chosen, Back, Failed int
}

// window bounds how many letters are on their way; each may be a few MB.
const window = 64

// Run puts the chosen letters back into RAW and deletes each from DEAD when it
// is stored. It prints a line for each letter that cannot be put back, which
// stays in DEAD. When ctx ends it stops where it is; running it again goes on.
func (r Redrive) Run(ctx context.Context, conn *bus.Conn, out io.Writer) (Result, error) {
	pub, err := conn.NewPublisher(bus.PublisherOptions{Stream: feed.StreamRaw, Window: window})
	if err != nil {
		return Result{}, fmt.Errorf("dead: %w", err)
	}
	defer pub.Close()
	d := &drive{Redrive: r, ctx: ctx, conn: conn, pub: pub, out: out, stored: make(chan *bus.Letter, window)}
	var deleting sync.WaitGroup
	deleting.Go(d.forget)
	err = each(ctx, conn, r.Filter, d.take)
	err = errors.Join(err, pub.Flush(ctx))
	pub.Close()
	close(d.stored)
	deleting.Wait()
	return d.result, err
}

// drive is one Run.
type drive struct {
	Redrive
	ctx    context.Context //nolint:containedctx // of the one Run this lives in
	conn   *bus.Conn
	pub    *bus.Publisher
	stored chan *bus.Letter // to be deleted

	mu     sync.Mutex
	out    io.Writer
	result Result
}

// take puts one letter on its way.
func (d *drive) take(l *bus.Letter) error {
	d.count(func(r *Result) { r.Chosen++ })
	if d.Source != "" {
		l.From(d.Source)
	}
	msg, err := l.Again()
	if err != nil {
		d.failed(l, err)
		return nil
	}
	if d.DryRun {
		return nil
	}
	return d.pub.Publish(d.ctx, []bus.Msg{msg}, func(err error) {
		if err != nil {
			d.failed(l, err)
			return
		}
		d.stored <- l
	})
}

// forget deletes letters that RAW has stored.
func (d *drive) forget() {
	for l := range d.stored {
		// What is stored is deleted even if that was asked to stop meanwhile.
		if err := d.conn.Forget(context.WithoutCancel(d.ctx), l); err != nil {
			d.failed(l, fmt.Errorf("it is in RAW, but stays in DEAD: %w", err))
			continue
		}
		d.count(func(r *Result) { r.Back++ })
	}
}

func (d *drive) failed(l *bus.Letter, err error) {
	d.count(func(r *Result) {
		r.Failed++
		fmt.Fprintf(d.out, "letter %d: %v\n", l.Seq, err)
	})
}

func (d *drive) count(change func(*Result)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change(&d.result)
}
