package enrich_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/services/enrich"
	"github.com/blipstream/blipstream/services/enrich/keeper"
)

// numbered is rules that make an event of the given kind of every tweet whose
// text holds a digit.
func numbered(kind string, digit int) string {
	return `
rules:
  - kind: ` + kind + `
    when: post.body.contains("` + strconv.Itoa(digit) + `")
    emit: {body: post.body, lat: post.lat}
    tests:
      - post: {body: "number ` + strconv.Itoa(digit) + `", lat: 0, lon: 1}
        want: {lat: 0}
      - post: {body: "none", lat: 0, lon: 1}
`
}

// withRules is a configuration with a file of rules.
func withRules(t *testing.T, text string) enrich.Config {
	t.Helper()
	cfg := enrich.DefaultConfig()
	cfg.Rules = filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(cfg.Rules, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return cfg
}

// kinds counts events by kind.
func kinds(events map[string]event) map[string]int {
	n := map[string]int{}
	for id := range events {
		kind, _, _ := strings.Cut(id, ":")
		n[kind]++
	}
	return n
}

func TestRulesMakeEvents(t *testing.T) {
	srv := bustest.Start(t)
	conn := srv.Conn(t, "test")
	cfg := withRules(t, numbered("seven", 7))
	startWith(t, srv, cfg)
	bustest.PublishRaw(t, conn, tweets(0, 100)...)
	settled(t, conn)
	got := events(t, conn)
	wantTweets(t, got, 0, 100)
	if n := kinds(got)["seven"]; n != 19 || len(got) != 219 {
		t.Errorf("%d events of the rule and %d in all, want 19 and 219", n, len(got))
	}
	e := got["seven:"+source+":7"]
	if e.ID != "7" || e.Source != source || e.Body != "number 7" || e.UserID != "9" || e.Lat == nil || *e.Lat != 0 {
		t.Errorf("event %+v", e)
	}
}

// A rule that fails on every item is counted, and takes nothing from the rest.
func TestRuleThatFails(t *testing.T) {
	srv := bustest.Start(t)
	conn := srv.Conn(t, "test")
	cfg := withRules(t, `
rules:
  - {kind: broken, when: '1 / (size(post.body) - size(post.body)) == 1'}
  - {kind: sound, when: 'true'}
`)
	env := service.Nop()
	reg := prometheus.NewRegistry()
	env.Metrics = reg
	startEnv(t, srv, cfg, env)
	bustest.PublishRaw(t, conn, tweets(0, 50)...)
	settled(t, conn)
	got := kinds(events(t, conn))
	if got["sound"] != 50 || got["broken"] != 0 || got["simple_tweet"] != 50 {
		t.Errorf("events %v", got)
	}
	if n := counter(t, reg, "blipstream_enrich_rule_failures_total", "broken"); n != 50 {
		t.Errorf("%v failures counted, want 50", n)
	}
}

// Rules change while items come; no item loses or repeats an event, a text
// that is no good changes nothing, and all replicas have the same rules.
func TestRulesReload(t *testing.T) {
	srv := bustest.Start(t)
	conn := srv.Conn(t, "test")
	cfg := enrich.DefaultConfig()
	cfg.Rules = keeper.PrefixKV + bus.BucketRules
	put := func(text string) {
		t.Helper()
		have, err := conn.GetValue(t.Context(), bus.BucketRules, keeper.KeyCurrent)
		if err == nil {
			_, err = conn.PutValue(t.Context(), bus.BucketRules, keeper.KeyCurrent, bus.Value{Data: []byte(text), Revision: have.Revision})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	put(numbered("first", 1))
	var regs []*prometheus.Registry
	for range 2 {
		env := service.Nop()
		reg := prometheus.NewRegistry()
		env.Metrics = reg
		regs = append(regs, reg)
		startEnv(t, srv, cfg, env)
	}
	generation := func(want float64) {
		t.Helper()
		bustest.WaitFor(t, "the generation in both replicas", func() bool {
			return gauge(t, regs[0], "blipstream_enrich_rules_generation") == want &&
				gauge(t, regs[1], "blipstream_enrich_rules_generation") == want
		})
	}
	generation(1)
	bustest.PublishRaw(t, conn, tweets(0, 1000)...)
	settled(t, conn)
	put("rules: [{kind: second, when: 'post.nothing'}]")
	bustest.WaitFor(t, "the refusal", func() bool {
		return gauge(t, regs[0], "blipstream_enrich_rules_refused_total") == 1 && gauge(t, regs[1], "blipstream_enrich_rules_refused_total") == 1
	})
	bustest.PublishRaw(t, conn, tweets(1000, 2000)...)
	put(numbered("second", 2))
	bustest.PublishRaw(t, conn, tweets(2000, 3000)...)
	settled(t, conn)
	bustest.WaitFor(t, "the new rules", func() bool {
		return gauge(t, regs[0], "blipstream_enrich_rules_count") == 1 && gauge(t, regs[0], "blipstream_enrich_rules_generation") > 2
	})
	bustest.PublishRaw(t, conn, tweets(3000, 4000)...)
	settled(t, conn)
	got := events(t, conn)
	wantTweets(t, got, 0, 4000)
	wantRuled(t, got)
}

// wantRuled fails the test unless each tweet of TestRulesReload has exactly the
// event of the rules in force when it was handled.
func wantRuled(t *testing.T, got map[string]event) {
	t.Helper()
	for id := range 4000 {
		n := strconv.Itoa(id)
		_, first := got["first:"+source+":"+n]
		_, second := got["second:"+source+":"+n]
		isFirst, isSecond := strings.Contains(n, "1"), strings.Contains(n, "2")
		old, young := first == isFirst && !second, second == isSecond && !first
		if id < 1000 && !old || id >= 3000 && !young || !old && !young {
			t.Fatalf("tweet %d: first %v, second %v", id, first, second)
		}
	}
}

// gauge is the value of a metric without labels.
func gauge(t *testing.T, reg *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			m := f.GetMetric()[0]
			return m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return 0
}

// A replica that starts while the newest text is no good takes the last good.
func TestRulesSurviveARestart(t *testing.T) {
	srv := bustest.Start(t)
	conn := srv.Conn(t, "test")
	cfg := enrich.DefaultConfig()
	cfg.Rules = keeper.PrefixKV + bus.BucketRules
	put := func(text string, rev uint64) {
		t.Helper()
		if _, err := conn.PutValue(t.Context(), bus.BucketRules, keeper.KeyCurrent, bus.Value{Data: []byte(text), Revision: rev}); err != nil {
			t.Fatal(err)
		}
	}
	put(numbered("seven", 7), 0)
	stop := startWith(t, srv, cfg)
	bustest.WaitFor(t, "the good rules to be put aside", func() bool {
		v, err := conn.GetValue(t.Context(), bus.BucketRules, "good")
		return err == nil && v.Mark == 1
	})
	put("no: rules", 1)
	stop()
	startWith(t, srv, cfg)
	bustest.PublishRaw(t, conn, tweets(0, 10)...)
	settled(t, conn)
	if n := kinds(events(t, conn))["seven"]; n != 1 {
		t.Errorf("%d events of the last good rules, want 1", n)
	}
}

func TestNewRefusesRules(t *testing.T) {
	conn := bustest.New(t).Dial(t, bus.Options{Name: "test"})
	for text, want := range map[string]string{
		"rules: [{kind: simple_tweet, when: 'true'}]":           "built in",
		"rules: [{kind: a, when: 'true', tests: [{post: {}}]}]": "test a/1: wanted no event",
	} {
		cfg := withRules(t, text)
		_, err := enrich.New(cfg, conn, service.Nop())
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want one line about %s", text, err, want)
		}
	}
	cfg := enrich.DefaultConfig()
	for place, want := range map[string]string{"/nowhere/rules.yaml": "no such file", "kv:a.b": "no name of a bucket"} {
		cfg.Rules = place
		if _, err := enrich.New(cfg, conn, service.Nop()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one about %s", place, err, want)
		}
	}
}

// An event of a rule is no event of another item, and its id is its item's.
func TestRuleEventsRedelivered(t *testing.T) {
	srv := bustest.Start(t)
	conn := srv.Conn(t, "test")
	cfg := withRules(t, "rules: [{kind: half, when: 'true', sample: 0.5}]")
	bustest.PublishRaw(t, conn, tweets(0, 200)...)
	stop := startWith(t, srv, cfg)
	settled(t, conn)
	stop()
	before := kinds(events(t, conn))["half"]
	srv.DeleteConsumer(t, feed.StreamRaw, bus.DurableEnrich) // made anew, it begins at the start
	startWith(t, srv, cfg)
	settled(t, conn)
	after := kinds(events(t, conn))["half"]
	if before != after || before < 60 || before > 140 {
		t.Errorf("a sample of half of 200 has %d events, and %d after all came again", before, after)
	}
}
