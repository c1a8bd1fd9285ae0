package bridge

import (
	"errors"
	"slices"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/decode"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/bridge/legacy"
)

// addEvents adds the events channel, if it is copied.
func (s *Service) addEvents() {
	if s.cfg.Events == Off {
		return
	}
	c := s.channel(s.cfg.EventsChannel, s.cfg.Events, eventMarked)
	if s.cfg.Events == In {
		s.addIn(c, feed.StreamEvents, s.parseEvent)
		return
	}
	subjects := make([]string, len(s.cfg.Kinds))
	for i, k := range s.cfg.Kinds {
		subjects[i] = feed.EventSubject(feed.Kind(k))
	}
	slices.Sort(subjects)
	s.addOut(c, convertEvent, bus.Durable{
		Stream: feed.StreamEvents, Name: durableEvents, Description: "events on their way to Redis",
		Subjects: slices.Compact(subjects),
	})
}

// parseEvent makes an event of a payload of the events channel.
func (s *Service) parseEvent(payload []byte, at time.Time) (bus.Msg, error) {
	ev, err := legacy.Reader{Source: s.cfg.Source}.ParseEvent(payload, at)
	if err != nil {
		return bus.Msg{}, err
	}
	if !slices.Contains(s.cfg.Kinds, string(ev.Kind)) {
		return bus.Msg{}, &decode.IgnoredError{What: "kind"}
	}
	return bus.Msg{
		Subject: feed.EventSubject(ev.Kind), ID: feed.EventID(ev.Kind, ev.Source, ev.ID), Data: ev.Payload,
	}, nil
}

// convertEvent puts an event into its old form.
func convertEvent(d *bus.Delivery) (data []byte, rewritten bool, err error) {
	data, err = legacy.EncodeEvent(feed.KindOf(d.Subject), d.Data)
	return data, false, err
}

func asMalformed(err error) (*decode.MalformedError, bool) {
	return errors.AsType[*decode.MalformedError](err)
}
