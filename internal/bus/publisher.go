package bus

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
)

const (
	defaultWindow      = 4096
	defaultWindowBytes = 64 * mib
)

// Msg is a message to publish.
type Msg struct {
	Subject string
	// ID becomes Nats-Msg-Id: the server stores it once per dedupe window.
	ID     string
	Header Header
	// Own says that nobody else writes to Header or reads it while the message
	// is on its way: it is not copied, and what the publisher adds goes into it.
	Own  bool
	Data []byte
}

// PublisherOptions bounds what a Publisher holds.
type PublisherOptions struct {
	// Window is how many messages, and WindowBytes how many bytes, may be taken
	// and not yet settled before Publish blocks. Defaults 4096 and 64 MiB. A
	// batch that is larger than the whole window is taken alone.
	Window      int
	WindowBytes int64
	// Stream that must store the messages.
	Stream string
}

// What done and Publish are told, beside the end of a context.
var (
	// ErrTooLarge is told for a message larger than the server or stream takes.
	ErrTooLarge = errors.New("message is larger than the server takes")
	// ErrClosed is told for what a publisher had not settled when it was closed.
	ErrClosed = errors.New("publisher is closed")
)

// Publisher publishes batches asynchronously and publishes again under the
// same ids until they are stored, however long the server is away. The server
// drops what it has stored before, as long as it lies within the stream's
// dedupe window.
//
// It does not use jetstream's PublishAsync: that fails every message in flight
// when the connection breaks and gives up by itself after some retries, so its
// futures have to be published again by someone who still holds the messages.
// Holding them in one window, with one reply inbox and no timer, channel or
// goroutine per message, is both simpler and faster.
type Publisher struct {
	conn    *Conn
	opts    PublisherOptions
	prefix  string // of reply subjects; a message's token follows
	sub     *nats.Subscription
	started time.Time
	metrics publisherMetrics

	stop     chan struct{}
	stopOnce sync.Once
	workers  sync.WaitGroup
	settle   chan struct{} // there may be batches to settle

	mu      sync.Mutex
	entries queue[entry] // a message's number in it is its token
	batches queue[batch]
	closed  bool
	// heldMsgs and heldBytes are what the window holds.
	heldMsgs  int
	heldBytes int64
	// settled is the number of the first batch whose done has not returned.
	settled uint64
	changed signal // the window shrank, or was closed
	missing bool   // nobody answered: the stream may not exist
	trouble trouble
}

// batch is what one call of Publish brought.
type batch struct {
	msgs  int
	left  int // messages without a result
	bytes int64
	err   error
	done  func(error)
}

// publisherMetrics are the Conn's collectors, for one stream.
type publisherMetrics struct {
	published, duplicates, retries, refused prometheus.Counter
	waiting, waitingBytes                   prometheus.Gauge
}

// NewPublisher makes one; Close it.
func (c *Conn) NewPublisher(o PublisherOptions) (*Publisher, error) {
	if err := validStream(o.Stream); err != nil {
		return nil, fmt.Errorf("bus: make publisher: %w", err)
	}
	if o.Window <= 0 {
		o.Window = defaultWindow
	}
	if o.WindowBytes <= 0 {
		o.WindowBytes = defaultWindowBytes
	}
	p := &Publisher{
		conn: c, opts: o, prefix: c.nc.NewInbox() + ".", started: time.Now(),
		metrics: c.metrics.publisher(o.Stream),
		stop:    make(chan struct{}), settle: make(chan struct{}, 1),
	}
	if err := p.subscribe(); err != nil {
		return nil, fmt.Errorf("bus: make publisher: %w", err)
	}
	c.mu.Lock()
	c.publishers[p] = struct{}{}
	c.mu.Unlock()
	p.workers.Go(p.settleAll)
	p.workers.Go(p.retryAll)
	return p, nil
}

func (m *metrics) publisher(stream string) publisherMetrics {
	return publisherMetrics{
		published: m.published.WithLabelValues(stream), duplicates: m.duplicates.WithLabelValues(stream),
		retries: m.retries.WithLabelValues(stream), refused: m.refused.WithLabelValues(stream),
		waiting: m.waiting.WithLabelValues(stream), waitingBytes: m.waitingBytes.WithLabelValues(stream),
	}
}

