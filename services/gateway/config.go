package gateway

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/blipstream/blipstream/services/gateway/signin"
)

// Config is what can be set. Its tags are the flags of the program; where it is
// made by hand, start from DefaultConfig.
type Config struct {
	Addr              string        `name:"addr" default:"127.0.0.1:8080" help:"Address to serve on; port 0 takes a free one."`
	RingBytes         int64         `name:"ring-bytes" default:"67108864" help:"Memory for the newest events, in bytes, shared by all clients."`
	Warm              time.Duration `name:"warm" default:"10m" help:"How far back the memory is filled at start, as far as it takes that."`
	Window            time.Duration `name:"window" default:"20ms" help:"How long events are collected before they are sent together; the first after quiet goes at once."`
	Heartbeat         time.Duration `name:"heartbeat" default:"10s" help:"How often each client gets a heartbeat."`
	MaxClients        int           `name:"max-clients" default:"20000" help:"Most streams open at once."`
	MaxClientsPerAddr int           `name:"max-clients-per-addr" default:"1024" help:"Most streams open at once from one address."`
	MaxReplays        int           `name:"max-replays" default:"8" help:"Most clients that read history from the stream at once; others wait."`
	MaxReplayEvents   int           `name:"max-replay-events" default:"50000" help:"Most events one client is served from the stream; of more it gets the newest, and a gap."`
	MaxPaced          int           `name:"max-paced" default:"16" help:"Most clients that replay history at a pace, or a run, at once; more are refused."`
	MaxViews          int           `name:"max-views" default:"128" help:"Most different filters served at once, each as it is and compressed; each takes 1 to 3 MiB."`
	MaxViewsPerAddr   int           `name:"max-views-per-addr" default:"64" help:"Most of them that one address has made."`
	MaxQueriesPerAddr int           `name:"max-queries-per-addr" default:"1200" help:"Most requests a minute from one address for history or for a snapshot with a filter; 0 for any number."`
	MaxRemovals       int           `name:"max-removals" default:"500000" help:"Most removed posts that are remembered, at about 50 bytes each; history from before the oldest of them is not served."`
	MaxPastEvents     int           `name:"max-past-events" default:"500000" help:"Most events read at start to fill the statistics of the last hour."`
	TrustForwarded    bool          `name:"trust-forwarded" help:"Take a client's address from the last entry of X-Forwarded-For; only behind a proxy that sets it."`
	FrameOrigin       []string      `name:"frame-origin" help:"Origin whose pages may show this page in a frame, such as https://example.org; repeatable, * for all."`
	SignIn            signin.Config `embed:"" prefix:"sign-in-"`
	AllowOrigin       []string      `name:"allow-origin" help:"Origin whose pages may read the events, such as https://example.org; repeatable, * for all."`
}

// DefaultConfig is the Config of a program without flags.
func DefaultConfig() Config {
	return Config{
		Addr:              "127.0.0.1:8080",
		RingBytes:         64 << 20,
		Warm:              10 * time.Minute,
		Window:            20 * time.Millisecond,
		Heartbeat:         10 * time.Second,
		MaxClients:        20000,
		MaxClientsPerAddr: 1024,
		MaxReplays:        8,
		MaxReplayEvents:   50000,
		MaxPaced:          16,
		MaxViews:          128,
		MaxViewsPerAddr:   64,
		MaxQueriesPerAddr: 1200,
		MaxRemovals:       500000,
		MaxPastEvents:     500000,
		SignIn:            signin.DefaultConfig(),
	}
}

// WithSecrets returns c with the secrets of the environment.
func (c Config) WithSecrets(getenv func(string) string) Config {
	c.SignIn = c.SignIn.WithSecrets(getenv)
	return c
}

// minRing is the least memory with which a client has time to fetch its events.
const minRing = 1 << 20

// check refuses what cannot work.
func (c Config) check() error {
	switch {
	case c.RingBytes < minRing:
		return fmt.Errorf("gateway: check ring-bytes: %d is less than %d", c.RingBytes, minRing)
	case c.Window < 0 || c.Window > time.Second:
		return fmt.Errorf("gateway: check window: %s is not between 0 and 1s", c.Window)
	case c.Heartbeat <= 0:
		return errors.New("gateway: check heartbeat: it must be more than 0")
	case c.Warm < 0:
		return errors.New("gateway: check warm: it must not be negative")
	case c.MaxClients < 1 || c.MaxClientsPerAddr < 1:
		return errors.New("gateway: check max-clients and max-clients-per-addr: they must be at least 1")
	case c.MaxReplays < 1 || c.MaxReplayEvents < 1:
		return errors.New("gateway: check max-replays and max-replay-events: they must be at least 1")
	case c.MaxPaced < 1 || c.MaxViews < 2 || c.MaxViewsPerAddr < 2:
		return errors.New("gateway: check max-paced, max-views and max-views-per-addr: they must be at least 1, 2 and 2")
	case c.MaxQueriesPerAddr < 0:
		return errors.New("gateway: check max-queries-per-addr: it must not be negative")
	case c.MaxRemovals < 1 || c.MaxPastEvents < 0:
		return errors.New("gateway: check max-removals and max-past-events: they must be at least 1 and 0")
	}
	if err := checkOrigins("frame-origin", c.FrameOrigin); err != nil {
		return err
	}
	return checkOrigins("allow-origin", c.AllowOrigin)
}

// checkOrigins refuses what is no origin.
func checkOrigins(flag string, origins []string) error {
	for _, origin := range origins {
		if !validOrigin(origin) {
			return fmt.Errorf("gateway: check %s: %q is not an origin such as https://example.org", flag, origin)
		}
	}
	return nil
}

// validOrigin reports whether s is * or what a browser sends as Origin.
func validOrigin(s string) bool {
	if s == "*" {
		return true
	}
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && s == u.Scheme+"://"+u.Host && !strings.ContainsAny(s, ";, ")
}
