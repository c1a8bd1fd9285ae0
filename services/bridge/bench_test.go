package bridge_test

import (
	"context"
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

// bare is the rate of go-redis alone: pipelines of the bridge's size to one
// subscriber, a second.
func bare(b *testing.B, red *redisServer, payload []byte) float64 {
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

func report(b *testing.B, took time.Duration, bare float64) {
	b.Helper()
	rate := benchMessages / took.Seconds()
	b.ReportMetric(rate, "msgs/s")
	b.ReportMetric(bare, "bare-msgs/s")
	b.ReportMetric(rate/bare, "x-bare")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkEventsOut moves a backlog of events to one subscriber.
func BenchmarkEventsOut(b *testing.B) {
	for b.Loop() {
		srv, red := bustest.Start(b), startRedis(b)
		conn := srv.Conn(b, "bridge")
		run(b, conn, config(red, bridge.Off, bridge.Out)).end() // makes the durable
		bustest.Publish(b, conn, feed.StreamEvents, posts()...)
		limit := bare(b, red, []byte(benchPage))
		heard := hearAll(b, red, "events")
		began := time.Now()
		r := run(b, conn, config(red, bridge.Off, bridge.Out))
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
		limit := bare(b, red, []byte(rawTweet(1, benchText)))
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
