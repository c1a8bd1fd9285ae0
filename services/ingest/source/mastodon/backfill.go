package mastodon

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/peek"
	"github.com/blipstream/blipstream/services/ingest/source/upstream"
)

const (
	// pageSize is the most statuses that a server gives at once.
	pageSize = 40
	// defaultBackfill is 25 questions, of the 300 that are allowed in 5 minutes.
	defaultBackfill = 1000
	maxBackfill     = 10_000
	// maxAnswer is the longest answer in bytes: forty statuses with everything
	// in them are some 400 KB.
	maxAnswer = 16 << 20
)

// catchUp implements sse.Profile.Opened: it fetches what came behind from while
// there was no connection. The stream is open already and waits, so that
// nothing falls between the two; what both tell has the same id.
func (s *server) catchUp(ctx context.Context, from feed.Cursor, emit func(feed.Item) error) error {
	if from == "" || s.backfill == 0 {
		return nil
	}
	for n := 0; n < s.backfill; {
		page, err := s.page(ctx)
		if told, ok := errors.AsType[*source.Error](err); ok && told.Cause == source.CauseFatal {
			s.tellGap("the server does not show its timeline: " + told.Error())
			return nil
		}
		if err != nil {
			return err
		}
		before := s.last
		for _, status := range page {
			it := s.status(status, false)
			it.Received = time.Now()
			if err := emit(it); err != nil {
				return &upstream.EmitError{Err: err}
			}
		}
		if n += len(page); len(page) == 0 || s.last == before {
			return nil
		}
	}
	s.tellGap("more posts came than are fetched after an interruption")
	return nil
}

func (s *server) tellGap(why string) {
	source.TellGap(s.observer, source.Gap{Why: why, To: time.Now()})
}

// page fetches the statuses that follow the last one, the oldest first.
func (s *server) page(ctx context.Context) (statuses [][]byte, err error) {
	q := url.Values{"min_id": {string(s.last)}, "limit": {strconv.Itoa(pageSize)}}
	body, err := upstream.Fetch(ctx, s.profile.Client, s.profile.Who, s.base+s.timeline.rest(q), s.auth, maxAnswer)
	if err != nil {
		return nil, err
	}
	whole := peek.Elements(body, func(e []byte) bool {
		statuses = append(statuses, bytes.Clone(e))
		return true
	})
	if !whole {
		return nil, errors.New("read timeline: it is no array")
	}
	slices.Reverse(statuses)
	return statuses, nil
}
