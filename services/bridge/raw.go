package bridge

import (
	"bytes"
	"errors"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/decode"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/bridge/legacy"
)

// The durables of the outgoing channels. They stay while no bridge runs, and
// are removed by one that does not copy their channel out.
const (
	durableRaw    = "bridge-twitter-raw"
	durableEvents = "bridge-events"
)

// addRaw adds the raw channel, if it is copied.
func (s *Service) addRaw() {
	if s.cfg.TwitterRaw == Off {
		return
	}
	c := s.channel(s.cfg.TwitterRawChannel, s.cfg.TwitterRaw, rawMarked)
	if s.cfg.TwitterRaw == In {
		s.addIn(c, feed.StreamRaw, s.parseRaw)
		return
	}
	s.addOut(c, s.convertRaw, bus.Durable{
		Stream: feed.StreamRaw, Name: durableRaw, Description: "raw items on their way to Redis",
	})
}

// parseRaw makes an item of a payload of the raw channel.
func (s *Service) parseRaw(payload []byte, at time.Time) (bus.Msg, error) {
	it, err := legacy.ParseRaw(payload)
	if err != nil {
		return bus.Msg{}, err
	}
	h := bus.Header{feed.HeaderReceived: []string{at.UTC().Format(time.RFC3339Nano)}}
	if it.Format != "" {
		h[feed.HeaderFormat] = []string{string(it.Format)}
	}
	return bus.Msg{
		Subject: feed.RawSubject(s.cfg.Source), ID: feed.RawID(s.cfg.Source, it.ID), Header: h, Data: it.Data,
	}, nil
}

// errOwn: the channel has had it. It matters when a channel's direction is
// turned, and what came in before still waits for its turn.
var errOwn = errors.New("came in from the same channel")

// convertRaw lets tweets through as they are, and makes tweets of the rest. An
// item that does not say its format is read to find out.
func (s *Service) convertRaw(d *bus.Delivery) (data []byte, rewritten bool, err error) {
	if feed.SourceOf(d.Subject) == s.cfg.Source {
		return nil, false, &legacy.UnsafeError{What: "own", Err: errOwn}
	}
	format := feed.Format(d.Header.Get(feed.HeaderFormat))
	if format != feed.FormatTwitterV1 {
		rec, err := decode.Decode(feed.Item{Source: feed.SourceOf(d.Subject), Format: format, Data: d.Data})
		if err != nil {
			return nil, false, heldBack(err)
		}
		if rec.Format != feed.FormatTwitterV1 {
			data, err = legacy.Tweet(rec)
			return data, true, err
		}
	}
	data, err = legacy.Safe(d.Data)
	return data, !bytes.Contains(d.Data, data), err
}

// heldBack says in a word why an item that cannot be read is held back.
func heldBack(err error) error {
	what := "ignored"
	if bad, ok := asMalformed(err); ok {
		what = string(bad.Reason)
	}
	return &legacy.UnsafeError{What: what, Err: err}
}
