package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
)

const (
	// followPrefetch is the pull window of Follow, in messages.
	followPrefetch = 1000
	// followInactive is how long the server keeps the consumer of a follower
	// that has vanished.
	followInactive = 30 * time.Second
)

// errSkipped is told when deliveries were lost on the way; they are read again.
var errSkipped = errors.New("deliveries are missing")

// follower is one Follow.
type follower struct {
	conn    *Conn
	stream  string
	next    uint64 // the sequence to read next
	epoch   string // "" before the first binding
	changed func(StreamState) error
	fn      func(*Stored) error
	// failed is the error of changed or fn: the end.
	failed error
}

// Follow calls fn with every message of stream from sequence from on, in
// order, then with those that arrive, until ctx ends (then it returns nil) or
// fn or changed fails (then it returns that error). It reconnects by itself.
// What the stream's limits have removed is skipped: fn sees a gap in Seq.
//
// changed is called before the first message and again whenever the sequences
// start over: the stream was deleted and made anew (another Epoch; reading
// starts at 1), or lost its end in a crash of the server (the same Epoch, a
// lower LastSeq; reading goes on at LastSeq+1). At the first call a from
// beyond LastSeq+1 is taken to mean an earlier incarnation, and reading starts
// at 1. All calls come from one goroutine.
func (c *Conn) Follow(ctx context.Context, stream string, from uint64, changed func(StreamState) error, fn func(*Stored) error) error {
	if err := validStream(stream); err != nil {
		return fmt.Errorf("bus: follow: %w", err)
	}
	f := &follower{conn: c, stream: stream, next: max(from, 1), changed: changed, fn: fn}
	c.supervise(ctx, stream, f.session, func() bool { return f.failed != nil })
	return f.failed
}

// session reads by one consumer until something is wrong or ctx ends.
func (f *follower) session(ctx context.Context) error {
	linked := f.conn.linked.next()
	if err := f.bind(ctx); err != nil {
		return err
	}
	cons, err := f.consumer(ctx)
	if err != nil {
		return err
	}
	defer f.forget(ctx, cons)
	p, err := f.conn.pull(f.stream, cons, pullWindow{msgs: followPrefetch}, nil)
	if err != nil {
		return err
	}
	defer p.stop()
	watching, stop := context.WithCancel(ctx)
	defer stop()
	go f.watch(watching, linked, p.stop)
	return f.read(ctx, p)
}

// bind sees which stream it is, and where to read on.
func (f *follower) bind(ctx context.Context) error {
	s, err := f.conn.Stream(ctx, f.stream)
	if err != nil {
		return err
	}
	rewound := f.next > s.LastSeq+1
	switch {
	case f.epoch == s.Epoch && !rewound:
		return nil
	case f.epoch == s.Epoch:
		f.next = s.LastSeq + 1
	case f.epoch != "" || rewound:
		f.next = 1
	}
	f.epoch = s.Epoch
	f.failed = f.changed(s)
	return f.failed
}

// consumer makes an ephemeral one that the server forgets soon, and returns its
// name. It needs no acks: an interrupted reader knows itself where to go on.
func (f *follower) consumer(ctx context.Context) (name string, err error) {
	ctx, cancel := f.conn.short(ctx)
	defer cancel()
	name = f.conn.name + "-" + nuid.Next()
	_, err = f.conn.js.CreateConsumer(ctx, f.stream, jetstream.ConsumerConfig{
		Name:          name,
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: f.next,
		AckPolicy: jetstream.AckNonePolicy, InactiveThreshold: followInactive,
		MemoryStorage: true, Replicas: 1,
	})
	if err != nil {
		return "", fmt.Errorf("bus: follow stream %s: %w", f.stream, err)
	}
	return name, nil
}

// forget deletes the consumer; if that fails the server does it by itself.
func (f *follower) forget(ctx context.Context, cons string) {
	if !f.conn.nc.IsConnected() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainWait)
	defer cancel()
	_ = f.conn.js.DeleteConsumer(ctx, f.stream, cons)
}

// watch ends the session after a reconnect (the consumer lives in the memory
// of a server that may have restarted) and when the stream is another one.
func (f *follower) watch(ctx context.Context, linked <-chan struct{}, end func()) {
	epoch := f.epoch
	tick := time.NewTicker(f.conn.watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s, err := f.conn.streamState(ctx, f.stream)
			if err == nil && s.Epoch == epoch || err != nil && !errors.Is(err, ErrNoStream) {
				continue
			}
		case <-linked:
		case <-ctx.Done():
			return
		}
		end()
		return
	}
}

func (f *follower) read(ctx context.Context, p *pull) error {
	for delivery := uint64(1); ; delivery++ {
		m, err := p.next(ctx)
		if err != nil {
			return err
		}
		md, err := m.Metadata()
		if err != nil {
			return fmt.Errorf("bus: follow stream %s: %w", f.stream, err)
		}
		if md.Sequence.Consumer != delivery {
			return fmt.Errorf("bus: follow stream %s: %w", f.stream, errSkipped)
		}
		f.failed = f.fn(&Stored{
			Subject: m.Subject, Header: m.Header, Data: m.Data,
			Seq: md.Sequence.Stream, Time: md.Timestamp,
		})
		if f.failed != nil {
			return f.failed
		}
		f.next = md.Sequence.Stream + 1
	}
}
