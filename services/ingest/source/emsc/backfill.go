package emsc

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"strconv"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/peek"
	"github.com/blipstream/blipstream/services/ingest/source/upstream"
)

const (
	// lateness is how long after it happened an earthquake may become known.
	lateness = time.Hour
	// maxAnswer is the longest answer in bytes; a feature has half a kilobyte.
	maxAnswer = 32 << 20
)

// catchUp fetches what became known since the cursor. The socket is open
// already and waits, so that nothing falls between the two; what both tell has
// the same id.
func (c *centre) catchUp(ctx context.Context, emit func(feed.Item) error) error {
	since, ok := parseTime(c.last)
	if !ok || c.backfill == 0 {
		return nil
	}
	features, err := c.fetch(ctx, since)
	if told, fatal := errors.AsType[*source.Error](err); fatal && told.Cause == source.CauseFatal {
		source.TellGap(c.observer, source.Gap{Why: "the event service does not answer: " + told.Error(), From: since, To: time.Now()})
		return nil
	}
	if err != nil {
		return c.explain(ctx, err)
	}
	if len(features) >= c.backfill {
		source.TellGap(c.observer, source.Gap{Why: "more earthquakes became known than are fetched after an interruption", From: since, To: time.Now()})
	}
	for _, f := range features {
		updated, known := parseTime(string(peek.Text(peek.Pointer{"properties", "lastupdate"}.In(f))))
		if known && !updated.After(since) {
			continue
		}
		if err := emit(c.item(bytes.Clone(f), f)); err != nil {
			return err
		}
	}
	return nil
}

// explain is what Stream returns for an error of catchUp.
func (c *centre) explain(ctx context.Context, err error) error {
	return upstream.Ended{Who: c.socket.Who, Stream: ctx, Conn: ctx}.By(err)
}

// fetch asks for the earthquakes of the time in question, the oldest first.
func (c *centre) fetch(ctx context.Context, since time.Time) (features [][]byte, err error) {
	q := url.Values{
		"format": {"json"}, "orderby": {"time-asc"}, "limit": {strconv.Itoa(c.backfill)},
		"starttime": {since.Add(-lateness).Format("2006-01-02T15:04:05")},
	}
	body, err := upstream.Fetch(ctx, c.client, c.socket.Who, c.query+"?"+q.Encode(), "", maxAnswer)
	if err != nil || body == nil {
		return nil, err
	}
	whole := peek.Elements(peek.Field(body, "features"), func(e []byte) bool {
		features = append(features, e)
		return true
	})
	if !whole {
		return nil, errors.New("read answer of the event service: it lacks features")
	}
	return features, nil
}
