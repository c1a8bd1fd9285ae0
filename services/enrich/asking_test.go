package enrich_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/service"
)

// asking is rules of which two ask a service, and one does not.
func asking(onError string) string {
	return `
ask:
  mood: {subject: test.mood, timeout: 5s, concurrency: 4, on_error: ` + onError + `, send: {text: post.body}}
rules:
  - {kind: happy, when: 'post.body.contains("7")', ask: mood, keep: 'answer.mood == "good"', emit: {mood: answer.mood, body: post.body}}
  - {kind: rated, when: 'post.body.contains("7")', ask: mood, emit: {mood: answer.mood}}
  - {kind: plain, when: 'true'}
`
}

// answerOf is the mood of a text: good if it ends with 7.
func answerOf(request []byte) ([]byte, error) {
	mood := "bad"
	if strings.Contains(string(request), `7"}`) {
		mood = "good"
	}
	return []byte(`{"mood":"` + mood + `"}`), nil
}

func TestRulesAsk(t *testing.T) {
	srv := bustest.Start(t)
	conn := srv.Conn(t, "test")
	var asked atomic.Int64
	srv.Answer(t, "test.mood", func(request []byte) ([]byte, error) {
		asked.Add(1)
		return answerOf(request)
	})
	startWith(t, srv, withRules(t, asking("skip")))
	bustest.PublishRaw(t, conn, tweets(0, 100)...)
	settled(t, conn)
	got := events(t, conn)
	wantTweets(t, got, 0, 100)
	if n := kinds(got); n["happy"] != 10 || n["rated"] != 19 || n["plain"] != 100 || asked.Load() != 19 {
		t.Errorf("events %v of %d questions, want 10 happy, 19 rated, 100 plain of 19", n, asked.Load())
	}
}

// While a service is away, its rules have no events; everything else goes on.
func TestAskSkip(t *testing.T) {
	srv := bustest.Start(t)
	conn := srv.Conn(t, "test")
	env := service.Nop()
	reg := prometheus.NewRegistry()
	env.Metrics = reg
	startEnv(t, srv, withRules(t, asking("skip")), env)
	bustest.PublishRaw(t, conn, tweets(0, 200)...)
	settled(t, conn)
	got := events(t, conn)
	wantTweets(t, got, 0, 200)
	if n := kinds(got); n["rated"] != 0 || n["plain"] != 200 {
		t.Errorf("events %v", n)
	}
	if gauge(t, reg, "blipstream_enrich_ask_breaker_open") != 1 {
		t.Error("nobody answers, and the breaker is closed")
	}
	if n := counter(t, reg, "blipstream_enrich_rule_unanswered_total", "rated"); n != 38 {
		t.Errorf("%v items without an answer, want 38", n)
	}
}

// A service that never answers holds up only as many items as it may.
func TestAskHoldsUpNobodyElse(t *testing.T) {
	srv := bustest.Start(t)
	conn := srv.Conn(t, "test")
	release := make(chan struct{})
	srv.Answer(t, "test.mood", func([]byte) ([]byte, error) {
		<-release
		return []byte(`{"mood":"good"}`), nil
	})
	t.Cleanup(func() { close(release) })
	startWith(t, srv, withRules(t, asking("skip")))
	// 19 of 100 ask: fewer than have a place (4 and 16 that wait).
	bustest.PublishRaw(t, conn, tweets(0, 100)...)
	bustest.WaitFor(t, "all items that ask nothing", func() bool { return kinds(events(t, conn))["plain"] == 81 })
}

func TestAskDead(t *testing.T) {
	srv := bustest.Start(t)
	conn := srv.Conn(t, "test")
	srv.Answer(t, "test.mood", func([]byte) ([]byte, error) { return nil, errors.New("out of order") })
	startWith(t, srv, withRules(t, asking("dead")))
	bustest.PublishRaw(t, conn, tweets(0, 10)...)
	settled(t, conn)
	dead := bustest.ReadAll(t, conn, feed.StreamDead)
	if len(dead) != 1 || dead[0].Subject != "dead.enrich.ask" || !strings.Contains(dead[0].Header.Get(feed.HeaderError), "out of order") {
		t.Fatalf("dead letters %+v", dead)
	}
	if n := kinds(events(t, conn)); n["plain"] != 9 || n["simple_tweet"] != 9 {
		t.Errorf("events %v: an item in DEAD must have none", n)
	}
}

// An item whose question fails comes again, whole, and none of its events is
// out before.
func TestAskRetry(t *testing.T) {
	srv := bustest.Start(t)
	conn := srv.Conn(t, "test")
	var asked atomic.Int64
	srv.Answer(t, "test.mood", func(request []byte) ([]byte, error) {
		if asked.Add(1) == 1 {
			return []byte("no JSON"), nil
		}
		return answerOf(request)
	})
	startWith(t, srv, withRules(t, asking("retry")))
	bustest.PublishRaw(t, conn, tweets(7, 8)...)
	bustest.WaitFor(t, "the first question", func() bool { return asked.Load() == 1 })
	if n := len(events(t, conn)); n != 0 {
		t.Errorf("%d events before the answer", n)
	}
	settled(t, conn)
	if n := kinds(events(t, conn)); n["happy"] != 1 || n["simple_tweet"] != 1 || asked.Load() != 2 {
		t.Errorf("events %v of %d questions", n, asked.Load())
	}
}

// A stop gives back what still waits for an answer.
func TestAskStop(t *testing.T) {
	srv := bustest.Start(t)
	conn := srv.Conn(t, "test")
	asked := make(chan struct{}, 100)
	release := make(chan struct{})
	srv.Answer(t, "test.mood", func(request []byte) ([]byte, error) {
		asked <- struct{}{}
		<-release
		return answerOf(request)
	})
	stop := startWith(t, srv, withRules(t, asking("skip")))
	bustest.PublishRaw(t, conn, tweets(7, 8)...)
	<-asked
	stop()
	close(release)
	startWith(t, srv, withRules(t, asking("skip")))
	settled(t, conn)
	if n := kinds(events(t, conn)); n["happy"] != 1 || n["simple_tweet"] != 1 {
		t.Errorf("events %v", n)
	}
}

// A bounded context, for those who ask themselves.
func TestRequest(t *testing.T) {
	srv := bustest.Start(t)
	conn := srv.Conn(t, "test")
	srv.Answer(t, "test.echo", func(request []byte) ([]byte, error) {
		if len(request) == 0 {
			return nil, errors.New("nothing was said")
		}
		return request, nil
	})
	ask := func(subject, text string) (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		answer, err := conn.Request(ctx, subject, nil, []byte(text))
		return string(answer), err
	}
	if got, err := ask("test.echo", "hello"); err != nil || got != "hello" {
		t.Errorf("answer %q, %v", got, err)
	}
	if _, err := ask("test.echo", ""); !errors.Is(err, bus.ErrService) || !strings.Contains(fmt.Sprint(err), "nothing was said") {
		t.Errorf("error %v, want the service's", err)
	}
	if _, err := ask("test.nobody", "hello"); !errors.Is(err, bus.ErrNobody) {
		t.Errorf("error %v, want that nobody is there", err)
	}
}
