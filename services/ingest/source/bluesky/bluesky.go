package bluesky

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/upstream"
	"github.com/blipstream/blipstream/services/ingest/source/websocket"
)

// blueskySource reads Jetstream instances, one at a time.
type blueskySource struct {
	name     string
	opts     options
	observer source.Observer
	log      *slog.Logger
	dial     upstream.Dial // nil: the network

	host  int         // which of opts.hosts is next
	dict  *dictionary // of the instance dictHost
	owner string
	// tooOld is how many instances in a row no longer had what the cursor asks
	// for; forget says that all have been asked.
	tooOld int
	forget bool
}

var _ source.Opener = Open

// Open makes the source that cfg describes; see the package's comment.
func Open(cfg source.Config) (source.Source, error) {
	opts, err := parse(cfg.URL, cfg.Secret)
	if err != nil {
		return nil, err
	}
	return &blueskySource{name: cfg.Name, opts: opts, observer: cfg.Observe(), log: cfg.Log, host: -1}, nil
}

// Stream implements source.Source.
func (s *blueskySource) Stream(ctx context.Context, from feed.Cursor, emit func(feed.Item) error) error {
	at, err := parsePlace(from)
	if err != nil {
		// Better to go on now, and to say so, than never again.
		source.TellGap(s.observer, source.Gap{Why: "the saved cursor cannot be read"})
		s.log.Warn("cursor ignored", slog.String("source", s.name), slog.String("error", err.Error()))
	}
	host := s.choose(at)
	c := &connection{blueskySource: s, host: host, from: at, last: at, emit: emit}
	err = c.run(ctx)
	if told, ok := errors.AsType[*source.Error](err); ok {
		s.host++
		s.log.Debug("instance left", slog.String("source", s.name), slog.String("host", host), slog.String("cause", told.Cause.String()))
	}
	return err
}

// choose picks the instance to connect to: at first the one that the cursor
// comes from, because there it is exact, then in turn.
func (s *blueskySource) choose(at place) string {
	if s.host < 0 {
		s.host = max(0, slices.Index(s.opts.hosts, at.host))
	}
	s.host %= len(s.opts.hosts)
	return s.opts.hosts[s.host]
}

// prepare fetches the instance's dictionary, if one is wanted and not there.
func (s *blueskySource) prepare(ctx context.Context, host string) (uint32, error) {
	if !s.opts.zstd {
		return 0, nil
	}
	if s.dict == nil || s.owner != host {
		d, err := s.fetchDictionary(ctx, host, s.opts.maxFrame)
		if err != nil {
			return 0, err
		}
		s.dict, s.owner = d, host
	}
	return s.dict.id, nil
}

// run makes the connection and reads it to its end.
func (c *connection) run(ctx context.Context) error {
	ended := upstream.Ended{Who: "bluesky: read " + c.name, Stream: ctx, Conn: ctx}
	dictionary, err := c.prepare(ctx, c.host)
	if err != nil {
		return ended.By(err)
	}
	cursor := c.from.ask(c.host)
	if c.forget {
		cursor, c.begun = "", true // the gap was told when it was refused
	}
	o := websocket.Options{
		Who: ended.Who, URL: c.opts.address(c.host, cursor, dictionary), Hello: c.opts.hello(),
		Limit: c.opts.maxFrame, Idle: c.opts.idle, Dial: c.dial, Refused: c.refused,
	}
	if c.opts.wire == wireV2 {
		o.Subprotocols = []string{subprotocolV2}
	}
	return websocket.Read(ctx, o, func(http.Header) {
		c.forget, c.tooOld = false, 0
		c.observer.Connected()
	}, c.take)
}

// refused is what an instance means that refuses the handshake. Several of them
// can be tried before one that is gone, or wants a password, ends the source.
func (c *connection) refused(resp *http.Response) error {
	if resp.StatusCode != http.StatusBadRequest {
		err := upstream.Refused("bluesky", resp)
		if told, ok := errors.AsType[*source.Error](err); ok && told.Cause == source.CauseFatal && len(c.opts.hosts) > 1 {
			told.Cause = source.CauseHTTP
		}
		return err
	}
	const most = 4 << 10
	body, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil {
		body = nil // the status alone has to do
	}
	var problem struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(body, &problem) != nil {
		problem.Error = ""
	}
	cause := source.CauseFatal // a request that is wrong stays wrong
	switch problem.Error {
	case "CursorTooOld":
		cause = source.CauseClosed
		if c.tooOld++; c.tooOld >= len(c.opts.hosts) { // the next may keep more
			c.forget = true
			c.gone()
		}
	case "UnknownZstdDictionary":
		cause, c.dict = source.CauseClosed, nil
	}
	return &source.Error{Cause: cause, Err: fmt.Errorf("bluesky: connect to %s: upstream answered %s: %s", c.host, resp.Status, upstream.Excerpt(body))}
}
