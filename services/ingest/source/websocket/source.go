package websocket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/param"
	"github.com/blipstream/blipstream/services/ingest/source/peek"
	"github.com/blipstream/blipstream/services/ingest/source/upstream"
)

const (
	// defaultStall is twice the 30 s after which most servers ping, or are pinged.
	defaultStall       = time.Minute
	defaultPing        = 30 * time.Second
	minTime, maxTime   = 100 * time.Millisecond, 24 * time.Hour
	minEvent, maxEvent = 1 << 10, 64 << 20
	defaultMaxEvent    = 1 << 20
)

// generic is the source of ws+https: and wss: URLs.
type generic struct {
	name     string
	observer source.Observer
	log      *slog.Logger
	options  Options
	id       peek.Pointer
	format   feed.Format
}

var _ source.Opener = Open

// Open makes the generic source that cfg describes; see the package's comment.
func Open(cfg source.Config) (source.Source, error) {
	if cfg.URL.Host == "" {
		return nil, errors.New("websocket: read url: it needs a host, as in ws+https://stream.example.com/events")
	}
	g := &generic{name: cfg.Name, observer: cfg.Observe(), log: cfg.Log}
	q := param.Of("websocket", cfg.URL)
	g.take(q)
	if err := q.Err(); err != nil {
		return nil, err
	}
	auth, err := upstream.Authorization(cfg.Secret)
	if err != nil {
		return nil, err
	}
	endpoint := url.URL{
		Scheme: strings.TrimPrefix(cfg.URL.Scheme, "ws+"), Host: cfg.URL.Host, Path: cfg.URL.Path, RawPath: cfg.URL.RawPath, RawQuery: q.Rest().Encode(),
	}
	if auth != "" {
		g.options.Header = http.Header{"Authorization": {auth}}
		if !strings.HasSuffix(endpoint.Scheme, "s") && !upstream.IsLoopback(endpoint.Hostname()) {
			cfg.Log.Warn("the secret travels unencrypted: use ws+https", slog.String("source", cfg.Name))
		}
	}
	g.options.Who, g.options.URL = "websocket: read "+cfg.Name, endpoint.String()
	return g, nil
}

// take takes the parameters that are ours.
func (g *generic) take(q *param.Params) {
	if pointer := q.Text("id", ""); pointer != "" {
		p, err := peek.ParsePointer(pointer)
		if err != nil {
			q.Fail("id", err)
		}
		g.id = p
	}
	g.format = q.Format()
	if hello := q.Text("hello", ""); hello != "" {
		g.options.Hello = []byte(hello)
	}
	if protocols := q.Text("subprotocol", ""); protocols != "" {
		g.options.Subprotocols = strings.Split(protocols, ",")
	}
	g.options.Idle = q.Duration("stall", defaultStall, minTime, maxTime)
	g.options.Ping = q.Duration("ping", defaultPing, minTime, maxTime)
	g.options.Limit = q.Int("max-event", defaultMaxEvent, minEvent, maxEvent)
}

// Stream implements source.Source. Nothing is known by which it could resume.
func (g *generic) Stream(ctx context.Context, _ feed.Cursor, emit func(feed.Item) error) error {
	connected := func(http.Header) { g.observer.Connected() }
	return Read(ctx, g.options, connected, func(m Message) error {
		data := bytes.Clone(m.Data)
		if m.Cut {
			g.log.Warn("message rejected", slog.String("source", g.name), slog.Int64("bytes", m.Size))
			return g.observer.Reject(source.Rejected{
				Reason: source.ReasonTooLong, Data: data,
				Err: fmt.Errorf("%s: message of %d bytes, the limit is %d", g.options.Who, m.Size, g.options.Limit),
			})
		}
		return emit(feed.Item{ID: g.identify(data), Source: g.name, Format: g.format, Received: time.Now(), Data: data})
	})
}

// identify names a message.
func (g *generic) identify(data []byte) string {
	if g.id != nil {
		if id := peek.ID(g.id.In(data)); id != "" {
			return id
		}
	}
	return peek.Hashed(data)
}
