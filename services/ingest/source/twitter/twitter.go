package twitter

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source"
)

// connectTimeout bounds the making of a connection, name to handshake.
const connectTimeout = 15 * time.Second

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
	if opts.auth != "" && opts.endpoint.Scheme == "http" && !isLoopback(opts.endpoint.Hostname()) {
		cfg.Log.Warn("the secret travels unencrypted: use twitter+https", slog.String("source", cfg.Name))
	}
	return &twitterSource{cfg.Name, opts, cfg.Observe(), cfg.Log, newClient(nil)}, nil
}

// newClient makes a client for connections that never end. dial, if not nil,
// replaces the network.
func newClient(dial func(ctx context.Context, network, addr string) (net.Conn, error)) *http.Client {
	if dial == nil {
		dial = (&net.Dialer{Timeout: connectTimeout, KeepAlive: connectTimeout}).DialContext
	}
	return &http.Client{
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         dial,
			TLSHandshakeTimeout: connectTimeout,
			DisableKeepAlives:   true, // a stream's connection is never used twice
			DisableCompression:  true, // asked for and undone here, below the stall timer
		},
		// A stream that has moved is a configuration to correct, and a
		// credential must not follow to a place nobody named.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// isLoopback reports whether what is sent to host stays on this machine.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Stream implements source.Source. The upstream cannot resume, so the cursor
// is not looked at.
func (s *twitterSource) Stream(ctx context.Context, _ feed.Cursor, emit func(feed.Item) error) error {
	dog, connCtx := newWatchdog(ctx, s.opts.stall)
	defer dog.stop()
	resp, err := s.connect(connCtx, dog)
	if err != nil {
		return s.explain(ctx, connCtx, source.CauseNetwork, err)
	}
	defer resp.Body.Close()
	if fail := refusal(resp); fail != nil {
		return fail
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
func (s *twitterSource) connect(ctx context.Context, dog *watchdog) (*http.Response, error) {
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
	if s.opts.auth != "" {
		req.Header.Set("Authorization", s.opts.auth)
	}
	req.Header.Set("User-Agent", "blipstream")
	req.Header.Set("Accept-Encoding", "gzip")
	dog.watch()
	defer dog.rest()
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return resp, nil
}

// body is the response's bytes, watched for silence and decompressed.
func (s *twitterSource) body(resp *http.Response, dog *watchdog) (io.Reader, error) {
	in := &watched{resp.Body, dog}
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
	var passed *emitError
	switch {
	case errors.As(err, &passed):
		return passed.err
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(context.Cause(connCtx), source.ErrStalled):
		return &source.Error{Cause: silence, Err: fmt.Errorf("twitter: read %s: %w for %v", s.name, source.ErrStalled, s.opts.stall)}
	default:
		return &source.Error{Cause: source.CauseNetwork, Err: fmt.Errorf("twitter: read %s: %w", s.name, err)}
	}
}

// emitError carries an error of emit, to be returned as it is.
type emitError struct{ err error }

func (e *emitError) Error() string { return e.err.Error() }
