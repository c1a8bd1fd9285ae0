package bridge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/service"
)

const (
	// stage names this service in leases, dead letters and log lines.
	stage = "bridge"
	// closeTimeout bounds what is finished after the service was asked to stop.
	closeTimeout = 3 * time.Second
)

// Service is one bridge, which works or waits until the one that works is gone.
type Service struct {
	cfg      Config
	conn     *bus.Conn
	log      *slog.Logger
	redis    redis.UniversalClient
	marker   marker
	metrics  *metrics
	channels []*channel
	// listeners are those of the channels that are copied in.
	listeners []*incoming
	// began is when the service was made: what the streams hold since then it
	// copies, also where it could not reach Redis or NATS at once.
	began   time.Time
	looped  atomic.Pointer[error]
	working atomic.Bool
}

// channel is one Redis channel that is copied.
type channel struct {
	name      string
	direction Direction
	meter     *channelMetrics
	// up is whether Redis answered when it was last asked for this channel.
	up atomic.Bool
	// complained is whether the present trouble has been logged. Only run uses it.
	complained bool
	// run copies until ctx ends, or something is wrong that waiting cannot mend.
	run func(ctx context.Context) error
	// marked turns the marker into a message of this channel.
	marked func(marker) []byte
}

// New makes a bridge that works over conn. It refuses a configuration that
// cannot work; it does not dial.
func New(cfg Config, conn *bus.Conn, env service.Env) (*Service, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	redis.SetLogger(silent{})
	client, err := newClient(cfg.Redis, cfg.Password)
	if err != nil {
		return nil, fmt.Errorf("bridge: read redis: %w", err)
	}
	s := &Service{
		cfg: cfg, conn: conn, log: env.Log, redis: client, marker: newMarker(), metrics: newMetrics(env),
		began: time.Now(),
	}
	s.addRaw()
	s.addEvents()
	env.Health.Register(stage, s.ready)
	return s, nil
}

// channel makes a channel without its run.
func (s *Service) channel(name string, d Direction, marked func(marker) []byte) *channel {
	c := &channel{name: name, direction: d, meter: s.metrics.channel(name, d), marked: marked}
	s.channels = append(s.channels, c)
	return c
}

// setUp notes that Redis answers.
func (c *channel) setUp() {
	c.complained = false
	c.up.Store(true)
	c.meter.redisUp.Set(1)
}

// setDown notes that Redis does not answer; first is whether there was no
// trouble before.
func (c *channel) setDown() (first bool) {
	c.up.Store(false)
	c.meter.redisUp.Set(0)
	return c.complain()
}

// complain notes trouble; first is whether there was none before.
func (c *channel) complain() (first bool) {
	first, c.complained = !c.complained, true
	return first
}

var errRedisAway = errors.New("bridge: redis does not answer")

// ready is nil while this bridge waits for its turn, and while it works and
// Redis answers. That NATS answers is the connection's to say.
func (s *Service) ready() error {
	if !s.working.Load() {
		return nil
	}
	for _, c := range s.channels {
		if !c.up.Load() {
			return errRedisAway
		}
	}
	return nil
}

// Run waits until no other bridge works, then copies until ctx ends; what is on
// its way is finished, and nil returned. While it waits, it listens to what it
// would copy in. An error is a loop (see the package's comment). It may be
// called once.
func (s *Service) Run(ctx context.Context) error {
	defer func() { _ = s.redis.Close() }() // nothing to do about it
	runners := []service.Named{{Name: "lease", Runner: runner(s.lead)}}
	for _, l := range s.listeners {
		if err := l.open(); err != nil {
			return err
		}
		defer l.close()
		runners = append(runners, service.Named{Name: l.name, Runner: l})
	}
	err := service.Group(ctx, runners...)
	if loop := s.looped.Load(); loop != nil {
		return *loop
	}
	return err
}

// lead works whenever the lease is this bridge's.
func (s *Service) lead(ctx context.Context) error {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	holder := host + ":" + strconv.Itoa(os.Getpid())
	err = s.conn.Lease(stage, holder, s.cfg.LeaseTTL).Run(ctx, s.work)
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("bridge: run: %w", err)
	}
	return nil
}

// work copies while this bridge is the only one.
func (s *Service) work(ctx context.Context, _ uint64) error {
	s.working.Store(true)
	s.metrics.working.Set(1)
	defer func() {
		s.working.Store(false)
		s.metrics.working.Set(0)
	}()
	return service.Group(ctx,
		service.Named{Name: "status", Runner: s.reporter(time.Now())},
		service.Named{Name: "copy", Runner: runner(s.copyAll)})
}

// copyAll copies all channels.
func (s *Service) copyAll(ctx context.Context) error {
	s.dropUnused(ctx)
	if err := s.probe(ctx); err != nil {
		return err
	}
	runners := make([]service.Named, 0, len(s.channels))
	for _, c := range s.channels {
		s.log.Info("copy channel", slog.String("channel", c.name), slog.String("direction", string(c.direction)))
		runners = append(runners, service.Named{Name: c.name, Runner: runner(c.run)})
	}
	return service.Group(ctx, runners...)
}

// dropUnused removes the durables of channels that are not copied out. A place
// that was kept from earlier would, once a channel goes out again, bring up to
// MaxAge of what others sent meanwhile, or of what came in from that channel.
func (s *Service) dropUnused(ctx context.Context) {
	for _, d := range []struct {
		direction    Direction
		stream, name string
	}{{s.cfg.TwitterRaw, feed.StreamRaw, durableRaw}, {s.cfg.Events, feed.StreamEvents, durableEvents}} {
		if d.direction == Out {
			continue
		}
		if err := s.conn.DropDurable(ctx, d.stream, d.name); err != nil && ctx.Err() == nil {
			s.log.Warn("the place of a channel that does not go out stays", slog.String("error", err.Error()))
		}
	}
}

type runner func(context.Context) error

// Run implements service.Runner.
func (r runner) Run(ctx context.Context) error { return r(ctx) }

// State is what a bridge does at one moment, for a page or a log.
type State struct {
	// Working is whether it copies, or waits because another does.
	Working  bool           `json:"working"`
	Channels []ChannelState `json:"channels"`
}

// ChannelState is the state of one channel. The counts are since the start.
type ChannelState struct {
	Name      string    `json:"name"`
	Direction Direction `json:"direction"`
	// RedisUp is whether Redis answered when it was last asked.
	RedisUp bool `json:"redisUp"`
	// Passed messages were stored (in) or published (out); Unheard of the
	// published ones reached nobody. Skipped ones had grown too old, Missed
	// ones were removed by the stream's limits before they were sent.
	Passed  uint64 `json:"passed"`
	Unheard uint64 `json:"unheard"`
	Skipped uint64 `json:"skipped"`
	Missed  uint64 `json:"missed"`
}

// State tells what the bridge does now.
func (s *Service) State() State {
	st := State{Working: s.working.Load()}
	for _, c := range s.channels {
		m := c.meter
		st.Channels = append(st.Channels, ChannelState{
			Name: c.name, Direction: c.direction, RedisUp: c.up.Load(),
			Passed: m.passed.n.Load(), Unheard: m.unheard.n.Load(), Skipped: m.skipped.n.Load(), Missed: m.missed.n.Load(),
		})
	}
	return st
}
