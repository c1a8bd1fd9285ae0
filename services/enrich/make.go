package enrich

import (
	"errors"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/decode"
	"github.com/blipstream/blipstream/internal/feed"
)

// Make makes the messages that Run publishes of an item of RAW, and publishes
// nothing: for whoever works on RAW once more. An item that yields no event
// makes no message. The error says why an item would be a dead letter. It may
// be called from several goroutines, whether or not the service runs.
func (s *Service) Make(m *bus.Stored) ([]bus.Msg, error) {
	out, err := s.read(m)
	if _, ignored := errors.AsType[*decode.IgnoredError](err); ignored {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return messages(m, &out), nil
}

// messages are those of an item's events.
func messages(m *bus.Stored, out *output) []bus.Msg {
	h := eventHeader(m)
	msgs := make([]bus.Msg, len(out.events))
	for i, e := range out.events {
		msgs[i] = bus.Msg{
			Subject: feed.EventSubject(e.Kind),
			ID:      feed.EventID(e.Kind, out.rec.Source, out.identity),
			Header:  h,
			Data:    e.Payload,
		}
	}
	return msgs
}
