package twitter

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/upstream"
)

// twitterSource reads one stream.
type twitterSource struct {
	name     string
	opts     options
	observer source.Observer
	log      *slog.Logger
	client   *http.Client
}

var _ source.Opener = Open

// Open makes the source that cfg describes; see the package's comment.
func Open(cfg source.Config) (source.Source, error) {
	opts, err := parse(cfg.URL, cfg.Secret)
	if err != nil {
		return nil, err
	}
	if cfg.Secret != "" && opts.endpoint.Scheme == "http" && !upstream.IsLoopback(opts.endpoint.Hostname()) {
		cfg.Log.Warn("the secret travels unencrypted: use twitter+https", slog.String("source", cfg.Name))
	}
	return &twitterSource{cfg.Name, opts, cfg.Observe(), cfg.Log, upstream.Client(nil)}, nil
}

// Stream implements source.Source. The upstream cannot resume, so the cursor
// is not looked at.
func (s *twitterSource) Stream(ctx context.Context, _ feed.Cursor, emit func(feed.Item) error) error {
	dog, connCtx := upstream.NewWatchdog(ctx, s.opts.stall)
	defer dog.Stop()
	resp, err := s.connect(connCtx, dog)
	if err != nil {
		return s.explain(ctx, connCtx, source.CauseNetwork, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return upstream.Refused("twitter", resp)
	}
	s.observer.Connected()
	body, err := s.body(resp, dog)
	if err != nil {
		return s.explain(ctx, connCtx, source.CauseClosed, err)
	}
	c := newConnection(s, emit)
	if err := c.read(body); err != nil {
		return s.explain(ctx, connCtx, source.CauseClosed, err)
	}
	return c.closed()
}

// connect asks for the stream.
func (s *twitterSource) connect(ctx context.Context, dog *upstream.Watchdog) (*http.Response, error) {
	endpoint, body := s.opts.endpoint, io.Reader(http.NoBody)
	if s.opts.method == http.MethodPost {
		body = strings.NewReader(s.opts.form.Encode())
	} else {
		endpoint.RawQuery = s.opts.form.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, s.opts.method, endpoint.String(), body)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	if s.opts.method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if auth := s.opts.authorize(time.Now()); auth != "" {
		req.Header.Set("Authorization", auth)
	}
	req.Header.Set("User-Agent", upstream.Agent)
	req.Header.Set("Accept-Encoding", "gzip")
	dog.Watch()
	defer dog.Rest()
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return resp, nil
}

// body is the response's bytes, watched for silence and decompressed.
func (s *twitterSource) body(resp *http.Response, dog *upstream.Watchdog) (io.Reader, error) {
	in := dog.Reader(resp.Body)
	if !strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") {
		return in, nil
	}
	z, err := gzip.NewReader(in)
	if errors.Is(err, io.EOF) {
		return strings.NewReader(""), nil // closed before its first byte
	}
	if err != nil {
		return nil, fmt.Errorf("read gzip: %w", err)
	}
	return z, nil
}

// explain turns an error of a connection into what Stream returns; silence is
// the cause that it is given.
func (s *twitterSource) explain(ctx, connCtx context.Context, silence source.Cause, err error) error {
	return upstream.Ended{
		Who: "twitter: read " + s.name, Stream: ctx, Conn: connCtx, Silence: silence, After: s.opts.stall,
	}.By(err)
}
