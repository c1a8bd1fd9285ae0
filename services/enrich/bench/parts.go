package bench

import (
	"context"
	_ "embed" // the rules
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/internal/usage"
	"github.com/blipstream/blipstream/services/enrich"
)

const (
	// oneIn is which share of the tweets are broken where poison is measured.
	oneIn = 100
	// liveRate is tweets a second, and liveFor how long, where it is measured how
	// soon a broken one is in DEAD.
	liveRate = 2000
	liveFor  = 2 * time.Second
)

// part fills RAW and measures how long a half takes to empty it; best is the
// best there was of that.
func (r *run) part(ctx context.Context, best *Half, broken uint64, half half) error {
	if _, err := r.fill(ctx, r.o.Tweets, broken); err != nil {
		return err
	}
	h, err := r.timed(ctx, half)
	best.better(h)
	return err
}

// ackAlone is the least that any process could do.
func (r *run) ackAlone(ctx context.Context, rep *Report) error {
	bytes, err := r.fill(ctx, r.o.Tweets, 0)
	if err != nil {
		return err
	}
	rep.Tweets, rep.TweetBytes = r.o.Tweets, float64(bytes)/float64(r.o.Tweets)
	h, err := r.timed(ctx, always(r.ackAll))
	rep.Ack.better(h)
	return err
}

// enrichAlone is the service as it is configured.
func (r *run) enrichAlone(ctx context.Context, rep *Report) error {
	before, err := r.conn.Stream(ctx, feed.StreamEvents)
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	if err := r.part(ctx, &rep.Enrich, 0, r.enrich(r.o.Config)); err != nil {
		return err
	}
	rep.RSS = usage.Resident()
	after, err := r.conn.Stream(ctx, feed.StreamEvents)
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	rep.Events = after.LastSeq - before.LastSeq
	return nil
}

// enrich is a replica on the bench's own connection.
func (r *run) enrich(cfg enrich.Config) half {
	return func() (func(context.Context) error, error) { return replica(cfg, r.conn, r.o) }
}

// replica makes one, and returns its Run.
func replica(cfg enrich.Config, conn *bus.Conn, o Options) (func(context.Context) error, error) {
	env := service.Env{Log: o.Log, Metrics: prometheus.NewRegistry(), Health: service.NewHealth()}
	svc, err := enrich.New(cfg, conn, env)
	if err != nil {
		return nil, err
	}
	return svc.Run, nil
}

// twenty is rules as users might write them.
//
//go:embed rules.yaml
var twenty []byte

// withRules is the service with rules beside the built-in derivers.
func (r *run) withRules(ctx context.Context, rep *Report) error {
	dir, err := os.MkdirTemp("", "blipstream-bench-rules-")
	if err != nil {
		return fmt.Errorf("bench: write rules: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // nothing in it matters any more
	cfg := r.o.Config
	cfg.Rules = filepath.Join(dir, "rules.yaml")
	if err := os.WriteFile(cfg.Rules, twenty, 0o600); err != nil {
		return fmt.Errorf("bench: write rules: %w", err)
	}
	return r.part(ctx, &rep.Rules, 0, r.enrich(cfg))
}

// withPoison is the service on tweets of which some are broken.
func (r *run) withPoison(ctx context.Context, rep *Report) error {
	before, err := r.conn.Stream(ctx, feed.StreamDead)
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	if err := r.part(ctx, &rep.Poison, oneIn, r.enrich(r.o.Config)); err != nil {
		return err
	}
	rep.Letters = 0
	return r.letters(ctx, before.LastSeq+1, func(l *bus.Letter) error {
		rep.Letters++
		rep.MostDeliveries = max(rep.MostDeliveries, l.Deliveries)
		return nil
	})
}

// letters calls fn with the letters from a sequence on.
func (r *run) letters(ctx context.Context, from uint64, fn func(*bus.Letter) error) error {
	err := r.conn.DeadLetters(ctx, func(l *bus.Letter) error {
		if l.Seq < from {
			return nil
		}
		return fn(l)
	})
	if err != nil {
		return fmt.Errorf("bench: read letters: %w", err)
	}
	return nil
}

// livePoison sees how long a broken tweet takes from RAW to DEAD, while no
// backlog waits.
func (r *run) livePoison(ctx context.Context, rep *Report) error {
	before, err := r.conn.Stream(ctx, feed.StreamDead)
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	read, err := replica(r.o.Config, r.conn, r.o)
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	working, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- read(working) }()
	err = errors.Join(r.trickle(ctx), r.wait(ctx, emptied))
	stop()
	if err = errors.Join(err, <-done); err != nil {
		return err
	}
	return r.letters(ctx, before.LastSeq+1, func(l *bus.Letter) error {
		m, err := r.conn.Message(ctx, feed.StreamRaw, l.StreamSeq)
		if err == nil {
			rep.Slowest = max(rep.Slowest, l.Time.Sub(m.Time))
		}
		return err
	})
}

// trickle fills RAW at the live rate.
func (r *run) trickle(ctx context.Context) error {
	const every = 50 * time.Millisecond
	tick := time.NewTicker(every)
	defer tick.Stop()
	for range liveFor / every {
		if _, err := r.fill(ctx, int(liveRate*every/time.Second), oneIn); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("bench: %w", context.Cause(ctx))
		}
	}
	return nil
}

// together is two replicas, each on a connection of its own.
func (r *run) together(ctx context.Context, rep *Report) error {
	other, err := bus.Connect(bus.Options{URL: r.url, Name: "bench2", Log: r.o.Log})
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	defer closeConn(ctx, other)
	return r.part(ctx, &rep.Pair, 0, func() (func(context.Context) error, error) { return r.pair(other) })
}

// pair makes two replicas, and returns what runs both.
func (r *run) pair(other *bus.Conn) (func(context.Context) error, error) {
	one, err := replica(r.o.Config, r.conn, r.o)
	if err != nil {
		return nil, err
	}
	two, err := replica(r.o.Config, other, r.o)
	return func(ctx context.Context) error {
		errs := make([]error, 2)
		var both sync.WaitGroup
		both.Go(func() { errs[0] = one(ctx) })
		both.Go(func() { errs[1] = two(ctx) })
		both.Wait()
		return errors.Join(errs...)
	}, err
}

// fromBacklog is the service with so many waiting that a part makes no dent. It
// is measured as often as what it is compared with: of either the best counts.
func (r *run) fromBacklog(ctx context.Context, rep *Report) error {
	if r.o.Backlog == 0 {
		return nil
	}
	if _, err := r.fill(ctx, r.o.Backlog, 0); err != nil {
		return err
	}
	lag, err := r.conn.Lag(ctx, feed.StreamRaw, bus.DurableEnrich)
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	rep.Waiting = lag.Pending
	for range r.o.Rounds {
		if err := r.deep(ctx, rep); err != nil {
			return err
		}
	}
	return nil
}

// deep reads as many as a part has, from what waits.
func (r *run) deep(ctx context.Context, rep *Report) error {
	lag, err := r.conn.Lag(ctx, feed.StreamRaw, bus.DurableEnrich)
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	until := lag.Pending - min(uint64(r.o.Tweets), lag.Pending)
	h, err := r.timedUntil(ctx, r.enrich(r.o.Config), func(lag bus.Lag) bool {
		rep.DeepRSS = max(rep.DeepRSS, usage.Resident())
		return lag.Pending <= until
	})
	rep.Deep.better(h)
	return err
}
