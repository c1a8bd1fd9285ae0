package enrich_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
)

// What another consumer of RAW terminates, or delivers too often, becomes a
// dead letter, also if no enrich was there to see it.
func TestGivenUpByOthers(t *testing.T) {
	srv := bustest.Start(t)
	conn := srv.Conn(t, "test")
	bustest.PublishRaw(t, conn, tweets(1, 4)...)
	srv.AddConsumer(t, feed.StreamRaw, "theirs", 2)
	// It asks on: the server finds too many deliveries only as it looks for more.
	ctx, cancel := context.WithCancel(t.Context())
	consumed := make(chan error, 1)
	go func() {
		consumed <- conn.Consume(ctx, bus.ConsumeOptions{Stream: feed.StreamRaw, Durable: "theirs"}, func(d *bus.Delivery) {
			var err error
			switch d.Seq {
			case 1:
				err = d.Term("we do not like it")
			case 2:
				err = d.Retry(0)
			default:
				err = d.Ack()
			}
			if err != nil {
				t.Error(err)
			}
		})
	}()
	bustest.WaitFor(t, "both to be told of", func() bool { return len(bustest.ReadAll(t, conn, bus.StreamAdvisories)) == 2 })
	cancel()
	if err := <-consumed; err != nil {
		t.Fatal(err)
	}
	start(t, srv)
	bustest.WaitFor(t, "both letters", func() bool { return len(letters(t, conn)) == 2 })
	all := letters(t, conn)
	for seq, want := range map[string]struct{ subject, text, deliveries string }{
		"1": {"dead.theirs.terminated", "we do not like it", "1"},
		"2": {"dead.theirs.max_deliveries", "theirs", "2"},
	} {
		if len(all[seq]) != 1 {
			t.Errorf("%d letters of %s", len(all[seq]), seq)
			continue
		}
		l := all[seq][0]
		if l.Subject != want.subject || !strings.Contains(l.Header.Get(feed.HeaderError), want.text) ||
			l.Header.Get(feed.HeaderDeliveries) != want.deliveries || l.Header.Get(feed.HeaderSubject) != "raw.test" ||
			l.Header.Get(feed.HeaderItem) != seq || !strings.Contains(string(l.Data), "number "+seq) {
			t.Errorf("letter %s: %v %s", l.Subject, l.Header, l.Data)
		}
	}
	// Advisories that are done with do not come again.
	bustest.WaitFor(t, "the advisories to be settled", func() bool {
		return bustest.Settled(t.Context(), conn, bus.StreamAdvisories, bus.DurableAdvisories)
	})
}

// A letter that is put back is the same item: its events have the ids they
// would have had.
func TestPutBackKeepsIdentity(t *testing.T) {
	srv := bustest.Start(t)
	conn := srv.Conn(t, "test")
	own, named, nameless := tweet(1), tweet(2), tweet(3)
	own.Identity = "second-1"
	named.ID, named.Data = "given", []byte(`{"text":"no id","user":{"screen_name":"ann"}}`)
	nameless.Data = []byte(`{"text":"no id at all","user":{"screen_name":"ann"}}`)
	bustest.PublishRaw(t, conn, own, named)
	bustest.Publish(t, conn, feed.StreamRaw, bus.Msg{Subject: feed.RawSubject(source), Data: nameless.Data})
	for i, m := range bustest.ReadAll(t, conn, feed.StreamRaw) {
		bustest.Publish(t, conn, feed.StreamDead, conn.Letters(bus.Dead{
			Stage: "enrich", Reason: "panic", ID: "x" + m.Header.Get("Nats-Msg-Id"), Err: errors.New("bug"), Subject: m.Subject,
			Item: []string{"1", "given", "seq-3-then"}[i], Header: m.Header, Data: m.Data, StreamSeq: m.Seq,
		})...)
	}
	srv.DeleteStream(t, feed.StreamRaw)
	start(t, srv)
	err := conn.DeadLetters(t.Context(), func(l *bus.Letter) error {
		m, err := l.Again()
		if err != nil {
			return err
		}
		bustest.WaitFor(t, "RAW", func() bool { _, err := conn.Stream(t.Context(), feed.StreamRaw); return err == nil })
		bustest.Publish(t, conn, feed.StreamRaw, m)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	bustest.WaitFor(t, "their events", func() bool { return stored(t, conn) >= 4 })
	got := events(t, conn)
	for _, id := range []string{"simple_tweet:test:second-1", "simple_tweet:test:given", "simple_tweet:test:seq-3-then"} {
		if _, ok := got[id]; !ok {
			t.Errorf("no %s", id)
		}
	}
}
