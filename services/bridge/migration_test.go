package bridge_test

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/decode"
	"github.com/blipstream/blipstream/internal/feed"
	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
	"github.com/blipstream/blipstream/services/bridge"
)

// site is an installation in the middle of the move of docs/migration.md.
type site struct {
	t    *testing.T
	red  *redisServer
	conn *bus.Conn
	next int
}

func newSite(t *testing.T) *site {
	t.Helper()
	srv, red := bustest.Start(t), startRedis(t)
	return &site{t: t, red: red, conn: srv.Conn(t, "bridge")}
}

// tweet is the next tweet, and the text by which it is known again.
func (s *site) tweet() (data, text string) {
	s.next++
	text = "number " + strconv.Itoa(s.next) + " of many"
	return rawTweet(s.next, text), text
}

// enrich stands for the new enrich service: it reads RAW by its durable and
// makes events of it. The service itself is another module's.
func (s *site) enrich() (stop func()) {
	s.t.Helper()
	pub, err := s.conn.NewPublisher(bus.PublisherOptions{Stream: feed.StreamEvents})
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- s.conn.Consume(ctx, bus.ConsumeOptions{Stream: feed.StreamRaw, Durable: bus.DurableEnrich}, func(d *bus.Delivery) {
			rec, err := decode.Decode(feed.Item{Source: feed.SourceOf(d.Subject), Data: d.Data})
			if err != nil || len(rec.Upstream.Texts) == 0 {
				_ = d.Ack()
				return
			}
			data, err := protojson.Marshal(&feedv1.SimpleTweet{
				Id: rec.ID, Source: rec.Source, Username: rec.Upstream.Author.Username,
				Name: rec.Upstream.Author.Name, Body: rec.Upstream.Texts[0],
			})
			if err != nil {
				s.t.Error(err)
			}
			msg := bus.Msg{
				Subject: feed.EventSubject(feed.KindSimpleTweet),
				ID:      feed.EventID(feed.KindSimpleTweet, rec.Source, rec.ID), Data: data,
			}
			_ = pub.Publish(ctx, []bus.Msg{msg}, func(error) { _ = d.Ack() })
		})
	}()
	return func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Error(err)
		}
		pub.Close()
	}
}

// reaches waits until a program prints a text.
func (s *site) reaches(p *program, text string) {
	s.t.Helper()
	bustest.WaitFor(s.t, p.name+" shows "+text, func() bool {
		p.alive()
		return strings.Contains(strings.Join(p.printed(), "\n"), text)
	})
}

// stored waits until a stream holds a text.
func (s *site) stored(stream, text string) {
	s.t.Helper()
	bustest.WaitFor(s.t, stream+" holds "+text, func() bool {
		for _, m := range bustest.ReadAll(s.t, s.conn, stream) {
			if strings.Contains(string(m.Data), text) {
				return true
			}
		}
		return false
	})
}

// fromConsumer has the old consumer publish the next tweet.
func (s *site) fromConsumer(consumer *program) (text string) {
	s.t.Helper()
	data, text := s.tweet()
	if _, err := consumer.in.Write([]byte(data + "\n")); err != nil {
		s.t.Fatal(err)
	}
	return text
}

// fromIngest stores the next tweet as the new ingest does.
func (s *site) fromIngest() (text string) {
	s.t.Helper()
	data, text := s.tweet()
	bustest.PublishRaw(s.t, s.conn, feed.Item{
		ID: strconv.Itoa(s.next), Source: "twitter", Format: feed.FormatTwitterV1, Data: []byte(data),
	})
	return text
}

// TestMigrationStep1Listen: the new line listens beside the old one, which
// notices nothing, also not when the new one leaves.
func TestMigrationStep1Listen(t *testing.T) {
	s := newSite(t)
	consumer := python(t, s.red, "consumer.py")
	reader(t, s.red, "enricher.py")
	page := reader(t, s.red, "page.py")
	s.reaches(page, s.fromConsumer(consumer))

	r := run(t, s.conn, config(s.red, bridge.In, bridge.Off))
	text := s.fromConsumer(consumer)
	s.reaches(page, text)
	s.stored(feed.StreamRaw, text)

	r.end() // back
	s.reaches(page, s.fromConsumer(consumer))
}

// TestMigrationStep2Enrich: the new enrich takes the place of the old one; the
// old page goes on.
func TestMigrationStep2Enrich(t *testing.T) {
	s := newSite(t)
	consumer := python(t, s.red, "consumer.py")
	old := reader(t, s.red, "enricher.py")
	page := reader(t, s.red, "page.py")
	r := run(t, s.conn, config(s.red, bridge.In, bridge.Off))
	s.stored(feed.StreamRaw, s.fromConsumer(consumer))

	old.kill()
	r.end()
	r = run(t, s.conn, config(s.red, bridge.In, bridge.Out))
	stop := s.enrich()
	text := s.fromConsumer(consumer)
	s.reaches(page, text)
	s.stored(feed.StreamEvents, text)

	stop() // back
	r.end()
	r = run(t, s.conn, config(s.red, bridge.In, bridge.Off))
	old = reader(t, s.red, "enricher.py")
	text = s.fromConsumer(consumer)
	s.reaches(page, text)
	s.stored(feed.StreamRaw, text)

	old.kill() // and forth: what the old one has shown does not come again
	defer s.enrich()()
	s.stored(feed.StreamEvents, text)
	r.end()
	run(t, s.conn, config(s.red, bridge.In, bridge.Out))
	s.reaches(page, s.fromConsumer(consumer))
	if n := strings.Count(strings.Join(page.printed(), "\n"), text); n != 1 {
		t.Errorf("the page shows %q %d times", text, n)
	}
}

// TestMigrationStep3Ingest: the new ingest takes the one upstream connection;
// readers of either channel go on.
func TestMigrationStep3Ingest(t *testing.T) {
	s := newSite(t)
	page := reader(t, s.red, "page.py")
	defer s.enrich()()
	r := run(t, s.conn, config(s.red, bridge.In, bridge.Out))
	consumer := python(t, s.red, "consumer.py")
	s.reaches(page, s.fromConsumer(consumer))

	consumer.kill()
	r.end()
	subscriber := reader(t, s.red, "subscriber.py")
	r = run(t, s.conn, config(s.red, bridge.Out, bridge.Out))
	text := s.fromIngest()
	s.reaches(page, text)
	s.reaches(subscriber, text)

	subscriber.kill() // back: it dies of what the old consumer sends
	r.end()
	run(t, s.conn, config(s.red, bridge.In, bridge.Out))
	s.reaches(page, s.fromConsumer(python(t, s.red, "consumer.py")))
}

// TestMigrationStep4Off: nothing is left on Redis. When it is needed again, the
// bridge begins with what is young enough.
func TestMigrationStep4Off(t *testing.T) {
	s := newSite(t)
	defer s.enrich()()
	r := run(t, s.conn, config(s.red, bridge.Out, bridge.Out))
	page := reader(t, s.red, "page.py")
	s.reaches(page, s.fromIngest())

	r.end()
	s.red.kill()
	text := s.fromIngest()
	s.stored(feed.StreamEvents, text)

	s.red.start() // back
	s.red.subscribed("events")
	run(t, s.conn, config(s.red, bridge.Out, bridge.Out))
	s.reaches(page, text)
	s.reaches(page, s.fromIngest())
}
