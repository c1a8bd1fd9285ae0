package enrich

import (
	"context"
	"errors"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/decode"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/enrich/rules"
)

// Make makes the messages that Run publishes of an item of RAW, and publishes
// nothing: for whoever works on RAW once more. An item that yields no event
// makes no message. The error says why an item would be a dead letter. It may
// be called from several goroutines, whether or not the service runs.
func (s *Service) Make(m *bus.Stored) ([]bus.Msg, error) {
	out, err := s.remake(m)
	if _, ignored := errors.AsType[*decode.IgnoredError](err); ignored {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if out.pending != nil && len(out.pending.Questions) > 0 {
		if err := s.makeAsked(m, &out); err != nil {
			return nil, err
		}
	}
	return messages(m, &out), nil
}

// remake makes the events of an item that may be an old one. What authors are
// called it looks up where replicas share it, and asks nobody else.
func (s *Service) remake(m *bus.Stored) (output, error) {
	rec, err := s.decode(m)
	if err != nil {
		return output{}, err
	}
	s.names.recall(context.Background(), &rec)
	return s.derive(m, rec)
}

// Prepare reads the rules of a bucket, for Make of a service that does not run.
// It waits for the server as long as ctx allows.
func (s *Service) Prepare(ctx context.Context) error {
	if s.keeper == nil {
		return nil
	}
	return s.keeper.Load(ctx)
}

// makeAsked asks what an item's rules ask, and waits for the answers. Without
// one the item is left without the rule's event, or fails, as the rules say.
func (s *Service) makeAsked(m *bus.Stored, out *output) error {
	// Each question has a deadline of its own.
	ctx := context.Background()
	tickets, err := s.desk.QueueAll(ctx, out.pending.Services())
	if err != nil {
		return err
	}
	a := s.collect(ctx, m, *out, tickets)
	if a.onError == rules.OnErrorDead || a.onError == rules.OnErrorRetry {
		return a.err
	}
	*out = a.output
	return nil
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
