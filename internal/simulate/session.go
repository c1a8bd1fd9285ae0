package simulate

import (
	"bytes"
	"context"
	"errors"
	"math"
	"strconv"
	"time"
)

// session is one connection that was let in.
type session struct {
	request
	server  *Twitter
	account *account
	older   *session // the one of the same credential before it; ended
	ctx     context.Context
	end     context.CancelCauseFunc
	left    chan struct{} // closed when the connection is forgotten
	out     *output

	start  time.Time
	began  uint64 // the item it began with
	next   uint64 // the item to be written next
	stop   uint64 // the item before which the fault happens
	done   bool   // the fault has happened, and the connection goes on
	broken bool   // the connection must be broken off

	buf, item []byte // to be used again
}

const (
	// batchBytes is how much is written at once.
	batchBytes = 64 << 10
	// lastWords is how long a connection that is ended may take for what it
	// still has to write.
	lastWords = time.Second
	// shortestWait keeps a fast stream from waking up for every item.
	shortestWait = 5 * time.Millisecond
)

// waitForOlder waits until the older connection of the same credential is
// gone, so that what it wrote is known. It reports whether to go on.
func (s *session) waitForOlder() bool {
	if s.older == nil {
		return true
	}
	select {
	case <-s.older.left:
		s.server.forget(s)
		return true
	case <-s.ctx.Done():
		<-s.older.left
		s.server.forget(s)
		return false
	}
}

// forget lets go of the connection before s.
func (t *Twitter) forget(s *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s.older = nil
}

// run serves the connection until it ends.
func (s *session) run() {
	// Whoever waits in a write to a client that does not read must come back.
	stop := context.AfterFunc(s.ctx, func() { s.out.deadline(time.Now().Add(lastWords)) })
	defer stop()
	s.start, s.began = time.Now(), s.server.first(s)
	s.next, s.stop = s.began, math.MaxUint64
	if s.fault.Kind != FaultNone {
		s.stop = s.began + s.fault.After
	}
	if s.out.open() != nil {
		return
	}
	if err := s.serve(); err == nil {
		s.farewell()
	}
	if !s.broken {
		s.out.close()
	}
}

// errOver ends a connection without another word.
var errOver = errors.New("simulate: connection over")

// serve writes items as they come due. It returns nil when the connection's
// context has ended.
func (s *session) serve() error {
	alive := time.Now()
	for {
		wrote, err := s.catchUp()
		if err != nil {
			return err
		}
		if wrote {
			alive = time.Now()
		}
		if s.next == s.stop && !s.done {
			if err := s.misbehave(); err != nil {
				return err
			}
			continue
		}
		keepAlive := s.server.o.KeepAlive - time.Since(alive)
		if keepAlive <= 0 {
			if err := s.out.write([]byte("\r\n")); err != nil {
				return err
			}
			alive = time.Now()
			continue
		}
		if !s.wait(min(keepAlive, s.untilDue())) {
			return nil
		}
	}
}

// wait waits; false says that the connection's context has ended.
func (s *session) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-s.ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// due is the first item that is not due yet.
func (s *session) due() uint64 {
	due := uint64(math.MaxUint64)
	if rate := s.server.o.Rate; rate > 0 {
		due = s.began + uint64(time.Since(s.start).Seconds()*rate)
	}
	if items := s.server.o.Items; items > 0 {
		due = min(due, items)
	}
	if !s.done {
		due = min(due, s.stop)
	}
	return due
}

// untilDue is how long until the next item is due.
func (s *session) untilDue() time.Duration {
	o := &s.server.o
	if o.Rate == 0 || o.Items > 0 && s.next >= o.Items {
		return o.KeepAlive
	}
	at := time.Duration(float64(s.next-s.began+1) / o.Rate * float64(time.Second))
	return max(shortestWait, at-time.Since(s.start))
}

// catchUp writes what is due and reports whether that was anything.
func (s *session) catchUp() (wrote bool, err error) {
	for s.next < s.due() && s.ctx.Err() == nil {
		from := s.next
		s.buf = s.buf[:0]
		for due := s.due(); s.next < due && len(s.buf) < batchBytes; s.next++ {
			s.item = s.server.item(s.server.o.World, s.item[:0], s.next)
			s.buf = s.appendFrame(s.buf, s.item)
		}
		if err := s.out.write(s.buf); err != nil {
			return wrote, err
		}
		wrote = true
		s.server.wrote(s, s.next-from, s.next)
	}
	return wrote, nil
}

// appendFrame appends a message in the framing that was asked for.
func (s *session) appendFrame(b, message []byte) []byte {
	if s.server.o.Newlines {
		message = withNewline(message)
	}
	if s.delimited {
		b = strconv.AppendInt(b, int64(len(message)+len("\r\n")), 10)
		b = append(b, "\r\n"...)
	}
	b = append(b, message...)
	return append(b, "\r\n"...)
}

// withNewline puts a line break behind the brace of an object, where JSON does
// not mind it.
func withNewline(message []byte) []byte {
	if inner, ok := bytes.CutPrefix(message, []byte("{")); ok {
		return append([]byte("{\n"), inner...)
	}
	return message
}

// farewell says why the server ends the connection, if it does.
func (s *session) farewell() {
	switch cause := context.Cause(s.ctx); {
	case errors.Is(cause, errKicked):
		s.disconnect(codeAdminLogout, "admin logout")
	case errors.Is(cause, errShutdown):
		s.disconnect(codeShutdown, "shutdown")
	}
}

// disconnect writes a disconnect message. Whoever is gone does not hear it.
func (s *session) disconnect(code int, reason string) {
	message := s.server.goodbye(code, reason)
	_ = s.out.write(s.appendFrame(nil, []byte(message)))
}
