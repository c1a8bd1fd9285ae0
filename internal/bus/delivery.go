package bus

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// ErrStale is told to whoever settles a message whose stream or consumer was
// found deleted since. If it still exists it comes again.
var ErrStale = errors.New("delivered by a consumer that is gone")

// errRewound is told when a sequence comes that belonged to another message.
var errRewound = errors.New("the stream has lost its end")

// Delivery is a message handed to one member of a durable consumer. Exactly
// one of Ack, Retry and Term must be called, from any goroutine.
type Delivery struct {
	Stored
	// Deliveries counts this one: 1 the first time.
	Deliveries uint64
	// Pending is how many messages of the consumer were waiting behind it.
	Pending uint64

	reply string // takes the verdict
	in    *incarnation
}

// The verdicts as the server reads them (NATS ADR-15). The delay in nanoseconds
// or the reason follows where there is one.
const (
	verdictAck  = "+ACK"
	verdictNak  = "-NAK"
	verdictTerm = "+TERM"
)

// Ack settles it. Plain ack: if it is lost the message comes again.
func (d *Delivery) Ack() error {
	return d.settle(d.in.metrics.acked, verdictAck)
}

// Retry has it delivered again after delay; 0 is at once.
func (d *Delivery) Retry(delay time.Duration) error {
	verdict := verdictNak
	if delay > 0 {
		verdict += fmt.Sprintf(` {"delay": %d}`, delay.Nanoseconds())
	}
	return d.settle(d.in.metrics.retried, verdict)
}

// Term settles it as never to be delivered again. reason goes to the server's
// advisory.
func (d *Delivery) Term(reason string) error {
	return d.settle(d.in.metrics.termed, verdictTerm+" "+reason)
}

// settle sends the verdict, unless it could reach another message: the number
// of an incarnation that is gone means something else to the next one.
func (d *Delivery) settle(count prometheus.Counter, verdict string) error {
	d.in.release(d.Seq) // first: a message that is to be retried may come at once
	if !d.in.live.Load() {
		return fmt.Errorf("bus: settle message %d of %s: %w", d.Seq, d.in.stream, ErrStale)
	}
	if err := d.in.conn.nc.Publish(d.reply, []byte(verdict)); err != nil {
		return fmt.Errorf("bus: settle message %d of %s: %w", d.Seq, d.in.stream, err)
	}
	count.Inc()
	return nil
}

// incarnation is one life of a stream, and what this process has in work of it.
// A stream that has lost its end, in a crash of the server's machine or by the
// restoring of a backup, begins another one: it gives the same sequences again.
type incarnation struct {
	conn    *Conn
	stream  string
	epoch   string
	metrics *consumerMetrics
	// from is what the deliveries are pulled by at present, and work how many
	// bytes of them are handed out and not settled.
	from atomic.Pointer[pull]
	work atomic.Int64
	// live is false while it is not known that the stream and the consumer
	// still are those the deliveries came from.
	live atomic.Bool

	mu   sync.Mutex
	held map[uint64]inWork // by sequence
	// floor is the highest ack floor that was seen, over all consumers of this
	// name: everything up to it has been settled.
	floor uint64
	// told is the end of the last range that was reported as dropped.
	told uint64
	// top is the highest sequence that was handed out.
	top uint64
}

// inWork is a message that was handed out and is not settled.
type inWork struct {
	stored time.Time
	bytes  int
}

func newIncarnation(c *Conn, stream, epoch string, m *consumerMetrics) *incarnation {
	return &incarnation{conn: c, stream: stream, epoch: epoch, metrics: m, held: map[uint64]inWork{}}
}

// hold marks a message as being in work; false if it is already. errRewound if
// another message of that sequence is.
func (in *incarnation) hold(seq uint64, stored time.Time, bytes int) (ok bool, err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if has, ok := in.held[seq]; ok {
		if !has.stored.Equal(stored) {
			return false, errRewound
		}
		return false, nil
	}
	in.held[seq] = inWork{stored, bytes}
	in.top = max(in.top, seq)
	in.work.Add(int64(bytes))
	return true, nil
}

// release is told that a sequence is no longer in work.
func (in *incarnation) release(seq uint64) {
	in.mu.Lock()
	in.work.Add(-int64(in.held[seq].bytes))
	delete(in.held, seq)
	in.mu.Unlock()
	if p := in.from.Load(); p != nil {
		p.settled()
	}
}

// reached is the highest sequence that the stream is known to have had.
func (in *incarnation) reached() uint64 {
	in.mu.Lock()
	defer in.mu.Unlock()
	return max(in.top, in.floor)
}

// raise lifts the floor; it returns the floor then.
func (in *incarnation) raise(floor uint64) uint64 {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.floor = max(in.floor, floor)
	return in.floor
}

// untold cuts from a range what was reported before, and counts the rest as
// reported; ok is false if nothing is left.
func (in *incarnation) untold(from, to uint64) (first uint64, ok bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	first = max(from, in.told+1)
	if first > to {
		return 0, false
	}
	in.told = to
	return first, true
}
