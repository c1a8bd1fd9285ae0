package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
)

// recipe is what one command of the document must print. Those that go on for
// ever, or ask for the next page, are interrupted then.
type recipe struct {
	want    string
	endless bool
	// deletes is a stream that must not be there.
	deletes string
}

// recipes are the commands of docs/operations.md, in any order.
func recipes() map[string]recipe {
	return map[string]recipe{
		"nats stream view RAW":                                                             {want: "a coffee in town", endless: true},
		"nats stream view DEAD":                                                            {want: feed.HeaderError + ":", endless: true},
		"nats stream view RAW --since 10m --subject raw.demo":                              {want: "a coffee in town", endless: true},
		"nats stream get RAW 17":                                                           {want: "Item: RAW#17"},
		"nats stream get EVENTS --last-for events.geo_blip":                                {want: "geo_blip:demo:20"},
		"nats sub 'raw.>' --stream RAW --since 10m":                                        {want: "stream: RAW seq: 21", endless: true},
		"nats sub 'events.>' --stream EVENTS --all":                                        {want: "stream: EVENTS seq: 40", endless: true},
		"nats consumer info RAW enrich":                                                    {want: "Redelivered Messages: 0"},
		"nats consumer report RAW":                                                         {want: "enrich"},
		"nats consumer pause RAW enrich 10m --force":                                       {want: "Paused RAW > enrich"},
		"nats consumer resume RAW enrich --force":                                          {want: "was resumed"},
		"nats consumer reset RAW enrich --sequence 17 --force":                             {want: "Acknowledgment Floor"},
		"nats consumer copy RAW enrich mine --deliver 2h --replay original":                {want: "RAW > mine"},
		"nats consumer next RAW mine --count 3 --ack":                                      {want: "str seq: 3"},
		"nats consumer rm RAW mine --force":                                                {},
		"nats backup stream RAW raw-backup --no-progress":                                  {want: "Received"},
		"nats backup info raw-backup":                                                      {want: "backup of Stream RAW"},
		"nats sub 'events.geo_blip' --stream EVENTS --start-sequence 1 --terminate-at-end": {want: "geo_blip:demo:20"},
		"nats backup restore stream raw-backup":                                            {want: "RAW", deletes: feed.StreamRaw},
	}
}

// documented are the nats commands of the section of docs/operations.md.
func documented(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(text), "\n## With the nats CLI\n")
	if !ok {
		t.Fatal("docs/operations.md has no section about the nats CLI")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var commands []string
	for line := range strings.Lines(section) {
		if strings.HasPrefix(line, "nats ") {
			command, _, _ := strings.Cut(line, " #")
			commands = append(commands, strings.TrimSpace(command))
		}
	}
	return commands
}

// root is the top of the repository.
const root = "../../.."

// TestRecipesOfTheDocument runs each nats command of docs/operations.md, in its
// order, on a server that holds 20 tweets, their events and a dead letter.
func TestRecipesOfTheDocument(t *testing.T) {
	cli, err := filepath.Abs(filepath.Join(root, "bin", "nats"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(cli); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("needs bin/nats: ./task tools:nats")
	}
	srv, conn := kitchen(t)
	rest, dir := recipes(), t.TempDir()
	for _, command := range documented(t) {
		r, ok := rest[command]
		if !ok {
			t.Errorf("the document has a command that this test does not know: %q", command)
			continue
		}
		delete(rest, command)
		if r.deletes != "" {
			srv.DeleteStream(t, r.deletes)
		}
		cook(t, cli, dir, srv.URL(), command, r)
	}
	for command := range rest {
		t.Errorf("the document has no %q", command)
	}
	if n := count(t, conn, feed.StreamRaw); n != 21 {
		t.Errorf("RAW holds %d messages after it was restored, want 21", n)
	}
}

// kitchen is the server, with enrich at work until the end of the test.
func kitchen(t *testing.T) (*bustest.Server, *bus.Conn) {
	t.Helper()
	srv := bustest.Start(t)
	conn := srv.Conn(t, "e2e")
	items := make([]feed.Item, 0, 21)
	for n := range 20 {
		id := strconv.Itoa(n + 1)
		items = append(items, feed.Item{
			ID: id, Source: "demo", Format: feed.FormatTwitterV1,
			Data: []byte(`{"id_str":"` + id + `","text":"a coffee in town","user":{"id_str":"9","screen_name":"ann"},` +
				`"coordinates":{"type":"Point","coordinates":[9.5,48]}}`),
		})
	}
	items = append(items, feed.Item{ID: "bad", Source: "demo", Data: []byte("{oops")})
	bustest.PublishRaw(t, conn, items...)
	start(t, "enrich", "--nats", srv.URL(), "--no-ensure")
	until(t, patience, "enrich did not finish", func() bool {
		return bustest.Settled(t.Context(), conn, feed.StreamRaw, bus.DurableEnrich)
	})
	return srv, conn
}

// cook runs one command as a shell would, in a terminal (which `nats stream
// view` insists on), until it ends or has printed what it must.
func cook(t *testing.T, cli, dir, url, command string, r recipe) {
	t.Helper()
	p := startCommand(t, exec.Command("script", "-qec", command, "/dev/null"), []string{
		"NATS_URL=" + url, "PATH=" + filepath.Dir(cli) + ":" + os.Getenv("PATH"), "HOME=" + dir, "SHELL=/bin/sh", "NATS_COLOR=",
	}, dir)
	p.name = command
	const within = 20 * time.Second
	if r.want != "" {
		p.line(within, func(s string) bool { return strings.Contains(s, r.want) })
	}
	if r.endless {
		p.kill() // the terminal's end is the command's end
		return
	}
	if code := p.exit(within); code != 0 {
		t.Errorf("%s: exit code %d: %s", command, code, strings.Join(p.lines, "\n"))
	}
}
