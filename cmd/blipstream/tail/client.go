package tail

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/r3labs/sse/v2"
	"gopkg.in/cenkalti/backoff.v1"
)

// The defaults of a Client.
const (
	// defaultIdle is three of the gateway's heartbeats, which come every 10 s.
	defaultIdle     = 30 * time.Second
	defaultMinDelay = 250 * time.Millisecond
	defaultMaxDelay = 10 * time.Second
)

// errIdle ends a connection on which nothing came, not even a heartbeat.
var errIdle = errors.New("nothing came, not even a heartbeat")

// errToken does not say what the token is.
var errToken = errors.New("tail: read token: it holds what no token holds, such as a space: give it without anything around it")

// Client reads the events of one gateway and connects again whenever it must,
// going on after the last event it handed over.
type Client struct {
	// URL of the gateway, such as http://127.0.0.1:8080.
	URL string
	// Kinds to read; none means all.
	Kinds []string
	// Since is how far back to begin, as the gateway's since parameter.
	Since string
	// Token is shown to a gateway that asks for a sign-in; "" shows none.
	Token string
	// Log receives what happens to the connection.
	Log *slog.Logger
	// Open, if not nil, is called whenever a connection has been greeted.
	Open func()
	// Gap, if not nil, is told what the gateway says it cannot serve.
	Gap func(Gap)

	// Idle is how long a connection may be silent before it is given up.
	// Default 30 s.
	Idle time.Duration
	// MinDelay and MaxDelay bound the wait before a connection is made again;
	// it doubles from one to the other. Defaults 250 ms and 10 s.
	MinDelay, MaxDelay time.Duration
}

// Run calls handle with every event, never two at a time, until ctx ends (it
// returns nil), handle fails (its error), or the gateway gives an answer that
// trying again will not change.
func (c *Client) Run(ctx context.Context, handle func(*sse.Event) error) error {
	target, err := c.target()
	if err != nil {
		return err
	}
	s := &session{client: c, target: target, handle: handle, delay: c.minDelay()}
	for {
		err := s.connect(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // being asked to stop is not a failure, whatever it broke
		}
		if fatal, ok := errors.AsType[*fatalError](err); ok {
			return fatal.error
		}
		if !s.pause(ctx, err) {
			return nil
		}
	}
}

// Check refuses a URL that is not a gateway's, as Run does.
func (c *Client) Check() error {
	_, err := c.target()
	return err
}

// target is the address of the events, without since.
func (c *Client) target() (*url.URL, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, fmt.Errorf("tail: read gateway URL: %w", err)
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("tail: read gateway URL: %q is not one: give it as http://host:port", c.URL)
	}
	if !validToken(c.Token) {
		return nil, errToken
	}
	u = u.JoinPath("events")
	if len(c.Kinds) > 0 {
		u.RawQuery = url.Values{"kind": c.Kinds}.Encode()
	}
	return u, nil
}

// InTheClear reports whether others may read the token on its way.
func (c *Client) InTheClear() bool {
	u, err := c.target()
	if err != nil || c.Token == "" || u.Scheme == "https" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback())
}

// validToken reports whether s can be sent as one: as RFC 6750, section 2.1,
// has it, without its order.
func validToken(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),:;<>?@[\]{}`, r)
	})
}

func (c *Client) idle() time.Duration     { return orDefault(c.Idle, defaultIdle) }
func (c *Client) minDelay() time.Duration { return orDefault(c.MinDelay, defaultMinDelay) }
func (c *Client) maxDelay() time.Duration { return orDefault(c.MaxDelay, defaultMaxDelay) }

func orDefault(d, def time.Duration) time.Duration {
	if d <= 0 {
		return def
	}
	return d
}

// session is what a Client remembers from one connection to the next.
type session struct {
	client *Client
	target *url.URL
	handle func(*sse.Event) error

	// lastID is the id of the last event handed over, or the one just before
	// the first that the gateway promised.
	lastID string
	// delay is the next wait. retry is the least that the gateway asked for,
	// and reopen the same for one time.
	delay, retry, reopen time.Duration
	// lost is true while there is no connection and the user has been told.
	lost bool
}

// connect makes one connection and reads it to its end.
func (s *session) connect(parent context.Context) error {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	client := sse.NewClient(s.address(), sse.ClientMaxBufferSize(maxEvent))
	client.ReconnectStrategy = &backoff.StopBackOff{}
	client.ResponseValidator = validate
	transport := newTransport(s.client.idle(), cancel)
	defer transport.base.CloseIdleConnections()
	client.Connection = &http.Client{Transport: transport}
	if token := s.client.Token; token != "" {
		client.Headers["Authorization"] = "Bearer " + token
		// It must not follow to a place that nobody named.
		client.Connection.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	if s.lastID != "" {
		client.LastEventID.Store([]byte(s.lastID))
	}
	err := client.SubscribeRawWithContext(ctx, func(ev *sse.Event) {
		if ctx.Err() != nil {
			return
		}
		if err := s.take(ev); err != nil {
			cancel(&fatalError{err})
		}
	})
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// address is the target, with since as long as there is no id to go on from.
func (s *session) address() string {
	u := *s.target
	if s.lastID == "" && s.client.Since != "" {
		q := u.Query()
		q.Set("since", s.client.Since)
		u.RawQuery = q.Encode()
	}
	return u.String()
}

// take handles one event of the connection.
func (s *session) take(ev *sse.Event) error {
	s.noteRetry(ev)
	// Comments and lone ids arrive as events, with the id of the one before.
	if len(ev.Data) == 0 {
		return nil
	}
	if !s.takeOwn(ev) {
		if err := s.handle(ev); err != nil {
			return err
		}
	}
	if len(ev.ID) > 0 {
		s.lastID = string(ev.ID)
	}
	return nil
}

// noteRetry takes the least wait that the server asked for in a retry field.
func (s *session) noteRetry(ev *sse.Event) {
	ms, err := strconv.ParseUint(string(ev.Retry), 10, 31)
	if err == nil {
		s.retry = min(time.Duration(ms)*time.Millisecond, s.client.maxDelay())
	}
}

// pause waits before the next connection; false means that ctx has ended.
func (s *session) pause(ctx context.Context, why error) bool {
	wait := s.delay/2 + rand.N(s.delay/2+1)
	s.delay = min(2*s.delay, s.client.maxDelay())
	wait = max(wait, s.retry, s.reopen, retryAfter(why))
	s.reopen = 0
	s.tell(ctx, why, wait)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// tell logs the loss of a connection once, and each further failure quietly.
func (s *session) tell(ctx context.Context, why error, wait time.Duration) {
	reason := "the gateway ended the stream"
	if why != nil {
		reason = why.Error()
	}
	level := slog.LevelWarn
	if s.lost {
		level = slog.LevelDebug
	}
	s.lost = true
	s.client.Log.LogAttrs(ctx, level, "connecting again",
		slog.String("reason", reason), slog.Duration("in", wait.Round(time.Millisecond)))
}
