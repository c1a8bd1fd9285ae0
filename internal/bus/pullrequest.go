package bus

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	// pullExpires is how long the server keeps a request.
	pullExpires = 30 * time.Second
	// pullRetry is how soon a request is made again that could not be sent, or
	// that nobody took.
	pullRetry = 250 * time.Millisecond
	// pullSlack is what a message may have beyond the server's largest payload:
	// its subjects.
	pullSlack = 8 << 10
)

// Headers of the status that ends a request (NATS ADR-9, ADR-37).
const (
	headerPendingMsgs  = "Nats-Pending-Messages"
	headerPendingBytes = "Nats-Pending-Bytes"
	headerDescription  = "Description"
)

// Values of headerStatus in answers to requests.
const (
	statusHeartbeat = "100"
	statusTimeout   = "408"
	statusConflict  = "409"
)

// leadershipChange is the description of statusConflict when another server of
// a cluster speaks for the consumer from now on.
const leadershipChange = "Leadership Change"

// asked is the request that is under way, one at a time, so that it is always
// known what may still come.
type asked struct {
	number uint64 // of the last request
	open   bool   // it is not over
	// Of the open one: what it asked for, and what of that has not come. No
	// bytes is any number of them.
	msgs, msgsLeft   int
	bytes, bytesLeft int64
	link             uint64 // how often the connection had been made again
	// whole has the next message come whatever its size: it was stored when the
	// server took larger ones.
	whole bool
	// refused says that the last request could not be sent or was not taken,
	// later when to try again; never that there is to be no other.
	refused bool
	later   time.Time
	never   bool
}

// got counts a message.
func (a *asked) got(m *nats.Msg) {
	a.refused = false
	a.msgsLeft--
	a.bytesLeft -= int64(m.Size())
	// The server ends a request without a word when its bytes are used up exactly.
	if a.msgsLeft <= 0 || a.bytes > 0 && a.bytesLeft <= 0 {
		a.open = false
	}
}

// refuse has the request made again in a moment.
func (a *asked) refuse() {
	a.open, a.refused, a.later = false, true, time.Now().Add(pullRetry)
}

// wireRequest is a request as the server reads it.
type wireRequest struct {
	Batch     int           `json:"batch"`
	MaxBytes  int64         `json:"max_bytes,omitempty"`
	Expires   time.Duration `json:"expires"`
	Heartbeat time.Duration `json:"idle_heartbeat"`
}

// request asks for more if nothing is under way and half of the window is free.
// Called with mu held.
func (p *pull) request() {
	a := &p.ask
	if a.open || a.never || p.ended != nil || p.kept.len() > p.most.msgs/2 || a.refused && time.Now().Before(a.later) {
		return
	}
	msgs, bytes, ok := p.room()
	if !ok {
		return
	}
	if !a.refused { // what was not asked for is no silence
		p.heard = time.Now()
	}
	a.number++
	a.open, a.whole = true, false
	a.msgs, a.msgsLeft, a.bytes, a.bytesLeft = msgs, msgs, bytes, bytes
	a.link = p.conn.nc.Stats().Reconnects
	body, err := json.Marshal(wireRequest{msgs, bytes, pullExpires, heartbeat})
	if err == nil {
		err = p.conn.nc.PublishRequest(p.to, p.inbox+strconv.FormatUint(a.number, 36), body)
	}
	if err != nil { // the server is away, which is not silence
		p.heard = time.Now()
		a.refuse()
	}
}

// room is what may be asked for; a request is never for less than the largest
// message, or that would stay where it is. Called with mu held.
func (p *pull) room() (msgs int, bytes int64, ok bool) {
	if p.ask.whole {
		return 1, 0, p.kept.len() == 0
	}
	largest := p.conn.MaxPayload() + pullSlack
	bytes = p.free(largest)
	if bytes < largest {
		p.short.Store(true) // and look again: something may just have been settled
		if bytes = p.free(largest); bytes < largest {
			return 0, 0, false
		}
	}
	p.short.Store(false)
	return p.most.msgs - p.kept.len(), bytes, true
}

// free is how many bytes there is room for; where nothing is held, the largest
// message always has. Called with mu held.
func (p *pull) free(largest int64) int64 {
	held := p.bytes + p.work()
	if held == 0 {
		return max(p.most.bytes, largest)
	}
	return p.most.bytes - held
}

// status takes what the server says of a request. Called with mu held.
func (p *pull) status(m *nats.Msg) {
	code, text := m.Header.Get(headerStatus), m.Header.Get(headerDescription)
	if code != statusNoResponders {
		p.heard = time.Now()
	}
	a := &p.ask
	of, err := strconv.ParseUint(m.Subject[len(p.inbox):], 36, 64)
	if err != nil || of != a.number || !a.open {
		return // of a request that was given up
	}
	switch {
	case code == statusHeartbeat:
		a.refused = false
	case code == statusNoResponders:
		a.refuse() // the consumer has no leader, or is gone; then watch finds out
	case code == statusTimeout, code == statusConflict && m.Header.Get(headerPendingMsgs) != "":
		a.open, a.refused = false, false
		// Not one message came: the next is larger than any is today.
		a.whole = code == statusConflict && m.Header.Get(headerPendingBytes) == strconv.FormatInt(a.bytes, 10)
	case code == statusConflict && text == leadershipChange:
		a.refuse()
	default:
		// The consumer was deleted. Its stream may have been, too: then what is
		// kept has numbers that mean something else already.
		p.stopped = true
		p.end(fmt.Errorf("bus: pull: server answers %s %s", code, text))
	}
}

// check makes a request again that was sent over a connection that broke, and
// ends a pull to which the server has said nothing for too long.
func (p *pull) check() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.conn.nc.IsConnected() {
		return
	}
	a := &p.ask
	if a.link != p.conn.nc.Stats().Reconnects {
		a.open, a.later, p.heard = false, time.Time{}, time.Now()
	}
	p.request()
	if (a.open || a.refused) && time.Since(p.heard) > 2*heartbeat {
		p.end(errSilent)
	}
}
