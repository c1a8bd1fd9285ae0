package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/feed"
)

// Maker makes the messages of an item's events, as they are for EVENTS. An
// error says that the item is bad.
type Maker interface {
	Make(m *bus.Stored) ([]bus.Msg, error)
}

// Options say what is worked on, and where to.
type Options struct {
	// From and To bound the items of RAW; no place is its beginning, or its end
	// when the replay began. From is included; so is To if it is a sequence.
	From, To Place
	// Speed is how many times as fast as it came; 0 is as fast as possible.
	Speed float64
	// Run names the run in REPLAY. A run that exists is refused, unless Continue
	// (add what it lacks) or Overwrite (delete it first) says otherwise.
	Run                 string
	Continue, Overwrite bool
	// Heal fills holes in EVENTS, instead of a run. Refill also fills what the
	// limits of EVENTS may have removed.
	Heal, Refill bool
	// Progress receives a line now and then.
	Progress io.Writer
}

// ErrRunExists is told for a run that REPLAY holds already.
var ErrRunExists = errors.New("replay: the run exists: take another name, or give --continue or --overwrite")

// Check finds options that cannot work.
func (o *Options) Check() error {
	switch {
	case !o.Heal && !feed.ValidRun(o.Run):
		return fmt.Errorf("replay: run %q must be 1 to 63 letters, digits, _ and -", o.Run)
	case !(o.Speed >= 0):
		return errors.New("replay: speed must be 0 (as fast as possible) or more")
	case !o.From.Time.IsZero() && !o.To.Time.IsZero() && !o.From.Time.Before(o.To.Time),
		o.From.Seq > 0 && o.To.Seq > 0 && o.From.Seq > o.To.Seq:
		return errors.New("replay: the range ends before it begins")
	}
	return nil
}

// job is one replay.
type job struct {
	Options
	conn  *bus.Conn
	maker Maker
	span  span
	known known
	// prefix starts the message ids of a run.
	prefix string
	pub    *bus.Publisher
	stored atomic.Uint64
	failed atomic.Uint64
	sum    Summary
	meter  meter
	pace   pace
}

// Run replays until everything is done or ctx ends; then Summary.Interrupted is
// set, and what was on its way has been stored.
func Run(ctx context.Context, conn *bus.Conn, maker Maker, o Options) (Summary, error) {
	if err := o.Check(); err != nil {
		return Summary{}, err
	}
	j := &job{Options: o, conn: conn, maker: maker, known: known{}, pace: pace{speed: o.Speed}}
	if !o.Heal {
		j.prefix = o.Run + "." + strconv.FormatInt(time.Now().UnixNano(), 36) + " "
		return j.run(ctx, feed.StreamReplay, j.openRun)
	}
	return j.healing(ctx)
}

// healTTL is how soon the next healing may begin after one that died.
const healTTL = 5 * time.Second

// healing runs as the only one: two at a time would find the same holes.
func (j *job) healing(ctx context.Context) (sum Summary, err error) {
	host, _ := os.Hostname() // its name is only to be told
	lease := j.conn.Lease("enrich.heal", host+" "+strconv.Itoa(os.Getpid()), healTTL)
	holder, err := lease.Holder(ctx)
	if err != nil {
		return sum, fmt.Errorf("replay: %w", err)
	}
	if holder != "" {
		return sum, fmt.Errorf("replay: %s heals already: wait until that has ended", holder)
	}
	err = lease.Run(ctx, func(ctx context.Context, _ uint64) (err error) {
		sum, err = j.run(ctx, feed.StreamEvents, j.openEvents)
		return err
	})
	return sum, err
}

// run works from beginning to end.
func (j *job) run(ctx context.Context, target string, open func(context.Context, bus.StreamState) error) (Summary, error) {
	if err := j.findSpan(ctx); err != nil {
		return j.sum, err
	}
	before, err := j.conn.Stream(ctx, target)
	if err != nil {
		return j.sum, fmt.Errorf("replay: %w", err)
	}
	if err := open(ctx, before); err != nil {
		return j.sum, err
	}
	j.sum.From, j.sum.To = j.span.from, j.span.to
	if j.span.from > j.span.to {
		return j.sum, nil // all of it was left out
	}
	if j.pub, err = j.conn.NewPublisher(bus.PublisherOptions{Stream: target}); err != nil {
		return j.sum, fmt.Errorf("replay: %w", err)
	}
	defer j.pub.Close()
	err = j.work(ctx)
	return j.close(ctx, target, before, err)
}

