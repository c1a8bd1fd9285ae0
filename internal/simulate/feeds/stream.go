package feeds

import (
	"bytes"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/blipstream/blipstream/internal/simulate"
)

// dialect is a protocol with connections that never end.
type dialect struct {
	name Protocol
	// start is the item a connection begins with.
	start func(r *http.Request) uint64
	// open answers the request, up to the first item.
	open func(l *wire, r *http.Request) error
	// heed takes what the client sends.
	heed func(l *wire) error
	// frame is an item as it is sent, nil for one that was not asked for, and
	// other a message that is none.
	frame func(n uint64) []byte
	other func(data []byte) []byte
	// alive is a sign of life, bye the end of a regular connection.
	alive, bye []byte
}

// connection is one connection that is served.
type connection struct {
	*wire
	server *Server
	speaks dialect
	fault  simulate.Fault
	next   uint64
	sent   uint64
	fated  bool // the fault has happened, and the connection goes on
}

// serveStream serves a connection until it ends.
func (s *Server) serveStream(w http.ResponseWriter, r *http.Request, d dialect) {
	f, err := s.fault(r)
	switch {
	case err != nil:
		s.refuse(w, http.StatusBadRequest, 0)
		return
	case f.Kind == simulate.FaultStatus:
		s.refuse(w, f.Status, f.Reset)
		return
	case !s.enter(d.name):
		s.refuse(w, http.StatusTooManyRequests, time.Second)
		return
	}
	// A client that sees its end may be back at once: it is counted first.
	left := sync.OnceFunc(func() { s.leave(d.name) })
	c := &connection{server: s, speaks: d, fault: f, next: d.start(r), fated: f.Kind == simulate.FaultNone}
	if c.wire, err = s.take(w); err != nil {
		left()
		s.refuse(w, http.StatusInternalServerError, 0)
		return
	}
	defer c.conn.Close()
	defer c.cancel()
	defer left()
	if d.open(c.wire, r) != nil {
		return
	}
	go c.listen(d.heed)
	err = c.serve()
	if left(); errors.Is(err, errRegular) {
		_ = c.write(d.bye) // who is gone does not hear it
	}
}

// errRegular ends a connection as it should end, errBroken ends it otherwise.
var (
	errRegular = errors.New("feeds: connection over")
	errBroken  = errors.New("feeds: connection broken")
)

// serve writes items as they come due, until the client leaves or the fault
// ends the connection.
func (c *connection) serve() error {
	for {
		if !c.fated && c.sent == c.fault.After {
			if err := c.misbehave(); err != nil {
				return err
			}
		}
		wait := c.server.untilDue(c.next)
		if wait > c.server.o.KeepAlive {
			if !c.wait(c.server.o.KeepAlive) {
				return errRegular
			}
			if err := c.write(c.speaks.alive); err != nil {
				return err
			}
			continue
		}
		if wait > 0 && !c.wait(wait) {
			return errRegular
		}
		if err := c.send(); err != nil {
			return err
		}
	}
}

// send writes the next item, if it was asked for.
func (c *connection) send() error {
	frame := c.speaks.frame(c.next)
	if err := c.write(frame); err != nil {
		return err
	}
	c.next++
	if frame != nil {
		c.sent++
	}
	c.server.wrote(c.speaks.name, c.next, frame != nil)
	return nil
}

// hugeBytes is how long the message of a FaultHuge is.
const hugeBytes = 5 << 20

// misbehave does what the fault says; an error ends the connection.
func (c *connection) misbehave() error {
	c.fated = true
	switch c.fault.Kind {
	case simulate.FaultSilence:
		c.mute.Store(true)
		<-c.ctx.Done()
		return errBroken
	case simulate.FaultHalfOpen:
		c.mute.Store(true)
		<-c.server.closed
		return errBroken
	case simulate.FaultEOF, simulate.FaultDisconnect:
		return errRegular
	case simulate.FaultCut:
		frame := c.speaks.frame(c.next)
		_ = c.write(frame[:len(frame)/2])
		c.server.wrote(c.speaks.name, c.next+1, true) // as the real ones, it does not know what arrived
		c.reset()
		return errBroken
	case simulate.FaultBytes:
		c.single = true
	case simulate.FaultHuge:
		return c.write(c.speaks.other(huge()))
	case simulate.FaultKeepAlives:
		for c.wait(c.server.o.KeepAlive) && c.write(c.speaks.alive) == nil {
		}
		return errBroken
	case simulate.FaultMalformed:
		for _, bad := range malformed() {
			if err := c.write(c.speaks.other(bad)); err != nil {
				return err
			}
		}
	case simulate.FaultDrift:
		return c.write(c.speaks.other(drifted()))
	case simulate.FaultNone, simulate.FaultStatus: // these do not come here
	case simulate.FaultClamp, simulate.FaultBomb: // nothing of these on these protocols
	}
	return nil
}

// huge is a message of 5 MB.
func huge() []byte {
	return append(append([]byte(`{"id":"huge","text":"`), bytes.Repeat([]byte("x"), hugeBytes)...), `"}`...)
}

// malformed are messages that are not what any protocol promises.
func malformed() [][]byte {
	return [][]byte{[]byte(`{"trunc`), []byte(`null`), []byte(`[1,2]`), []byte(`{"a":"` + "\xff" + `"}`), bytes.Repeat([]byte(`{"a":`), 300)}
}

// drifted is a message of a future version, which names everything otherwise.
func drifted() []byte {
	return []byte(`{"schemaVersion":"99.0","item":{"identifier":"drifted-1","body_v2":[{"text":"x"}]}}`)
}
