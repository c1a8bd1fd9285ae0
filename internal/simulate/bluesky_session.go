package simulate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/coder/websocket"
)

// skySession is one connection that was let in.
type skySession struct {
	*Bluesky
	skyRequest
	conn *websocket.Conn
	wire *wire
	said chan *skyFilter // what the client wants from now on

	next  uint64 // the item to be written next
	stop  uint64 // the item before which the fault happens
	done  bool   // the fault has happened, and the connection goes on
	quiet bool   // nothing but pings any more
	item  []byte // to be used again
}

// listen reads what the client sends, and ends the context when it goes. On the
// second wire a client that sends a message is thrown out; on the first it may
// change its filter.
func (s *skySession) listen(ctx context.Context, cancel context.CancelFunc) context.Context {
	if s.second {
		return s.conn.CloseRead(ctx)
	}
	go func() {
		defer cancel()
		for {
			_, message, err := s.conn.Read(ctx)
			if err != nil {
				return
			}
			f, err := skyUpdate(message)
			if err != nil {
				_ = s.conn.Close(websocket.StatusPolicyViolation, "wrong options") // it may be gone
				return
			}
			if f == nil {
				continue
			}
			select {
			case s.said <- f:
			case <-ctx.Done():
				return
			}
		}
	}()
	return ctx
}

// run serves the connection until it ends.
func (s *skySession) run(ctx context.Context) {
	s.next, s.stop = s.first, math.MaxUint64
	if s.fault.Kind != FaultNone {
		s.stop = s.first + s.fault.After
	}
	ping := time.NewTicker(s.o.KeepAlive)
	defer ping.Stop()
	for {
		if err := s.catchUp(ctx); err != nil {
			return
		}
		if s.next == s.stop && !s.done {
			if err := s.misbehave(ctx); err != nil {
				return
			}
			continue
		}
		if !s.wait(ctx, ping.C) {
			return
		}
	}
}

// wait waits for the next item, or pings; false says that the connection is over.
func (s *skySession) wait(ctx context.Context, ping <-chan time.Time) bool {
	timer := time.NewTimer(s.untilDue())
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-s.closed:
		_ = s.conn.Close(websocket.StatusGoingAway, "shutting down")
		return false
	case s.filter = <-s.said:
		s.hello = false
		return true
	case <-ping:
		ctx, cancel := context.WithTimeout(ctx, s.o.KeepAlive)
		defer cancel()
		return s.conn.Ping(ctx) == nil || ctx.Err() != nil
	case <-timer.C:
		return true
	}
}

// limit is the first item that may not be written yet.
func (s *skySession) limit() uint64 {
	limit := uint64(math.MaxUint64)
	if s.o.Items > 0 {
		limit = s.o.Items
	}
	if s.o.Rate > 0 {
		limit = min(limit, s.due(time.Now()))
	}
	if s.quiet || s.hello {
		return s.next
	}
	if !s.done {
		limit = min(limit, s.stop)
	}
	return limit
}

// untilDue is how long until the next item is due.
func (s *skySession) untilDue() time.Duration {
	if s.o.Rate == 0 || s.quiet || s.hello || s.o.Items > 0 && s.next >= s.o.Items {
		return s.o.KeepAlive
	}
	at := s.began.Add(time.Duration(float64(s.next+1) / s.o.Rate * float64(time.Second)))
	return max(shortestWait, time.Until(at))
}

// catchUp writes what is due.
func (s *skySession) catchUp(ctx context.Context) error {
	for limit := s.limit(); s.next < limit; s.next++ {
		select {
		case s.filter = <-s.said:
		default:
		}
		if !s.wanted() {
			continue
		}
		if err := s.write(ctx, s.item); err != nil {
			return err
		}
		s.wrote(1)
	}
	return nil
}

// wanted makes the next item, and reports whether the filter lets it pass.
func (s *skySession) wanted() bool {
	e, ok := s.o.World.sky(s.next)
	switch {
	case !ok:
		s.item = s.o.World.AppendBluesky(s.item[:0], s.next, s.second)
	case !s.filter.takes(&e):
		return false
	default:
		s.item = append(s.item[:0], e.marshal(s.second)...)
	}
	return true
}

// write writes one message.
func (s *skySession) write(ctx context.Context, message []byte) error {
	kind := websocket.MessageText
	if s.zip != nil {
		kind, message = websocket.MessageBinary, s.zip.press(message)
	}
	if err := s.conn.Write(ctx, kind, message); err != nil {
		return fmt.Errorf("simulate: write to client: %w", err)
	}
	return nil
}

// misbehave does what the fault says; see session.misbehave.
func (s *skySession) misbehave(ctx context.Context) error {
	s.done = true
	switch s.fault.Kind {
	case FaultSilence:
		return s.hold(ctx, wireMute)
	case FaultHalfOpen:
		return s.hold(context.WithoutCancel(ctx), wireDead)
	case FaultEOF:
		return errOver
	case FaultCut:
		s.wire.set(wireHalf)
		s.item = s.o.World.AppendBluesky(s.item[:0], s.next, s.second)
		return errors.Join(errOver, s.write(ctx, s.item))
	case FaultBytes:
		s.wire.set(wireSingle)
	case FaultKeepAlives:
		s.quiet = true
	case FaultDisconnect:
		return errors.Join(errOver, s.conn.Close(websocket.StatusCode(s.fault.Code), "as asked for"))
	case FaultHuge:
		return s.write(ctx, s.huge())
	case FaultMalformed, FaultDrift:
		return s.odd(ctx)
	case FaultBomb:
		return s.bomb(ctx)
	case FaultNone, FaultStatus, FaultClamp: // these do not come here
	}
	return nil
}

// hold writes nothing any more, in the way of mode, until the connection ends.
func (s *skySession) hold(ctx context.Context, mode wireMode) error {
	s.wire.set(mode)
	select {
	case <-ctx.Done():
	case <-s.closed:
	}
	return errOver
}

// huge is a post of 5 MB, of a time and a sequence like those around it.
func (s *skySession) huge() []byte {
	w := s.o.World
	p := w.post(w.postNear(s.next, 0), w.Time(s.next))
	p.body = string(w.AppendMalformed(nil, Huge, s.next))
	e := skyEvent{DID: p.author.did(), TimeUS: w.Time(s.next).UnixMicro(), Kind: "commit", Cursor: s.next, Simulated: true}
	e.Commit = &skyCommit{Rev: "huge", Operation: "create", Collection: skyPosts, RKey: "huge" + tid(s.next), Record: p.sky()}
	return e.marshal(s.second)
}

// odd writes messages that no client may stumble over.
func (s *skySession) odd(ctx context.Context) error {
	messages := []string{
		`{"did":"did:plc:later","time_us":1,"kind":"moon","moon":{"phase":1},"later":[{}]}`,
		`{"$type":"message","payload":{"$type":"` + skyNetwork + `#moon","later":{}}}`,
	}
	if s.fault.Kind == FaultMalformed {
		messages = []string{"", "null", "[]", `{"did":`, "\"a string\"", `{"did":5,"time_us":"x","kind":null,"commit":[]}`}
	}
	for _, m := range messages {
		if err := s.write(ctx, []byte(m)); err != nil {
			return err
		}
	}
	return nil
}

// bomb writes a few kilobytes that are many megabytes.
func (s *skySession) bomb(ctx context.Context) error {
	if s.zip == nil {
		return nil
	}
	if err := s.conn.Write(ctx, websocket.MessageBinary, s.zip.bomb()); err != nil {
		return fmt.Errorf("simulate: write to client: %w", err)
	}
	return nil
}
