package xapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/upstream"
)

// xSource reads one stream.
type xSource struct {
	name     string
	opts     options
	observer source.Observer
	log      *slog.Logger
	client   *http.Client

	budget     budget
	reconciled bool
	taken      time.Time
}

var _ source.Opener = Open

// Open makes the source that cfg describes; see the package's comment. It reads
// the file of rules, to refuse what is wrong with it.
func Open(cfg source.Config) (source.Source, error) {
	opts, err := parse(cfg.URL, cfg.Secret)
	if err != nil {
		return nil, err
	}
	if opts.rules != "" {
		if _, err := readRules(opts.rules, opts.tag); err != nil {
			return nil, err
		}
	}
	if opts.base.Scheme == "http" && !upstream.IsLoopback(opts.base.Hostname()) {
		cfg.Log.Warn("the secret travels unencrypted: use x+https", slog.String("source", cfg.Name))
	}
	return &xSource{
		name: cfg.Name, opts: opts, observer: cfg.Observe(), log: cfg.Log, client: upstream.Client(nil), budget: budget{most: opts.budget},
	}, nil
}

// Stream implements source.Source. The cursor holds the count of posts.
func (s *xSource) Stream(ctx context.Context, from feed.Cursor, emit func(feed.Item) error) error {
	if err := s.budget.resume(from); err != nil {
		return err
	}
	source.TellBudget(s.observer, s.budget.used, s.budget.most)
	if err := s.budget.left(); err != nil {
		return err
	}
	defer s.settle(ctx)
	dog, connCtx := upstream.NewWatchdog(ctx, s.opts.idle)
	defer dog.Stop()
	ended := upstream.Ended{Who: "xapi: read " + s.name, Stream: ctx, Conn: connCtx, Silence: source.CauseNetwork, After: s.opts.idle}
	if err := s.prepare(ctx); err != nil {
		return ended.By(err)
	}
	if err := s.setAside(ctx); err != nil {
		return err
	}
	resp, err := s.connect(connCtx, dog)
	if err != nil {
		return ended.By(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return s.inTheWay(ctx, s.refused(resp))
	}
	s.observer.Connected()
	ended.Silence = source.CauseClosed
	return s.inTheWay(ctx, ended.By(newConnection(ctx, s, emit).read(dog.Reader(resp.Body))))
}

// setAside sets posts aside if none is left of those that were, and returns once
// whoever comes next knows of them.
func (s *xSource) setAside(ctx context.Context) error {
	if !s.budget.spent() {
		return nil
	}
	s.budget.reserve()
	return source.Keep(ctx, s.observer, s.budget.cursor())
}

// settle makes the cursor say what was used, and no more, at the end of a
// connection. It does not wait for that: whoever is killed before leaves what was
// set aside.
func (s *xSource) settle(ctx context.Context) {
	if s.budget.most == 0 || s.budget.aside == s.budget.used {
		return
	}
	s.budget.release()
	now, cancel := context.WithCancel(ctx)
	cancel()
	_ = source.Keep(now, s.observer, s.budget.cursor())
}

// prepare sets the rules, once.
func (s *xSource) prepare(ctx context.Context) error {
	if s.reconciled || s.opts.rules == "" {
		return nil
	}
	if err := s.reconcile(ctx); err != nil {
		return err
	}
	s.reconciled = true
	return nil
}

// connect asks for the stream.
func (s *xSource) connect(ctx context.Context, dog *upstream.Watchdog) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.opts.streamURL(), http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	dog.Watch()
	defer dog.Rest()
	return s.do(req)
}

// do sends a request under our name and credential.
func (s *xSource) do(req *http.Request) (*http.Response, error) {
	req.Header.Set("Authorization", s.opts.auth)
	req.Header.Set("User-Agent", upstream.Agent)
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return resp, nil
}

// inTheWay ends the connection that err says is in the way, if it may.
func (s *xSource) inTheWay(ctx context.Context, err error) error {
	if !s.opts.takeover || !errors.Is(err, errTooMany) || time.Since(s.taken) < takeoverEvery {
		return err
	}
	s.taken = time.Now()
	path := "/2/connections/filtered_stream"
	if s.opts.stream == streamSample {
		path = "/2/connections/sample_stream"
	}
	var ended struct{}
	if failed := s.call(ctx, http.MethodDelete, path, nil, &ended); failed != nil {
		s.log.Warn("stream not taken over", slog.String("source", s.name), slog.String("error", failed.Error()))
		return err
	}
	s.log.Warn("stream taken over: another connection was ended", slog.String("source", s.name))
	return &source.Error{Cause: source.CauseClosed, Err: err}
}
