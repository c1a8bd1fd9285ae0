package tail

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/r3labs/sse/v2"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
)

// The names of the events by which a gateway speaks about the stream itself.
const (
	eventHello     = "hello"
	eventHeartbeat = "hb"
	eventGap       = "gap"
	eventBye       = "bye"
)

// Gap is what the gateway cannot serve: events that no reader gets any more.
type Gap struct {
	// Reason is the gateway's word for why.
	Reason string
	// From and To are the first and last sequence missing; 0 if not known.
	From, To uint64
	// Count is how many are missing, at most.
	Count uint64
}

// takeOwn handles an event about the stream itself and reports whether ev was
// one. One that cannot be read is told and left out: the posts matter more.
func (s *session) takeOwn(ev *sse.Event) bool {
	var err error
	switch name := string(ev.Event); name {
	case eventHello:
		err = s.hello(ev.Data)
	case eventGap:
		err = s.gap(ev.Data)
	case eventBye:
		err = s.bye(ev.Data)
	case eventHeartbeat:
	default:
		return false
	}
	if err != nil {
		s.client.Log.Warn("event left out", slog.String("error", err.Error()))
	}
	return true
}

// hello notes that the connection works, and where it begins: a connection
// that breaks before its first event is resumed from there.
func (s *session) hello(data []byte) error {
	var m feedv1.Hello
	if err := decode(eventHello, data, &m); err != nil {
		return err
	}
	s.delay = s.client.minDelay()
	if s.client.Open != nil {
		s.client.Open()
	}
	if s.lost {
		s.lost = false
		s.client.Log.Info("connected again", slog.Bool("resumed", m.GetResumed()))
	}
	if s.lastID == "" && m.GetEpoch() != "" && m.GetNextSeq() > 0 {
		s.lastID = m.GetEpoch() + "-" + strconv.FormatUint(m.GetNextSeq()-1, 10)
	}
	return nil
}

func (s *session) gap(data []byte) error {
	var m feedv1.Gap
	if err := decode(eventGap, data, &m); err != nil {
		return err
	}
	if s.client.Gap != nil {
		s.client.Gap(Gap{Reason: m.GetReason(), From: m.GetFromSeq(), To: m.GetToSeq(), Count: m.GetCount()})
	}
	return nil
}

func (s *session) bye(data []byte) error {
	var m feedv1.Bye
	if err := decode(eventBye, data, &m); err != nil {
		return err
	}
	s.reopen = min(time.Duration(m.GetReopenAfterMs())*time.Millisecond, s.client.maxDelay())
	return nil
}

// decode reads the payload of a named event. A newer gateway may say more.
func decode(name string, data []byte, into proto.Message) error {
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(data, into); err != nil {
		return fmt.Errorf("tail: decode %s event: %w", name, err)
	}
	return nil
}

// compact makes data one line, which it is already if it came from a gateway.
func compact(data []byte) []byte {
	for _, b := range data {
		if b == '\n' || b == '\r' {
			return recompact(data)
		}
	}
	return data
}

func recompact(data []byte) []byte {
	var v any
	if json.Unmarshal(data, &v) != nil {
		return []byte(Harmless(string(data)))
	}
	b, err := json.Marshal(v)
	if err != nil {
		return []byte(Harmless(string(data)))
	}
	return b
}
