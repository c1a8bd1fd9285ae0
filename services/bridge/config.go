package bridge

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/blipstream/blipstream/internal/conf"
	"github.com/blipstream/blipstream/internal/feed"
)

// Direction is which way a channel is copied.
type Direction string

// The directions.
const (
	// In copies from Redis to NATS.
	In Direction = "in"
	// Out copies from NATS to Redis.
	Out Direction = "out"
	// Off leaves a channel alone.
	Off Direction = "off"
)

// secretPassword is the variable with Redis' password.
const secretPassword = conf.SecretPrefix + "REDIS"

// Config is what can be set. Its tags are the flags of the program; where it is
// made by hand, start from DefaultConfig.
type Config struct {
	Redis string `name:"redis" default:"redis://127.0.0.1:6379" help:"URL of Redis: redis://, rediss:// (TLS) or unix://; with addr=HOST:PORT parameters a Cluster's, with master_name a Sentinel's. The password may be in BLIPSTREAM_SECRET_REDIS instead."`

	TwitterRaw        Direction `name:"twitter-raw" default:"off" enum:"in,out,off" help:"Copy the raw channel: in to raw.<source>, out from raw.> (${enum})."`
	TwitterRawChannel string    `name:"twitter-raw-channel" default:"twitter_raw" help:"Name of the raw channel."`
	Events            Direction `name:"events" default:"off" enum:"in,out,off" help:"Copy the events channel: in to events.<kind>, out from there (${enum})."`
	EventsChannel     string    `name:"events-channel" default:"events" help:"Name of the events channel."`

	Kinds  []string `name:"event-kinds" default:"simple_tweet,geo_blip" help:"Kinds of events that are copied, either way. The default are those the old pages know."`
	Source string   `name:"legacy-source" default:"legacy" help:"Source that incoming messages are stored under."`

	MaxAge   time.Duration `name:"max-age" default:"5m" help:"Age beyond which messages that waited for Redis are not sent any more; 0 sends all."`
	Grace    time.Duration `name:"subscriber-grace" default:"5s" help:"How long, after Redis was away, to wait for a first subscriber before sending."`
	LeaseTTL time.Duration `name:"lease-ttl" default:"5s" help:"How long after the death of the bridge that works another takes over."`

	// Password is Redis' password; it wins over that of the URL.
	Password string `kong:"-"`
}

// The defaults. Old pages show the present, so five minutes is long for them
// and enough for a restart of Redis. Five seconds are what supervised programs
// need to be back.
const (
	defaultMaxAge   = 5 * time.Minute
	defaultGrace    = 5 * time.Second
	defaultLeaseTTL = 5 * time.Second
)

// DefaultConfig is the Config of a program without flags, which copies nothing.
func DefaultConfig() Config {
	return Config{
		Redis:      "redis://127.0.0.1:6379",
		TwitterRaw: Off, TwitterRawChannel: "twitter_raw",
		Events: Off, EventsChannel: "events",
		Kinds:  []string{string(feed.KindSimpleTweet), string(feed.KindGeoBlip)},
		Source: "legacy", MaxAge: defaultMaxAge, Grace: defaultGrace, LeaseTTL: defaultLeaseTTL,
	}
}

// WithSecrets returns c with the secrets of the environment.
func (c Config) WithSecrets(getenv func(string) string) Config {
	if p := getenv(secretPassword); p != "" {
		c.Password = p
	}
	return c
}

// check finds settings that cannot work.
func (c Config) check() error {
	if err := c.checkChannels(); err != nil {
		return fmt.Errorf("bridge: read settings: %w", err)
	}
	for _, k := range c.Kinds {
		if !feed.Kind(k).Valid() {
			return fmt.Errorf("bridge: read settings: event-kinds: %q can be no kind of event", k)
		}
	}
	switch {
	case c.Events != Off && len(c.Kinds) == 0:
		return errors.New("bridge: read settings: event-kinds is empty: set events to off instead")
	case !feed.ValidSource(c.Source):
		return fmt.Errorf("bridge: read settings: legacy-source: %q can be no source", c.Source)
	case c.MaxAge < 0 || c.Grace < 0:
		return errors.New("bridge: read settings: max-age and subscriber-grace must not be negative")
	case c.LeaseTTL < time.Second:
		return errors.New("bridge: read settings: lease-ttl must be 1s or more")
	}
	return nil
}

// checkChannels refuses what would copy nothing, or in a circle.
func (c Config) checkChannels() error {
	for _, d := range []Direction{c.TwitterRaw, c.Events} {
		if !slices.Contains([]Direction{In, Out, Off}, d) {
			return fmt.Errorf("%q is no direction: use in, out or off", d)
		}
	}
	switch {
	case c.TwitterRaw == Off && c.Events == Off:
		return errors.New("nothing to do: twitter-raw and events are both off")
	case c.TwitterRaw != Off && strings.TrimSpace(c.TwitterRawChannel) == "", c.Events != Off && strings.TrimSpace(c.EventsChannel) == "":
		return errors.New("a channel that is used needs a name")
	case !utf8.ValidString(c.TwitterRawChannel + c.EventsChannel):
		return errors.New("the name of a channel must be UTF-8")
	case c.TwitterRaw != Off && c.Events != Off && c.TwitterRawChannel == c.EventsChannel:
		return fmt.Errorf("twitter-raw (%s) and events (%s) meet on the channel %q: each needs its own",
			c.TwitterRaw, c.Events, c.EventsChannel)
	}
	return nil
}
