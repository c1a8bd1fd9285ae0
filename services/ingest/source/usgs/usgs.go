package usgs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/param"
	"github.com/blipstream/blipstream/services/ingest/source/poll"
	"github.com/blipstream/blipstream/services/ingest/source/sse"
	"github.com/blipstream/blipstream/services/ingest/source/upstream"
)

const (
	server      = "https://earthquake.usgs.gov/earthquakes/feed/v1.0/summary/"
	defaultFeed = "all_day"
	// defaultInterval is how often the feeds are made anew.
	defaultInterval = time.Minute
	politeInterval  = 30 * time.Second
	shortInterval   = 10 * time.Millisecond
	maxInterval     = 24 * time.Hour
	// defaultStall is how long an answer may hang.
	defaultStall       = 30 * time.Second
	minStall, maxStall = 100 * time.Millisecond, time.Hour
	// maxBody leaves room for a month of all earthquakes, some 10 MB.
	maxBody = 64 << 20
)

var _ source.Opener = Open

// quakes is one source.
type quakes struct {
	name     string
	window   time.Duration // how far back the feed reaches; 0 if unknown
	poll     poll.Profile
	observer source.Observer
	log      *slog.Logger
}

// Open makes the source that cfg describes; see the package's comment.
func Open(cfg source.Config) (source.Source, error) {
	endpoint, err := endpoint(cfg.URL)
	if err != nil {
		return nil, err
	}
	if cfg.Secret != "" {
		return nil, errors.New("usgs: read secret: the upstream takes none; unset it")
	}
	least := politeInterval
	if upstream.IsLoopback(endpoint.Hostname()) {
		least = shortInterval
	}
	q := param.Of("usgs", cfg.URL)
	interval := q.Duration("interval", defaultInterval, least, maxInterval)
	stall := q.Duration("stall", defaultStall, minStall, maxStall)
	q.NoMore()
	if err := q.Err(); err != nil {
		return nil, err
	}
	return &quakes{
		name: cfg.Name, window: window(endpoint.Path), observer: cfg.Observe(), log: cfg.Log,
		poll: poll.Profile{
			Who: "usgs: read " + cfg.Name, URL: endpoint.String(), Interval: interval, Stall: stall, MaxBody: maxBody,
			Client: upstream.Client(nil), Observer: cfg.Observe(),
		},
	}, nil
}

// endpoint is the feed's address.
func endpoint(u *url.URL) (*url.URL, error) {
	if u.Scheme != "usgs" {
		if u.Host == "" {
			return nil, errors.New("usgs: read url: it needs a host, as in usgs+https://earthquake.usgs.gov/earthquakes/feed/v1.0/summary/all_day.geojson")
		}
		return sse.Endpoint(u, "usgs+", nil), nil
	}
	name := u.Opaque
	if name == "" {
		name = defaultFeed
	}
	size, span, _ := strings.Cut(name, "_")
	switch size {
	case "all", "1.0", "2.5", "4.5", "significant":
	default:
		span = ""
	}
	if window(span) == 0 || u.Host != "" {
		return nil, fmt.Errorf("usgs: read url: %q is no feed; one is written as usgs:all_day, of all, 1.0, 2.5, 4.5 or significant, and hour, day, week or month", name)
	}
	return url.Parse(server + name + ".geojson")
}

// window is how far back a feed reaches, by the end of its name; 0 if unknown.
func window(name string) time.Duration {
	const day = 24 * time.Hour
	name = strings.TrimSuffix(name, ".geojson")
	switch name[strings.LastIndexByte(name, '_')+1:] {
	case "hour":
		return time.Hour
	case "day":
		return day
	case "week":
		return 7 * day
	case "month":
		return 30 * day
	default:
		return 0
	}
}

// Stream implements source.Source.
func (s *quakes) Stream(ctx context.Context, from feed.Cursor, emit func(feed.Item) error) error {
	held, err := parseCursor(from)
	if err != nil {
		return &source.Error{Cause: source.CauseFatal, Err: err}
	}
	began, told := from != "", held.generated
	return s.poll.Stream(ctx, func(body []byte) error {
		now, err := readAnswer(body)
		if err != nil {
			return err
		}
		if now.generated < held.generated {
			s.log.Debug("an older answer than the last one was passed over", slog.String("source", s.name))
			return nil
		}
		if began {
			s.tellGap(held.generated, now.generated)
			began = false
		}
		next, items, err := s.follow(held, now, emit)
		if held = next; items > 0 || err != nil {
			told = held.generated
			return err
		}
		if told != 0 && s.quietFor(told, held.generated) {
			told = held.generated
			return passed(source.Keep(ctx, s.observer, held.cursor()))
		}
		return nil
	})
}

// passed marks an error of the service, which Stream returns as it is.
func passed(err error) error {
	if err == nil {
		return nil
	}
	return &upstream.EmitError{Err: err}
}

// quietFor reports whether a cursor of one time has to be saved anew at another,
// although nothing has happened since: else who comes back later would take the
// quiet for a gap.
func (s *quakes) quietFor(told, now int64) bool {
	const often = 4 // within what the feed reaches back
	return s.window > 0 && now-told > s.window.Milliseconds()/often
}

// tellGap tells of a gap between what was held and the oldest that is served.
func (s *quakes) tellGap(held, now int64) {
	from, to := time.UnixMilli(held).UTC(), time.UnixMilli(now).Add(-s.window).UTC()
	if s.window > 0 && from.Before(to) {
		source.TellGap(s.observer, source.Gap{Why: "the feed does not reach back to where reading stopped", From: from, To: to})
	}
}

// follow emits the difference between what was held and an answer, and returns
// what is held then, and how many items that made.
func (s *quakes) follow(held holding, now answer, emit func(feed.Item) error) (holding, int, error) {
	gone, next := s.compare(held, now)
	items := s.items(held, now, gone)
	for i, it := range items {
		if i == len(items)-1 {
			it.Cursor = next.cursor()
		}
		if err := emit(it); err != nil {
			return held, i, passed(err)
		}
	}
	return next, len(items), nil
}

// items are the items of an answer: what is new or changed, then what is gone.
func (s *quakes) items(held holding, now answer, gone []string) (items []feed.Item) {
	received := time.Now()
	add := func(id string, data []byte) {
		items = append(items, feed.Item{
			ID: id, Identity: id, Source: s.name, Format: feed.FormatUSGS, Received: received, Data: data,
		})
	}
	for _, f := range now.features {
		if old, known := held.quakes[f.id]; !known || old.updated != f.updated {
			add(fmt.Sprintf("%s@%d", f.id, f.updated), bytes.Clone(f.data)) // not to keep the whole answer
		}
	}
	for _, id := range gone {
		add(fmt.Sprintf("%s@deleted-%d", id, now.generated), deletion(id, now.generated))
	}
	return items
}

// deletion is what tells that an earthquake is gone, in the feed's own shape.
func deletion(id string, at int64) []byte {
	return fmt.Appendf(nil, `{"type":"Feature","id":%q,"properties":{"status":"deleted","updated":%d},"geometry":null}`, id, at)
}
