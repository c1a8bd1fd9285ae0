package emsc

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
	"github.com/blipstream/blipstream/services/ingest/source/websocket"
)

const (
	server = "wss://www.seismicportal.eu/standing_order/websocket"
	// pingEvery is what the service's own example does.
	pingEvery    = 15 * time.Second
	defaultStall = 3 * pingEvery
	// minStall and maxStall bound what can be meant.
	minStall, maxStall = 100 * time.Millisecond, 24 * time.Hour
	defaultBackfill    = 1000
	maxBackfill        = 20_000
)

var _ source.Opener = Open

// centre is one source.
type centre struct {
	name     string
	socket   websocket.Options
	query    string // the FDSN event service
	backfill int
	client   *http.Client
	observer source.Observer
	log      *slog.Logger
	last     string // the latest lastupdate
}

// Open makes the source that cfg describes; see the package's comment.
func Open(cfg source.Config) (source.Source, error) {
	endpoint, err := endpoint(cfg.URL)
	if err != nil {
		return nil, err
	}
	if cfg.Secret != "" {
		return nil, errors.New("emsc: read secret: the upstream takes none; unset it")
	}
	q := param.Of("emsc", cfg.URL)
	c := &centre{
		name: cfg.Name, query: queryOf(endpoint), client: upstream.Client(nil), observer: cfg.Observe(), log: cfg.Log,
		backfill: q.Int("backfill", defaultBackfill, 0, maxBackfill),
		socket: websocket.Options{
			Who: "emsc: read " + cfg.Name, URL: endpoint.String(), Ping: pingEvery,
			Idle: q.Duration("stall", defaultStall, minStall, maxStall),
		},
	}
	c.socket.Ping = min(pingEvery, c.socket.Idle/3)
	q.NoMore()
	return c, q.Err()
}

// endpoint is the socket's address.
func endpoint(u *url.URL) (*url.URL, error) {
	if u.Scheme != "emsc" {
		if u.Host == "" {
			return nil, errors.New("emsc: read url: it needs a host, as in emsc+wss://www.seismicportal.eu/standing_order/websocket")
		}
		return &url.URL{Scheme: strings.TrimPrefix(u.Scheme, "emsc+"), Host: u.Host, Path: u.Path}, nil
	}
	if u.Host != "" || u.Opaque != "" {
		return nil, errors.New("emsc: read url: write emsc: and nothing more")
	}
	return url.Parse(server)
}

// queryOf is the event service beside a socket.
func queryOf(socket *url.URL) string {
	scheme := "https"
	if socket.Scheme == "ws" {
		scheme = "http"
	}
	return (&url.URL{Scheme: scheme, Host: socket.Host, Path: "/fdsnws/event/1/query"}).String()
}

// Stream implements source.Source.
func (c *centre) Stream(ctx context.Context, from feed.Cursor, emit func(feed.Item) error) error {
	c.last = string(from)
	ctx, give := context.WithCancelCause(ctx)
	defer give(nil)
	var failed error
	err := websocket.Read(ctx, c.socket, func(http.Header) {
		c.observer.Connected()
		if failed = c.catchUp(ctx, emit); failed != nil {
			give(failed)
		}
	}, func(m websocket.Message) error {
		if failed != nil {
			return failed // emit must not be called again
		}
		return c.take(m, emit)
	})
	if failed != nil {
		return failed
	}
	return err
}

// take emits one message, or rejects what is not a whole one.
func (c *centre) take(m websocket.Message, emit func(feed.Item) error) error {
	if m.Cut {
		c.log.Warn("message rejected", slog.String("reason", source.ReasonTooLong), slog.Int64("bytes", m.Size))
		return c.observer.Reject(source.Rejected{
			Reason: source.ReasonTooLong, Data: bytes.Clone(m.Data), Cursor: feed.Cursor(c.last),
			Err: fmt.Errorf("emsc: read %s: message of %d bytes", c.name, m.Size),
		})
	}
	return emit(c.item(bytes.Clone(m.Data), peek.Field(m.Data, "data")))
}

// item is the item of a message about a feature, or of a feature alone.
func (c *centre) item(data, feature []byte) feed.Item {
	props := peek.Field(feature, "properties")
	id, updated := peek.ID(peek.Field(props, "unid")), peek.ID(peek.Field(props, "lastupdate"))
	if id == "" {
		id = peek.ID(peek.Field(feature, "id"))
	}
	name := id + "@" + updated
	if id == "" || updated == "" {
		name = peek.Hashed(data)
	}
	if at, ok := parseTime(updated); ok {
		if last, known := parseTime(c.last); !known || at.After(last) {
			c.last = updated
		}
	}
	return feed.Item{
		ID: name, Identity: name, Source: c.name, Format: feed.FormatEMSC, Received: time.Now(),
		Cursor: feed.Cursor(c.last), Data: data,
	}
}

// parseTime reads a time of the service, which has a Z behind it or not.
func parseTime(s string) (time.Time, bool) {
	t, err := time.Parse("2006-01-02T15:04:05", strings.TrimSuffix(s, "Z"))
	return t, err == nil
}
