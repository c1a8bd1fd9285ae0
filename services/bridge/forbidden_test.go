package bridge_test

import (
	"bytes"
	"context"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/services/bridge"
)

// journal keeps what is logged.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// count is how often a text was logged.
func (j *journal) count(text string) int { return strings.Count(j.String(), text) }

// user makes a user of Redis with such rights beside +@all.
func (s *redisServer) user(name string, rights ...any) {
	s.tb.Helper()
	args := append([]any{"ACL", "SETUSER", name, "on", ">pw", "+@all"}, rights...)
	if err := s.client().Do(context.Background(), args...).Err(); err != nil {
		s.tb.Fatal(err)
	}
}

// journaled starts a bridge, and keeps its log.
func journaled(t *testing.T, conn *bus.Conn, cfg bridge.Config) *journal {
	t.Helper()
	j := &journal{}
	env := service.Nop()
	env.Log = slog.New(slog.NewTextHandler(j, nil))
	launchIn(t, env, conn, cfg)
	return j
}

// refusals is how often a server has refused to publish.
func (s *redisServer) refusals() int {
	s.tb.Helper()
	info, err := s.client().Info(context.Background(), "commandstats").Result()
	if err != nil {
		s.tb.Fatal(err)
	}
	_, stats, _ := strings.Cut(info, "cmdstat_publish:")
	_, rejected, _ := strings.Cut(stats, "rejected_calls=")
	digits, _, _ := strings.Cut(rejected, ",")
	n, _ := strconv.Atoi(digits) // none at first
	return n
}

// A Redis that answers and lets nobody publish is complained of once; once it
// does, what waited is sent.
func TestForbidden(t *testing.T) {
	for _, in := range []bridge.Direction{bridge.Off, bridge.In} {
		t.Run(string(in), func(t *testing.T) {
			srv, red := bustest.Start(t), startRedis(t)
			conn := srv.Conn(t, "bridge")
			red.user("bob", "resetchannels", "&twitter_raw")
			ear := red.listen("events")
			red.subscribed("events")
			cfg := config(red, in, bridge.Out)
			cfg.Redis = "redis://bob:pw@" + red.addr()
			j := journaled(t, conn, cfg)
			bustest.WaitFor(t, "a refusal", func() bool { return red.refusals() > 0 })
			bustest.Publish(t, conn, feed.StreamEvents, blips(1, 3)...)
			bustest.WaitFor(t, "more of them", func() bool { return red.refusals() > 4 })
			if n := j.count("NOPERM"); n != 1 {
				t.Errorf("complained %d times, want once:\n%s", n, j)
			}
			red.user("bob", "&events")
			bustest.WaitFor(t, "what waited", func() bool { return ear.count() == 3 })
		})
	}
}