// openRun sees what the run holds.
func (j *job) openRun(ctx context.Context, replay bus.StreamState) error {
	subjects := feed.ReplaySubjects(j.Run)
	first, err := j.conn.Range(ctx, feed.StreamReplay, 1, 1, subjects)
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	switch {
	case len(first) == 0:
		return nil
	case j.Overwrite:
		if err := j.conn.Purge(ctx, feed.StreamReplay, subjects); err != nil {
			return fmt.Errorf("replay: %w", err)
		}
		return nil
	case j.Continue:
		return j.learn(ctx, feed.StreamReplay, first[0].Seq, replay.LastSeq, subjects)
	}
	return fmt.Errorf("%w (%s)", ErrRunExists, j.Run)
}

// openEvents sees what EVENTS holds.
func (j *job) openEvents(ctx context.Context, events bus.StreamState) error {
	if err := j.narrow(ctx, events); err != nil {
		return err
	}
	if j.span.from > j.span.to {
		return nil
	}
	return j.readEvents(ctx, events)
}

// work goes through the items.
func (j *job) work(ctx context.Context) error {
	j.meter = meter{out: j.Progress, began: time.Now()}
	next := j.span.from
	err := j.conn.Each(ctx, feed.StreamRaw, j.span.from, j.span.to, func(m *bus.Stored) error {
		if err := j.missed(ctx, next, m.Seq); err != nil {
			return err
		}
		if err := j.pace.wait(ctx, m.Time); err != nil {
			return err
		}
		if err := j.item(ctx, m); err != nil {
			return err
		}
		j.sum.Last, next = m.Seq, m.Seq+1
		j.meter.tell(j)
		return nil
	})
	if err != nil {
		return err
	}
	return j.missed(ctx, next, j.span.to+1)
}

// missed counts what RAW's limits have removed meanwhile of the items from next
// on, up to the one that was read instead: RAW goes on filling while a replay
// reads it at its own pace. What was removed one by one is nobody's loss.
func (j *job) missed(ctx context.Context, next, read uint64) error {
	if read == next {
		return nil
	}
	raw, err := j.conn.Stream(ctx, feed.StreamRaw)
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	if first := min(raw.FirstSeq, read); first > next {
		j.sum.Missed += first - next
	}
	return nil
}

// item publishes what is missing of one item's events.
func (j *job) item(ctx context.Context, m *bus.Stored) error {
	j.sum.Items++
	msgs, err := j.maker.Make(m)
	if err != nil {
		j.sum.Bad++
		return nil //nolint:nilerr // a bad item is counted, and stops nothing
	}
	missing := msgs[:0]
	for _, msg := range msgs {
		if !j.known.add(msg.ID) {
			j.sum.Known++
			continue
		}
		if !j.Heal {
			msg.Subject, msg.ID = feed.ReplaySubject(j.Run, feed.KindOf(msg.Subject)), j.prefix+msg.ID
		}
		missing = append(missing, msg)
	}
	if len(missing) == 0 {
		return nil
	}
	return j.pub.Publish(ctx, missing, func(err error) {
		if err != nil {
			j.failed.Add(uint64(len(missing)))
			return
		}
		j.stored.Add(uint64(len(missing)))
	})
}

// flushTimeout bounds how long a replay that was asked to stop waits for what
// is on its way.
const flushTimeout = 10 * time.Second

// close has everything stored, and sums up.
func (j *job) close(ctx context.Context, target string, before bus.StreamState, err error) (Summary, error) {
	j.sum.Took = time.Since(j.meter.began)
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	j.sum.Resume = max(j.sum.Last, j.sum.From)
	if err != nil && ctx.Err() != nil && !errors.Is(context.Cause(ctx), bus.ErrLeaseLost) {
		j.sum.Interrupted, err = true, nil
	}
	if flushed := j.pub.Flush(ending); flushed != nil {
		j.sum.Resume = j.sum.From
		err = errors.Join(err, fmt.Errorf("replay: %w", flushed))
	}
	j.sum.Events, j.sum.Refused = j.stored.Load(), j.failed.Load()
	if err != nil {
		return j.sum, err
	}
	if after, e := j.conn.Stream(ending, target); e == nil && after.FirstSeq > before.LastSeq+1 {
		j.sum.Dropped = after.FirstSeq - before.LastSeq - 1
	}
	return j.sum, nil
}
