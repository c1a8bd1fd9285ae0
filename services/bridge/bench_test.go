package bridge_test

import (
	"context"
	"os/exec"
	"regexp"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/bridge"
)

// benchMessages is how many messages one measurement moves.
const benchMessages = 100_000

// hearAll counts what arrives on a channel.
func hearAll(b *testing.B, red *redisServer, channel string) *atomic.Int64 {
	b.Helper()
	var n atomic.Int64
	c := red.client()
	sub := c.Subscribe(b.Context(), channel)
	b.Cleanup(func() { _ = sub.Close() })
	go func() {
		for {
			if _, err := sub.ReceiveMessage(context.Background()); err != nil {
				return
			}
			n.Add(1)
		}
	}()
	red.subscribed(channel)
	return &n
}

// limits are what can be had without a bridge, in messages a second.
type limits struct {
	// pipelined is go-redis alone: pipelines of the bridge's size to one
	// subscriber of this process.
	pipelined float64
	// tool is redis-benchmark, which hands over its messages to nobody.
	tool float64
}

func bare(b *testing.B, red *redisServer, payload string) limits {
	b.Helper()
	return limits{pipelined(b, red, payload), tool(b, red, payload)}
}

func pipelined(b *testing.B, red *redisServer, payload string) float64 {
	b.Helper()
	heard := hearAll(b, red, "bare")
	c := red.client()
	began := time.Now()
	for sent := 0; sent < benchMessages; sent += 512 {
		pipe := c.Pipeline()
		for range min(512, benchMessages-sent) {
			pipe.Publish(b.Context(), "bare", payload)
		}
		if _, err := pipe.Exec(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	bustest.WaitFor(b, "all is heard", func() bool { return heard.Load() == benchMessages })
	return benchMessages / time.Since(began).Seconds()
}

// tool has redis-benchmark publish the payload, 64 in a pipeline on each of
// its 50 connections, its default.
func tool(b *testing.B, red *redisServer, payload string) float64 {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), "redis-benchmark", "-p", strconv.Itoa(red.port),
		"-q", "-n", strconv.Itoa(2*benchMessages), "-P", "64", "publish", "nobody", payload)
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.Fatalf("redis-benchmark (package redis-tools): %v\n%s", err, out)
	}
	found := regexp.MustCompile(`: ([0-9.]+) requests per second`).FindSubmatch(out)
	if found == nil {
		b.Fatalf("redis-benchmark says %s", out)
	}
	rate, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		b.Fatal(err)
	}
	return rate
}

