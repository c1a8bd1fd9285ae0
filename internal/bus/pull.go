package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

// pullBytes is the default bound of a pull in bytes.
const pullBytes = 64 * mib

var (
	// errSilent is told when neither a message nor a heartbeat has come for long.
	errSilent = errors.New("the consumer has fallen silent")
	// errEnded is told when a pull was stopped, or has given out all it kept.
	errEnded = errors.New("no longer pulling")
)

// pull asks a consumer for messages and keeps what has come until it is taken.
// What it keeps is bounded in messages, and that and what was taken and is not
// settled in bytes, however large the messages are that wait.
//
// It does not use jetstream's Messages. That bounds one of the two, counts
// nothing that was taken, and has room in its channel for exactly the messages
// it has asked for: what comes beyond, a status of the server beside a full
// window, or the window it asks for after a reconnect beside the one it still
// has, is dropped and comes again after AckWait.
type pull struct {
	conn  *Conn
	to    string // the subject of requests
	inbox string // of answers; the number of the request follows
	sub   *nats.Subscription
	most  pullWindow
	// work is how many bytes were taken and are not settled, where that has to
	// be done.
	work    func() int64
	settles bool
	// short says that a request waits until more of these are settled.
	short atomic.Bool
	// news says that something has come, or that the pull has ended.
	news chan struct{}

	mu    sync.Mutex
	kept  queue[*nats.Msg]
	bytes int64 // of kept
	ask   asked
	// heard is when something came last that was no refusal.
	heard time.Time
	// ended is told to who takes what is kept and finds nothing more; stopped
	// is whether it is told at once.
	ended   error
	stopped bool
}

// pullWindow bounds what a pull keeps.
type pullWindow struct {
	msgs  int
	bytes int64
}

// pull begins to pull from a consumer. work may be nil where nothing is settled.
func (c *Conn) pull(stream, consumer string, most pullWindow, work func() int64) (*pull, error) {
	if most.bytes <= 0 {
		most.bytes = pullBytes
	}
	settles := work != nil
	if !settles {
		work = func() int64 { return 0 }
	}
	p := &pull{
		conn: c, to: "$JS.API.CONSUMER.MSG.NEXT." + stream + "." + consumer, inbox: c.nc.NewInbox() + ".",
		most: most, work: work, settles: settles, news: make(chan struct{}, 1), heard: time.Now(),
	}
	sub, err := c.nc.Subscribe(p.inbox+"*", p.came)
	if err != nil {
		return nil, fmt.Errorf("bus: pull from consumer %s of %s: %w", consumer, stream, err)
	}
	p.sub = sub
	// What comes is bounded by what is asked for, and none of it may be lost.
	if err := sub.SetPendingLimits(-1, -1); err != nil {
		return nil, fmt.Errorf("bus: pull from consumer %s of %s: %w", consumer, stream, err)
	}
	p.wake()
	return p, nil
}

// came takes what the server sends. Only messages of a stream have a reply
// subject: headers alone would not tell them from a status.
func (p *pull) came(m *nats.Msg) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case m.Reply == "":
		p.status(m)
	case p.stopped:
		p.giveBack(m)
	default:
		p.heard = time.Now()
		p.kept.push(m)
		p.bytes += int64(m.Size())
		p.ask.got(m)
	}
	p.request()
	p.tell()
}

func (p *pull) tell() {
	select {
	case p.news <- struct{}{}:
	default:
	}
}

// next is the next message. It waits until there is one, the pull has ended or
// ctx has.
func (p *pull) next(ctx context.Context) (*nats.Msg, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if m, err := p.take(); m != nil || err != nil {
		return m, err
	}
	look := time.NewTicker(pullRetry)
	defer look.Stop()
	for {
		linked := p.conn.linked.next()
		p.check() // the connection may have been made again before
		if m, err := p.take(); m != nil || err != nil {
			return m, err
		}
		select {
		case <-p.news:
		case <-linked:
		case <-look.C:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// nextWithin is next for so long, whether or not ctx has ended.
func (p *pull) nextWithin(ctx context.Context, d time.Duration) (*nats.Msg, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d)
	defer cancel()
	return p.next(ctx)
}

// take removes the oldest message; nil if there is none. It asks for more
// first: what was taken before is in work by now, and counted as such.
func (p *pull) take() (*nats.Msg, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.request()
	first := p.kept.at(p.kept.head)
	if p.stopped || first == nil {
		return nil, p.ended
	}
	m := *first
	p.kept.drop(1)
	p.bytes -= int64(m.Size())
	return m, nil
}

// wake asks for more, if there is room now.
func (p *pull) wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.request()
}

// settled is told that something was settled.
func (p *pull) settled() {
	if p.short.Load() {
		p.wake()
	}
}

// end is told, instead of more, to who takes what is kept. Called with mu held.
func (p *pull) end(err error) {
	if p.ended == nil {
		p.ended = err
	}
	p.tell()
}

// stop ends the pull. What it keeps, and what is on its way, is thrown away; if
// it has to be settled it is given back.
func (p *pull) stop() {
	p.mu.Lock()
	p.end(errEnded)
	p.stopped = true
	for n := p.kept.head; n < p.kept.tail; n++ {
		p.giveBack(*p.kept.at(n))
	}
	p.kept.drop(p.kept.len())
	p.bytes = 0
	p.mu.Unlock()
	// The connection may be closed already; then there is nothing to undo.
	_ = p.sub.Drain()
}

// giveBack has a message come again at once, to whoever pulls then. Without a
// server it does later.
func (p *pull) giveBack(m *nats.Msg) {
	if p.settles {
		_ = p.conn.nc.Publish(m.Reply, []byte(verdictNak))
	}
}

// drain asks for no more, and ends the pull when what is on its way has come.
func (p *pull) drain() {
	over := func(string) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.end(errEnded)
	}
	p.mu.Lock()
	p.ask.never = true
	p.mu.Unlock()
	p.sub.SetClosedHandler(over)
	if err := p.sub.Drain(); err != nil {
		over("")
	}
}
