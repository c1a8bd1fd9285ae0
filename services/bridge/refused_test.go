package bridge_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/bridge"
)

// No payload of Redis makes a message that is refused for anything but its
// size, so these are made worse on their way.
func spoil(m *bus.Msg) {
	switch {
	case bytes.Contains(m.Data, []byte("headers")):
		m.Header.Set("X-Long", strings.Repeat("h", 70_000)) // by the server
	case bytes.Contains(m.Data, []byte("subject")):
		m.Subject = "raw. legacy" // by the client
	}
}

// What RAW refuses for good is kept in DEAD, once, as it came, and can be put
// back; its neighbours are stored.
func TestRefusedIn(t *testing.T) {
	srv, red := bustest.Start(t), startRedis(t)
	conn := srv.Conn(t, "bridge")
	r := launch(t, conn, config(red, bridge.In, bridge.Off), func(s *bridge.Service) { s.Change(spoil) })
	bustest.WaitFor(t, "the bridge copies", r.up)
	sent := []string{rawTweet(1, "a"), rawTweet(2, "headers"), rawTweet(3, "subject"), rawTweet(4, "b")}
	c := red.client()
	for _, s := range sent {
		if err := c.Publish(t.Context(), "twitter_raw", s).Err(); err != nil {
			t.Fatal(err)
		}
	}
	var raw []bus.Stored
	bustest.WaitFor(t, "what is sound is stored, and the rest is dead", func() bool {
		raw = bustest.ReadAll(t, conn, feed.StreamRaw)
		return len(raw) == 2 && r.metric("dead_total") == 2
	})
	if string(raw[0].Data) != sent[0] || string(raw[1].Data) != sent[3] {
		t.Errorf("RAW holds %s and %s", raw[0].Data, raw[1].Data)
	}
	if n := r.metric("dead_total", "refused"); n != 2 {
		t.Errorf("%v are counted as refused, want 2", n)
	}
	var dead []string
	err := conn.DeadLetters(t.Context(), func(l *bus.Letter) error {
		dead = append(dead, string(l.Data))
		if again, err := l.Again(); l.Stage != "bridge" || l.Reason != "refused" || l.Cause == "" || err != nil || again.Subject != "raw.legacy" {
			t.Errorf("letter %+v, put back on %q (%v)", l, again.Subject, err)
		}
		return nil
	})
	slices.Sort(dead)
	if err != nil || !slices.Equal(dead, sent[1:3]) {
		t.Errorf("DEAD holds %q (%v)", dead, err)
	}
}