func (p *Publisher) subscribe() error {
	sub, err := p.conn.nc.Subscribe(p.prefix+"*", p.onAck)
	if err != nil {
		return err
	}
	p.sub = sub
	// There are no more answers than messages in the window, and none may be lost.
	return sub.SetPendingLimits(-1, -1)
}

// Publish takes the messages that stem from one input. It blocks while the
// window is full, and fails only when ctx ends before they are taken (or with
// ErrClosed); then done is not called. Otherwise done is called exactly once
// per batch, in the order of the calls of Publish, on one goroutine: when
// every message is stored (err nil), when a message is refused for good
// (Refusal), or when the publisher is closed first (ErrClosed).
// An empty batch is allowed: its done keeps its place in the order. done must
// not call Publish or Flush. Data must not change afterwards.
func (p *Publisher) Publish(ctx context.Context, msgs []Msg, done func(err error)) error {
	b := batch{msgs: len(msgs), left: len(msgs), done: done}
	wire := make([]*nats.Msg, len(msgs))
	for i := range msgs {
		wire[i] = p.wire(&msgs[i])
		b.bytes += int64(wire[i].Size())
	}
	first, err := p.admit(ctx, b, wire)
	if err != nil {
		return err
	}
	for i, m := range wire {
		if err := p.conn.nc.PublishMsg(m); err != nil {
			p.failed(first+uint64(i), err)
		}
	}
	return nil
}

// wire is m as it is sent, again and again if need be; its reply subject is
// set when it is taken.
func (p *Publisher) wire(m *Msg) *nats.Msg {
	h := m.Header
	if !m.Own || h == nil {
		h = make(Header, len(m.Header)+2)
		maps.Copy(h, m.Header)
	}
	values := [2]string{m.ID, p.opts.Stream}
	if m.ID != "" {
		h[nats.MsgIdHdr] = values[:1:1]
	}
	h[nats.ExpectedStreamHdr] = values[1:]
	return &nats.Msg{Subject: m.Subject, Header: h, Data: m.Data}
}

// admit waits for room and takes the batch; it returns its first token.
func (p *Publisher) admit(ctx context.Context, b batch, wire []*nats.Msg) (first uint64, err error) {
	for {
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			return 0, fmt.Errorf("bus: publish: %w", ErrClosed)
		}
		if p.fits(b) {
			first = p.take(b, wire)
			p.mu.Unlock()
			return first, nil
		}
		changed := p.changed.next()
		p.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return 0, fmt.Errorf("bus: publish: wait for room in the window: %w", context.Cause(ctx))
		}
	}
}

// fits is called with mu held.
func (p *Publisher) fits(b batch) bool {
	if p.heldMsgs == 0 || b.msgs == 0 {
		return true
	}
	return p.heldMsgs+b.msgs <= p.opts.Window && p.heldBytes+b.bytes <= p.opts.WindowBytes
}

// take is called with mu held.
func (p *Publisher) take(b batch, wire []*nats.Msg) (first uint64) {
	first = p.entries.tail
	number := p.batches.push(b)
	now := time.Since(p.started)
	for _, m := range wire {
		m.Reply = p.prefix + strconv.FormatUint(p.entries.tail, 36)
		p.entries.push(entry{msg: m, batch: number, at: now})
	}
	p.heldMsgs += b.msgs
	p.heldBytes += b.bytes
	if b.left == 0 {
		p.wakeSettle()
	}
	return first
}

// Flush waits until everything taken so far is settled.
func (p *Publisher) Flush(ctx context.Context) error {
	p.mu.Lock()
	until := p.batches.tail
	p.mu.Unlock()
	for {
		p.mu.Lock()
		reached, changed := p.settled >= until, p.changed.next()
		p.mu.Unlock()
		if reached {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("bus: flush: %w", context.Cause(ctx))
		}
	}
}

// Pending is how many messages and bytes are taken and not settled.
func (p *Publisher) Pending() (msgs int, bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.heldMsgs, p.heldBytes
}

// Close stops; unsettled batches are told ErrClosed before it returns. It must
// not be called by done.
func (p *Publisher) Close() {
	p.stopOnce.Do(func() {
		p.mu.Lock()
		p.closed = true
		p.changed.fire()
		p.mu.Unlock()
		close(p.stop)
		// The connection may be closed already; then there is nothing to undo.
		_ = p.sub.Unsubscribe()
		p.conn.mu.Lock()
		delete(p.conn.publishers, p)
		p.conn.mu.Unlock()
	})
	p.workers.Wait()
}
