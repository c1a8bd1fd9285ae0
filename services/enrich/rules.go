package enrich

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blipstream/blipstream/internal/decode"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/services/enrich/hydrate"
	"github.com/blipstream/blipstream/services/enrich/keeper"
	"github.com/blipstream/blipstream/services/enrich/rules"
)

// noRules is the set of who has none.
var noRules = &rules.Set{}

// ruleSet is the rules in force.
func (s *Service) ruleSet() *rules.Set {
	if s.keeper == nil {
		return noRules
	}
	return s.keeper.Set()
}

// keepRules makes the keeper, if there are rules to keep.
func (s *Service) keepRules(env service.Env) error {
	if s.cfg.Rules == "" {
		return nil
	}
	var err error
	s.keeper, err = keeper.New(keeper.Options{
		Place: s.cfg.Rules, Bus: s.conn, Read: readWith(s.chain.For(nobody{})), Log: env.Log, Metrics: s.metrics,
	})
	if err != nil {
		return fmt.Errorf("enrich: %w", err)
	}
	return nil
}

// followRules has the rules in force before the first item, and follows their
// changes until the returned function has come back.
func (s *Service) followRules(ctx context.Context) (stop func(), err error) {
	if s.keeper == nil {
		return func() {}, nil
	}
	if err := s.keeper.Load(ctx); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	var following sync.WaitGroup
	reporter := keeper.Reporter{Keeper: s.keeper, Board: s.conn, Log: s.log}
	for _, run := range []func(context.Context) error{s.keeper.Run, reporter.Run} {
		following.Go(func() {
			if err := run(ctx); err != nil {
				s.log.Error("rules are no longer followed", slog.String("error", err.Error()))
			}
		})
	}
	return func() { cancel(); following.Wait() }, nil
}

// ReadRaw makes the function that decodes and hydrates a raw item as a replica
// with that configuration does, for tests of rules.
func ReadRaw(cfg Config) (rules.Reader, error) {
	chain, err := hydrate.New(cfg.Hydrators, hydrate.Options{MaxRadiusKm: cfg.MaxPlaceRadius, Positions: cfg.Positions}, nobody{})
	if err != nil {
		return nil, fmt.Errorf("enrich: read settings: %w", err)
	}
	return readWith(chain), nil
}

// readWith is ReadRaw with a chain that is there already.
func readWith(chain *hydrate.Chain) rules.Reader {
	return func(raw []byte) (feed.Record, error) {
		rec, err := decode.Decode(feed.Item{Source: "test", Data: raw})
		if err == nil {
			chain.Hydrate(&rec)
		}
		return rec, err
	}
}

// nobody looks on. It implements hydrate.Observer.
type nobody struct{}

// Hydrated implements hydrate.Observer.
func (nobody) Hydrated(string, time.Duration, any) {}

// ruleMetrics are the collectors about rules.
type ruleMetrics struct {
	generation, count prometheus.Gauge
	refused           prometheus.Counter
	failed            *prometheus.CounterVec // kind
	failures          *atomic.Uint64
}

func newRuleMetrics(r service.Collectors) ruleMetrics {
	return ruleMetrics{
		generation: r.Gauges("rules_generation", "Generation of the rules in force; 0: none.").WithLabelValues(),
		count:      r.Gauges("rules_count", "How many rules are in force.").WithLabelValues(),
		refused:    r.Counters("rules_refused_total", "Texts of rules that were refused; the last good ones stayed.").WithLabelValues(),
		failed:     r.Counters("rule_failures_total", "Items on which a rule failed; its event was left out.", "kind"),
		failures:   new(atomic.Uint64),
	}
}

// RulesLoaded implements keeper.Metrics.
func (m *metrics) RulesLoaded(generation uint64, rules int) {
	m.rules.generation.Set(float64(generation))
	m.rules.count.Set(float64(rules))
}

// RulesRefused implements keeper.Metrics.
func (m *metrics) RulesRefused() { m.rules.refused.Inc() }

// RuleFailed implements rules.Observer. The log hears of the first failure,
// and then of ever fewer: what fails on one item may fail on all.
func (m *metrics) RuleFailed(kind feed.Kind, err error) {
	m.rules.failed.WithLabelValues(string(kind)).Inc()
	if n := m.rules.failures.Add(1); n&(n-1) == 0 {
		m.log.Warn("rule failed on an item: its event is left out",
			slog.String("kind", string(kind)), slog.Uint64("failures", n), slog.String("error", err.Error()))
	}
}
