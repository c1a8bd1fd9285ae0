package simulate

// misbehave does what the session's fault says. An error, or the end of the
// connection's context, ends the connection; else it goes on.
func (s *session) misbehave() error {
	s.done = true
	switch s.fault.Kind {
	case FaultSilence:
		<-s.ctx.Done()
		return errOver
	case FaultHalfOpen:
		return s.halfOpen()
	case FaultEOF:
		return errOver
	case FaultCut:
		return s.cut()
	case FaultBytes:
		s.out.single = true
	case FaultHuge:
		return s.out.write(s.appendFrame(nil, s.server.o.World.AppendMalformed(nil, Huge, s.next)))
	case FaultKeepAlives:
		return s.keepAlives()
	case FaultMalformed:
		return s.malformed()
	case FaultDisconnect:
		s.disconnect(s.fault.Code, "as asked for")
		return errOver
	case FaultNone, FaultStatus: // these do not come here
	case FaultDrift:
		return s.out.write(s.appendFrame(nil, s.server.drift(s.server.o.World, s.next)))
	case FaultClamp, FaultBomb: // nothing of these on this protocol
	}
	return nil
}

// halfOpen takes the connection from net/http, which would notice that the
// client goes, and leaves it alone.
func (s *session) halfOpen() error {
	conn, err := s.out.hijack()
	if err != nil {
		return err
	}
	<-s.ctx.Done()
	_ = conn.Close()
	return errOver
}

// cut writes half a message and breaks the connection.
func (s *session) cut() error {
	frame := s.appendFrame(nil, s.server.item(s.server.o.World, nil, s.next))
	_ = s.out.write(frame[:len(frame)/2])
	s.broken = true
	return errOver
}

// keepAlives writes nothing else. It returns nil when the connection's context
// has ended.
func (s *session) keepAlives() error {
	for s.wait(s.server.o.KeepAlive) {
		if err := s.out.write([]byte("\r\n")); err != nil {
			return err
		}
	}
	return nil
}

// malformed writes a message of each sort but Huge, which has a fault of its
// own. Their ids are beyond those of items, so that they hide none.
func (s *session) malformed() error {
	const beyond = 1 << 21
	sorts := MalformedSorts()
	var b []byte
	for i, sort := range sorts[:len(sorts)-1] {
		b = s.appendFrame(b, s.server.o.World.AppendMalformed(nil, sort, beyond+s.next+uint64(i)))
	}
	return s.out.write(b)
}
