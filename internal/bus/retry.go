package bus

import (
	"errors"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	// retryTick is how often the window is searched for messages to publish again.
	retryTick = 100 * time.Millisecond
	// retryDelay grows to retryDelayMax for a message that keeps failing.
	retryDelay    = 100 * time.Millisecond
	retryDelayMax = 5 * time.Second
	// ackTimeout is how long an answer is waited for; it grows to ackTimeoutMax,
	// because a server that is slow does not need more to do.
	ackTimeout    = 5 * time.Second
	ackTimeoutMax = 40 * time.Second
	// troubleEvery spaces log lines about messages published again.
	troubleEvery = 10 * time.Second
)

// entry is a message in the window.
type entry struct {
	msg   *nats.Msg // nil once the message has its result
	batch uint64
	// at is when it was sent, or with failed set when to send it again; since
	// the publisher was made.
	at     time.Duration
	tries  int
	failed bool
}

// trouble is what is told about failures, now and then.
type trouble struct {
	count  int
	last   error
	logged time.Time
}

// postpone plans to publish a message again. Called with mu held.
func (p *Publisher) postpone(e *entry, err error) {
	if errors.Is(err, nats.ErrNoResponders) {
		p.missing = true
	}
	p.trouble.count++
	p.trouble.last = err
	e.failed = true
	e.at = time.Since(p.started) + growing(retryDelay, retryDelayMax, e.tries)
}

// retryAll publishes again what failed, what was not answered in time, and,
// after every reconnect, everything: answers to what was in flight are lost.
func (p *Publisher) retryAll() {
	tick := time.NewTicker(retryTick)
	defer tick.Stop()
	linked := p.conn.linked.next()
	for {
		relinked := false
		select {
		case <-tick.C:
		case <-linked:
			linked = p.conn.linked.next()
			relinked = true
		case <-p.stop:
			return
		}
		if p.conn.nc.IsConnected() {
			p.republish(relinked)
		}
		p.report()
	}
}

// republish sends what is due, oldest first.
func (p *Publisher) republish(all bool) {
	if p.takeMissing() {
		p.conn.heal(p.conn.ctx)
	}
	for _, d := range p.due(all) {
		p.metrics.retries.Inc()
		if err := p.conn.nc.PublishMsg(d.msg); err != nil {
			p.failed(d.token, err)
		}
	}
}

func (p *Publisher) takeMissing() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.missing
	p.missing = false
	return m
}

type dueMsg struct {
	token uint64
	msg   *nats.Msg
}

// due lists the messages to publish again now and counts them as sent.
func (p *Publisher) due(all bool) []dueMsg {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Since(p.started)
	var list []dueMsg
	for n := p.entries.head; n < p.entries.tail; n++ {
		e := p.entries.at(n)
		if e.msg == nil || !all && !e.due(now) {
			continue
		}
		e.tries++
		e.at, e.failed = now, false
		list = append(list, dueMsg{n, e.msg})
	}
	return list
}

// due reports whether e is to be sent again at now.
func (e *entry) due(now time.Duration) bool {
	if e.failed {
		return now >= e.at
	}
	timeout := ackTimeoutMax
	// 3 doublings make ackTimeoutMax.
	if e.tries < 3 {
		timeout = ackTimeout << e.tries
	}
	return now-e.at >= timeout
}

// report logs failures, some seconds' worth in one line.
func (p *Publisher) report() {
	p.mu.Lock()
	t := p.trouble
	if t.count == 0 || time.Since(t.logged) < troubleEvery {
		p.mu.Unlock()
		return
	}
	p.trouble = trouble{logged: time.Now()}
	held := p.heldMsgs
	p.mu.Unlock()
	p.conn.log.Warn("publish again", slog.String("stream", p.opts.Stream), slog.Int("failures", t.count),
		slog.Int("waiting", held), slog.String("last_error", t.last.Error()))
}
