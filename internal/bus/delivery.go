package bus

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// ErrStale is told to whoever settles a message whose stream or consumer was
// found deleted since. If it still exists it comes again.
var ErrStale = errors.New("delivered by a consumer that is gone")

// Delivery is a message handed to one member of a durable consumer. Exactly
// one of Ack, Retry and Term must be called, from any goroutine.
type Delivery struct {
	Stored
	// Deliveries counts this one: 1 the first time.
	Deliveries uint64
	// Pending is how many messages of the consumer were waiting behind it.
	Pending uint64

	msg jetstream.Msg
	in  *incarnation
}

// Ack settles it. Plain ack: if it is lost the message comes again.
func (d *Delivery) Ack() error {
	return d.settle(d.in.metrics.acked.Inc, d.msg.Ack)
}

// Retry has it delivered again after delay; 0 is at once.
func (d *Delivery) Retry(delay time.Duration) error {
	return d.settle(d.in.metrics.retried.Inc, func() error { return d.msg.NakWithDelay(delay) })
}

// Term settles it as never to be delivered again. reason goes to the server's
// advisory.
func (d *Delivery) Term(reason string) error {
	return d.settle(d.in.metrics.termed.Inc, func() error { return d.msg.TermWithReason(reason) })
}

// settle sends the verdict, unless it could reach another message: the number
// of an incarnation that is gone means something else to the next one.
func (d *Delivery) settle(count func(), send func() error) error {
	d.in.release(d.Seq)
	if !d.in.live.Load() {
		return fmt.Errorf("bus: settle message %d of %s: %w", d.Seq, d.in.stream, ErrStale)
	}
	if err := send(); err != nil {
		return fmt.Errorf("bus: settle message %d of %s: %w", d.Seq, d.in.stream, err)
	}
	count()
	return nil
}

// incarnation is one life of a stream, and what this process has in work of it.
type incarnation struct {
	stream  string
	epoch   string
	metrics *consumerMetrics
	// live is false while it is not known that the stream and the consumer
	// still are those the deliveries came from.
	live atomic.Bool

	mu   sync.Mutex
	held map[uint64]struct{}
	// floor is the highest ack floor that was seen, over all consumers of this
	// name: everything up to it has been settled.
	floor uint64
	// told is the end of the last range that was reported as dropped.
	told uint64
}

func newIncarnation(stream, epoch string, m *consumerMetrics) *incarnation {
	return &incarnation{stream: stream, epoch: epoch, metrics: m, held: map[uint64]struct{}{}}
}

// hold marks a sequence as being in work; false if it is already.
func (in *incarnation) hold(seq uint64) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	if _, ok := in.held[seq]; ok {
		return false
	}
	in.held[seq] = struct{}{}
	return true
}

func (in *incarnation) release(seq uint64) {
	in.mu.Lock()
	defer in.mu.Unlock()
	delete(in.held, seq)
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
