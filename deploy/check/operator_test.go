package check_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/services/enrich"
)

// cli is the folder of the nats CLI, which tools/ pins.
func cli(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../../bin")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "nats")); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("needs bin/nats: ./task tools:nats")
	}
	return dir
}

// backups are the commands of the document that take one, and those that
// restore it.
func backups(t *testing.T) (take, restore []string) {
	t.Helper()
	_, section, _ := strings.Cut(document(t), "\n### Back up and restore\n")
	section, _, _ = strings.Cut(section, "\n### ")
	for line := range strings.Lines(section) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "nats backup restore "):
			restore = append(restore, line)
		case strings.HasPrefix(line, "nats backup "):
			take = append(take, line)
		}
	}
	if len(take) == 0 || len(take) != len(restore) {
		t.Fatalf("docs/operations.md takes %d backups and restores %d", len(take), len(restore))
	}
	return take, restore
}

// do runs commands as the operator does whose way in the document shows.
func (s secured) do(t *testing.T, dir string, commands []string) {
	t.Helper()
	for _, c := range commands {
		words := strings.Fields(c)
		cmd := exec.CommandContext(t.Context(), filepath.Join(cli(t), words[0]), words[1:]...)
		cmd.Dir = dir
		cmd.Env = []string{
			"HOME=" + dir, "NATS_URL=" + strings.Replace(s.URL(), "nats://", "tls://", 1),
			"NATS_CA=" + filepath.Join(s.dir, "ca.crt"), "NATS_NKEY=" + filepath.Join(s.dir, "operator.seed"),
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", c, err, out)
		}
	}
}

// TestBackupIsRestored takes the backup of docs/operations.md from servers with
// the permissions of nats-tls-auth, loses the disk, and restores it: streams,
// cursors and rules are as they were, and enrich goes on where it was.
func TestBackupIsRestored(t *testing.T) {
	take, restore := backups(t)
	s := startSecured(t, "")
	owner := s.dial(t, "ensure", "bootstrap", nil)
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	ensure := func() {
		t.Helper()
		if err := owner.Ensure(ctx, bustest.Layout()); err != nil {
			t.Fatal(err)
		}
	}
	ensure()
	operator := s.dial(t, "operator", "operator", nil)
	publishTweets(t, s.dial(t, "ingest", "ingest", nil), 0, 50)
	if _, err := operator.PutValue(ctx, bus.BucketRules, "current", bus.Value{Data: []byte("rules: []\n")}); err != nil {
		t.Fatal(err)
	}
	s.work(t, operator, 50)

	dir := t.TempDir()
	s.do(t, dir, take)
	s.Stop()
	s.Wipe()
	s.Start()
	s.do(t, dir, restore)
	// The connections of before may not have noticed yet that their server was away.
	owner, operator = s.dial(t, "ensure", "bootstrap", nil), s.dial(t, "operator", "operator", nil)
	if err := operator.WaitConnected(ctx); err != nil {
		t.Fatal(err)
	}
	ensure()

	if n := len(bustest.ReadAll(t, operator, feed.StreamEvents)); n != 50 {
		t.Errorf("EVENTS holds %d events after it was restored, want 50", n)
	}
	v, err := operator.GetValue(ctx, bus.BucketRules, "current")
	if err != nil || string(v.Data) != "rules: []\n" {
		t.Errorf("the rules are %q, %v", v.Data, err)
	}
	lag, err := operator.Lag(ctx, feed.StreamRaw, bus.DurableEnrich)
	if err != nil || lag.AckFloor != 50 || lag.Pending != 0 {
		t.Errorf("enrich's consumer is at %+v, %v, want all 50 read", lag, err)
	}
	publishTweets(t, s.dial(t, "ingest", "ingest", nil), 50, 60)
	s.work(t, operator, 60)
}

// publishTweets stores the tweets from one number to before another.
func publishTweets(t *testing.T, conn *bus.Conn, from, to int) {
	t.Helper()
	var items []feed.Item
	for i := from; i < to; i++ {
		id := strconv.Itoa(i + 1)
		items = append(items, feed.Item{
			ID: id, Source: "demo", Format: feed.FormatTwitterV1,
			Data: []byte(`{"id_str":"` + id + `","text":"a coffee","user":{"id_str":"9","screen_name":"ann"}}`),
		})
	}
	bustest.PublishRaw(t, conn, items...)
}

// work runs enrich until it has read n items of RAW, and made an event of each.
func (s secured) work(t *testing.T, operator *bus.Conn, n int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	runner, err := enrich.New(defaults[enrich.Config](t), s.dial(t, "enrich", "enrich", nil), service.Nop())
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- runner.Run(ctx) }()
	bustest.WaitFor(t, "enrich does not finish", func() bool {
		lag, err := operator.Lag(ctx, feed.StreamRaw, bus.DurableEnrich)
		return err == nil && int(lag.AckFloor) == n && lag.Pending == 0
	})
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if got := len(bustest.ReadAll(t, operator, feed.StreamEvents)); got != n {
		t.Errorf("%d events of %d items", got, n)
	}
}
