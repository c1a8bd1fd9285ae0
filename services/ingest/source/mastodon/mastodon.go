package mastodon

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/param"
	"github.com/blipstream/blipstream/services/ingest/source/peek"
	"github.com/blipstream/blipstream/services/ingest/source/sse"
	"github.com/blipstream/blipstream/services/ingest/source/upstream"
)

var _ source.Opener = Open

// server is one source: a stream of a server.
type server struct {
	name     string
	base     string // scheme and host of the REST interface
	timeline timeline
	auth     string
	backfill int
	observer source.Observer
	profile  sse.Profile
	// last is the highest id of a status so far.
	last feed.Cursor
}

// Open makes the source that cfg describes; see the package's comment.
func Open(cfg source.Config) (source.Source, error) {
	base, err := baseOf(cfg.URL)
	if err != nil {
		return nil, err
	}
	q := param.Of("mastodon", cfg.URL)
	s := &server{name: cfg.Name, base: base.String(), timeline: readTimeline(q), observer: cfg.Observe()}
	s.backfill = q.Int("backfill", defaultBackfill, 0, maxBackfill)
	s.profile = sse.Profile{
		Who: "mastodon: read " + cfg.Name, Request: s.request, Take: s.item, Opened: s.catchUp, NoResume: true,
		Client: upstream.Client(nil), Observer: s.observer, Log: cfg.Log,
	}
	s.profile.Stall, s.profile.MaxEvent = sse.Limits(q)
	q.NoMore()
	if err := q.Err(); err != nil {
		return nil, err
	}
	if s.auth, err = authorization(cfg.Secret); err != nil {
		return nil, err
	}
	if s.auth != "" && base.Scheme == "http" && !upstream.IsLoopback(base.Hostname()) {
		cfg.Log.Warn("the token travels unencrypted: use mastodon:<host>", slog.String("source", cfg.Name))
	}
	return s, nil
}

// baseOf is where the server is.
func baseOf(u *url.URL) (*url.URL, error) {
	base := &url.URL{Scheme: "https", Host: u.Opaque}
	if u.Scheme != "mastodon" {
		base = &url.URL{Scheme: strings.TrimPrefix(u.Scheme, "mastodon+"), Host: u.Host}
	}
	if base.Host == "" || strings.ContainsAny(base.Host, "/@ ") || strings.Trim(u.Path, "/") != "" {
		return nil, errors.New("mastodon: read url: it is written mastodon:<host>, as in mastodon:mastodon.social?stream=public")
	}
	return base, nil
}

// authorization makes the header's value of a secret.
func authorization(secret string) (string, error) {
	secret = strings.TrimSpace(secret)
	if secret != "" && !strings.Contains(secret, ":") {
		secret = "bearer:" + secret
	}
	return upstream.Authorization(secret)
}

// Stream implements source.Source.
func (s *server) Stream(ctx context.Context, from feed.Cursor, emit func(feed.Item) error) error {
	s.last = from
	return s.profile.Stream(ctx, from, emit)
}

// request implements sse.Profile.Request: it asks the server first where it
// serves its streams. One that does not tell, as those before version 4 and some
// that are compatible, serves them itself.
func (s *server) request(ctx context.Context, _ feed.Cursor) (*http.Request, error) {
	about, err := upstream.Fetch(ctx, s.profile.Client, s.profile.Who, s.base+"/api/v2/instance", "", maxAnswer)
	if told, ok := errors.AsType[*source.Error](err); err != nil && (!ok || told.Cause != source.CauseFatal) {
		return nil, err
	}
	told := peek.Text(peek.Pointer{"configuration", "urls", "streaming"}.In(about))
	return sse.Get(ctx, s.streaming(string(told))+s.timeline.stream(), s.auth, "")
}

// streaming is the base of the streaming API: where the server says, unless
// that would show the token to somebody on the way.
func (s *server) streaming(told string) string {
	told = strings.ReplaceAll(told, `\/`, "/")
	u, err := url.Parse(told)
	if err != nil || u.Host == "" {
		return s.base
	}
	secure := strings.HasPrefix(s.base, "https:")
	switch {
	case u.Scheme == "wss" || u.Scheme == "https":
		return "https://" + u.Host + strings.TrimSuffix(u.Path, "/")
	case secure:
		return s.base
	default:
		return "http://" + u.Host + strings.TrimSuffix(u.Path, "/")
	}
}

// item implements sse.Profile.Take.
func (s *server) item(ev sse.Event) (feed.Item, bool) {
	switch ev.Name {
	case "update", "status.update":
		return s.status(ev.Data, ev.Name == "status.update"), true
	case "delete":
		return s.deletion(ev.Data)
	default:
		return feed.Item{}, false
	}
}

// status is the item of a status, and moves the cursor over it.
func (s *server) status(data []byte, edited bool) feed.Item {
	id := peek.ID(peek.Field(data, "id"))
	it := feed.Item{ID: id, Source: s.name, Format: feed.FormatMastodon, Data: data}
	if id != "" && peek.Digits([]byte(id)) != "" && later(id, string(s.last)) {
		s.last = feed.Cursor(id)
	}
	if id == "" {
		it.ID = peek.Hashed(data)
	}
	if edited {
		version := peek.ID(peek.Field(data, "edited_at"))
		if version == "" {
			version = peek.Hashed(data)
		}
		it.ID += "@" + version
		it.Identity = it.ID
	}
	it.Cursor = s.last
	return it
}

// deletion is the item of a deleted status.
func (s *server) deletion(data []byte) (feed.Item, bool) {
	id := peek.ID(data)
	if id == "" {
		return feed.Item{}, false
	}
	return feed.Item{
		ID: "del-" + id, Source: s.name, Format: feed.FormatMastodon, Cursor: s.last,
		Data: []byte(`{"event":"delete","payload":"` + id + `"}`),
	}, true
}

// later compares two ids, which are numbers of some twenty digits.
func later(a, b string) bool {
	if len(a) != len(b) {
		return len(a) > len(b)
	}
	return a > b
}
