package sse

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/param"
	"github.com/blipstream/blipstream/services/ingest/source/peek"
	"github.com/blipstream/blipstream/services/ingest/source/upstream"
)

const (
	minStall, maxStall = 100 * time.Millisecond, 24 * time.Hour
	minEvent, maxEvent = 1 << 10, 64 << 20
)

var _ source.Opener = Open

// generic is the source of sse+https: URLs.
type generic struct {
	name     string
	endpoint string
	auth     string
	id       peek.Pointer
	format   feed.Format
	events   []string
}

// Open makes the source that cfg describes; see the package's comment.
func Open(cfg source.Config) (source.Source, error) {
	if cfg.URL.Host == "" {
		return nil, errors.New("sse: read url: it needs a host, as in sse+https://stream.example.com/events")
	}
	g := &generic{name: cfg.Name}
	prof := &Profile{Who: "sse: read " + cfg.Name, Observer: cfg.Observe(), Log: cfg.Log, Client: upstream.Client(nil)}
	q := param.Of("sse", cfg.URL)
	g.take(q)
	prof.Stall, prof.MaxEvent = Limits(q)
	if err := q.Err(); err != nil {
		return nil, err
	}
	endpoint := Endpoint(cfg.URL, "sse+", q.Rest())
	var err error
	if g.auth, err = upstream.Authorization(cfg.Secret); err != nil {
		return nil, err
	}
	if g.auth != "" && endpoint.Scheme == "http" && !upstream.IsLoopback(endpoint.Hostname()) {
		cfg.Log.Warn("the secret travels unencrypted: use sse+https", slog.String("source", cfg.Name))
	}
	g.endpoint = endpoint.String()
	prof.Request, prof.Take = g.request, g.item
	return prof, nil
}

// Endpoint is u without the prefix of its scheme, with other parameters.
func Endpoint(u *url.URL, prefix string, params url.Values) *url.URL {
	return &url.URL{Scheme: strings.TrimPrefix(u.Scheme, prefix), Host: u.Host, Path: u.Path, RawPath: u.RawPath, RawQuery: params.Encode()}
}

// Limits takes the parameters stall and max-event.
func Limits(q *param.Params) (stall time.Duration, event int) {
	return q.Duration("stall", DefaultStall, minStall, maxStall), q.Int("max-event", DefaultMaxEvent, minEvent, maxEvent)
}

// take takes the parameters that say what becomes an item.
func (g *generic) take(q *param.Params) {
	if pointer := q.Text("id", ""); pointer != "" {
		p, err := peek.ParsePointer(pointer)
		if err != nil {
			q.Fail("id", err)
		}
		g.id = p
	}
	g.format = q.Format()
	if names := q.Text("events", ""); names != "" {
		g.events = strings.Split(names, ",")
	}
}

// request implements Profile.Request.
func (g *generic) request(ctx context.Context, from feed.Cursor) (*http.Request, error) {
	return Get(ctx, g.endpoint, g.auth, from)
}

// Get makes the request for a stream: auth is its Authorization, and from its
// Last-Event-ID, if they are not empty.
func Get(ctx context.Context, endpoint, auth string, from feed.Cursor) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint, http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", upstream.Agent)
	if auth != "" {
		req.Header.Set("Authorization", auth)
	}
	if from != "" {
		req.Header.Set("Last-Event-ID", string(from))
	}
	return req, nil
}

// item implements Profile.Take.
func (g *generic) item(ev Event) (feed.Item, bool) {
	name := ev.Name
	if name == "" {
		name = "message"
	}
	if g.events != nil && !slices.Contains(g.events, name) {
		return feed.Item{}, false
	}
	return feed.Item{ID: g.identify(ev), Source: g.name, Format: g.format, Cursor: feed.Cursor(ev.ID), Data: ev.Data}, true
}

// identify names an event.
func (g *generic) identify(ev Event) string {
	if g.id != nil {
		if id := peek.ID(g.id.In(ev.Data)); id != "" {
			return id
		}
	}
	if !ev.Own {
		return peek.Hashed(ev.Data)
	}
	return peek.Hashed([]byte(ev.ID), ev.Data)
}