func report(b *testing.B, took time.Duration, than limits) {
	b.Helper()
	rate := benchMessages / took.Seconds()
	b.ReportMetric(rate, "msgs/s")
	b.ReportMetric(than.pipelined, "pipelined-msgs/s")
	b.ReportMetric(rate/than.pipelined, "x-pipelined")
	b.ReportMetric(than.tool, "redis-benchmark-msgs/s")
	b.ReportMetric(rate/than.tool, "x-redis-benchmark")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkEventsOut moves a backlog of events to one subscriber.
func BenchmarkEventsOut(b *testing.B) {
	out(b, bridge.Off, bridge.Out, feed.StreamEvents, "events", benchPage, posts())
}

// BenchmarkRawOut moves a backlog of tweets to one subscriber.
func BenchmarkRawOut(b *testing.B) {
	out(b, bridge.Out, bridge.Off, feed.StreamRaw, "twitter_raw", rawTweet(1, benchText), tweets())
}

func out(b *testing.B, raw, events bridge.Direction, stream, channel, payload string, backlog []bus.Msg) {
	b.Helper()
	for b.Loop() {
		srv, red := bustest.Start(b), startRedis(b)
		conn := srv.Conn(b, "bridge")
		run(b, conn, config(red, raw, events)).end() // makes the durable
		bustest.Publish(b, conn, stream, backlog...)
		limit := bare(b, red, payload)
		heard := hearAll(b, red, channel)
		began := time.Now()
		r := run(b, conn, config(red, raw, events))
		bustest.WaitFor(b, "all is heard", func() bool { return heard.Load() >= benchMessages })
		report(b, time.Since(began), limit)
		r.end()
	}
}

// BenchmarkRawIn takes tweets from one publisher, which sends as fast as the
// bridge stores: pub/sub has no other brake.
func BenchmarkRawIn(b *testing.B) {
	for b.Loop() {
		srv, red := bustest.Start(b), startRedis(b, "--client-output-buffer-limit", "pubsub 0 0 0")
		conn := srv.Conn(b, "bridge")
		limit := bare(b, red, rawTweet(1, benchText))
		r := run(b, conn, config(red, bridge.In, bridge.Off))
		c := red.client()
		began := time.Now()
		for sent := 0; sent < benchMessages; sent += 512 {
			publishTweets(b, c, sent, min(512, benchMessages-sent))
		}
		bustest.WaitFor(b, "all is stored", func() bool { return r.metric("passed_total") == benchMessages })
		report(b, time.Since(began), limit)
		r.end()
	}
}

// BenchmarkBothWays takes tweets in and sends events out at the same time: as
// many of each, so the rate is that of either direction.
func BenchmarkBothWays(b *testing.B) {
	for b.Loop() {
		srv, red := bustest.Start(b), startRedis(b, "--client-output-buffer-limit", "pubsub 0 0 0")
		conn := srv.Conn(b, "bridge")
		run(b, conn, config(red, bridge.In, bridge.Out)).end() // makes the durable
		bustest.Publish(b, conn, feed.StreamEvents, posts()...)
		limit := bare(b, red, benchPage)
		heard := hearAll(b, red, "events")
		c := red.client()
		began := time.Now()
		r := run(b, conn, config(red, bridge.In, bridge.Out))
		for sent := 0; sent < benchMessages; sent += 512 {
			publishTweets(b, c, sent, min(512, benchMessages-sent))
		}
		bustest.WaitFor(b, "all has passed", func() bool {
			return heard.Load() >= benchMessages && r.metric("passed_total", "twitter_raw") == benchMessages
		})
		report(b, time.Since(began), limit)
		r.end()
	}
}

const benchText = "A text of the usual length for a post, with a few words more than one would need to say what it says; and some more."

const benchPage = `{"kind": "simple_tweet", "body": "{\"username\": \"ann\", \"name\": \"Ann\", \"body\": \"` + benchText + `\", \"id\": \"1\"}"}`

func posts() []bus.Msg {
	msgs := make([]bus.Msg, benchMessages)
	for i := range msgs {
		id := strconv.Itoa(i)
		msgs[i] = bus.Msg{
			Subject: "events.simple_tweet", ID: "simple_tweet:b:" + id,
			Data: []byte(`{"id":"` + id + `","source":"b","time":"2026-11-23T12:00:00Z","username":"ann","name":"Ann","body":"` + benchText + `"}`),
		}
	}
	return msgs
}

func tweets() []bus.Msg {
	msgs := make([]bus.Msg, benchMessages)
	for i := range msgs {
		msgs[i] = bus.Msg{
			Subject: feed.RawSubject("b"), ID: feed.RawID("b", strconv.Itoa(i)),
			Header: bus.Header{feed.HeaderFormat: {string(feed.FormatTwitterV1)}}, Data: []byte(rawTweet(i, benchText)),
		}
	}
	return msgs
}

func publishTweets(b *testing.B, c *redis.Client, from, n int) {
	b.Helper()
	pipe := c.Pipeline()
	for i := range n {
		pipe.Publish(b.Context(), "twitter_raw", rawTweet(from+i, benchText)+"\r")
	}
	if _, err := pipe.Exec(b.Context()); err != nil {
		b.Fatal(err)
	}
}
