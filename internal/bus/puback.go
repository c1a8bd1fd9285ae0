package bus

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// errUnreadableAck is told for an answer that is not a PubAck.
var errUnreadableAck = errors.New("answer is not a PubAck")

// The usual answer of the server, which needs no JSON parser:
// {"stream":"EVENTS", "seq":42} or {"stream":"EVENTS", "seq":42,"duplicate": true}.
var (
	ackStart     = []byte(`{"stream":"`)
	ackSeq       = []byte(`"seq":`)
	ackDuplicate = []byte(`"duplicate"`)
	ackError     = []byte(`"error"`)
)

// readAck says whether an answer to a publish confirms that the message is
// stored, and whether it was stored before.
func readAck(m *nats.Msg) (duplicate bool, err error) {
	if len(m.Data) == 0 && m.Header.Get(headerStatus) == statusNoResponders {
		return false, nats.ErrNoResponders
	}
	duplicate = bytes.Contains(m.Data, ackDuplicate)
	if bytes.HasPrefix(m.Data, ackStart) && bytes.Contains(m.Data, ackSeq) && !bytes.Contains(m.Data, ackError) {
		return duplicate, nil
	}
	var answer struct {
		Error  *jetstream.APIError `json:"error"`
		Stream string              `json:"stream"`
	}
	if err := json.Unmarshal(m.Data, &answer); err != nil {
		return false, fmt.Errorf("%w: %w", errUnreadableAck, err)
	}
	switch {
	case answer.Error != nil:
		return false, answer.Error
	case answer.Stream == "":
		return false, errUnreadableAck
	}
	return duplicate, nil
}

// forGood translates an error that publishing again cannot cure; ok is false
// for all others.
func forGood(err error) (translated error, ok bool) {
	if errors.Is(err, nats.ErrMaxPayload) || code(err) == jetstream.JSErrCodeStreamMessageExceedsMaximum {
		return fmt.Errorf("%w: %w", ErrTooLarge, err), true
	}
	if errors.Is(err, nats.ErrBadSubject) || errors.Is(err, nats.ErrBadHeaderMsg) || errors.Is(err, nats.ErrInvalidMsg) ||
		code(err) == codeHeaderTooLarge {
		return err, true
	}
	return nil, false
}

// The reasons of dead letters for what a stream refuses for good.
const (
	// ReasonTooLarge: it is larger than the server or stream takes.
	ReasonTooLarge = "too_large"
	// ReasonRefused: any other cause; the letter says which.
	ReasonRefused = "refused"
)

// Refusal reads what done was told of a batch that was not stored: the reason
// of its dead letter, or false if it was not refused, but the publisher closed
// first (ErrClosed).
func Refusal(err error) (reason string, refused bool) {
	switch {
	case errors.Is(err, ErrClosed):
		return "", false
	case errors.Is(err, ErrTooLarge):
		return ReasonTooLarge, true
	default:
		return ReasonRefused, true
	}
}

// onAck is called for every answer, one at a time.
func (p *Publisher) onAck(m *nats.Msg) {
	token, err := strconv.ParseUint(m.Subject[len(p.prefix):], 36, 64)
	if err != nil {
		return // not an answer to a message of ours
	}
	duplicate, err := readAck(m)
	if err != nil {
		p.failed(token, err)
		return
	}
	if !p.stored(token) {
		return
	}
	p.metrics.published.Inc()
	if duplicate {
		p.metrics.duplicates.Inc()
	}
}

// stored settles a message; false if that has happened before.
func (p *Publisher) stored(token uint64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.entries.at(token)
	if e == nil || e.msg == nil {
		return false
	}
	p.finish(e, nil)
	return true
}

// failed has a message published again, or settles it if that is hopeless.
func (p *Publisher) failed(token uint64, err error) {
	final, hopeless := forGood(err)
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.entries.at(token)
	if e == nil || e.msg == nil {
		return
	}
	if hopeless {
		p.metrics.refused.Inc()
		p.finish(e, fmt.Errorf("bus: publish %s: %w", e.msg.Subject, final))
		return
	}
	p.postpone(e, err)
}

// finish gives a message its result. Called with mu held.
func (p *Publisher) finish(e *entry, err error) {
	b := p.batches.at(e.batch)
	e.msg = nil
	b.left--
	if b.err == nil {
		b.err = err
	}
	if b.left == 0 && e.batch == p.batches.head {
		p.wakeSettle()
	}
}

func (p *Publisher) wakeSettle() {
	select {
	case p.settle <- struct{}{}:
	default:
	}
}

// settleAll calls done of every batch, in order, and frees their room.
func (p *Publisher) settleAll() {
	for {
		for {
			ready := p.takeReady()
			if len(ready) == 0 {
				break
			}
			for _, b := range ready {
				b.done(b.err)
			}
			p.release(ready)
		}
		select {
		case <-p.settle:
		case <-p.stop:
			p.abandon()
			return
		}
	}
}

// takeReady removes the batches at the head that have their result.
func (p *Publisher) takeReady() []batch {
	p.mu.Lock()
	defer p.mu.Unlock()
	var ready []batch
	for b := p.batches.at(p.batches.head); b != nil && b.left == 0; b = p.batches.at(p.batches.head) {
		ready = append(ready, *b)
		p.entries.drop(b.msgs)
		p.batches.drop(1)
	}
	return ready
}

// release frees the room of settled batches.
func (p *Publisher) release(settled []batch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range settled {
		p.heldMsgs -= b.msgs
		p.heldBytes -= b.bytes
	}
	p.settled += uint64(len(settled))
	p.metrics.waiting.Set(float64(p.heldMsgs))
	p.metrics.waitingBytes.Set(float64(p.heldBytes))
	p.changed.fire()
}

// abandon tells the batches that are left at Close.
func (p *Publisher) abandon() {
	p.mu.Lock()
	var left []batch
	for n := p.batches.head; n < p.batches.tail; n++ {
		left = append(left, *p.batches.at(n))
	}
	p.entries.drop(p.entries.len())
	p.batches.drop(p.batches.len())
	p.mu.Unlock()
	for _, b := range left {
		if b.left > 0 && b.err == nil {
			b.err = fmt.Errorf("bus: publish: %w", ErrClosed)
		}
		b.done(b.err)
	}
	p.release(left)
}
