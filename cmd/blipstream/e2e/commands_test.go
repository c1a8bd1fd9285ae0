package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/simulate"
)

// refuses runs a program that must exit with 2 and one line that holds want.
func refuses(t *testing.T, want string, env []string, args ...string) {
	t.Helper()
	p := startEnv(t, env, "blipstream", args...)
	if code := p.exit(20 * time.Second); code != 2 {
		t.Errorf("%v: exit code %d, want 2", args, code)
	}
	log := strings.TrimSpace(p.stderr())
	if !strings.Contains(log, want) || strings.Contains(log, "\n") {
		t.Errorf("%v: printed %q, want one line with %q", args, log, want)
	}
}

func TestConfigurationThatCannotWorkIsRefused(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	addr := taken.Addr().String()
	_, port, _ := net.SplitHostPort(addr)
	for name, c := range map[string]struct {
		want string
		env  []string
		args []string
	}{
		"no such command": {"wind", nil, []string{"wind"}},
		"no such flag":    {"--colour", nil, []string{"up", "--colour"}},
		"environment":     {"BLIPSTREAM_SUORCE", []string{"BLIPSTREAM_SUORCE=demo:"}, []string{"version"}},
		"redis address":   {"redis", nil, []string{"up", "--redis", "localhost", "--log-level", "error"}},
		"page port taken": {"--addr", nil, []string{"up", "--addr", addr, "--log-level", "error"}},
		"nats port taken": {"choose another port", nil, []string{"nats", "--port", port}},
		"nats port":       {"70000", nil, []string{"nats", "--port", "70000"}},
		"source":          {"gopher", nil, []string{"up", "--addr", "127.0.0.1:0", "--source", "gopher://x", "--log-level", "error"}},
		"nats url":        {"NATS URL", nil, []string{"up", "--nats", "http://127.0.0.1", "--log-level", "error"}},
		"gateway url":     {"give it as http", nil, []string{"tail", "--url", "localhost:8080"}},
		"rules":           {"no such file", nil, []string{"up", "--addr", "127.0.0.1:0", "--rules", "/nowhere.yaml", "--log-level", "error"}},
		"copies":          {"one replica", nil, []string{"up", "--addr", "127.0.0.1:0", "--replicas", "3"}},
		"no copy":         {"replicas must be 1", nil, []string{"up", "--addr", "127.0.0.1:0", "--replicas", "0", "--log-level", "error"}},
		"no age":          {"max age must be", nil, []string{"ensure", "--raw-max-age", "0s"}},
		"no window":       {"dedupe window must be", nil, []string{"ensure", "--dedupe-window", "0s"}},
		"size":            {"512MiB", nil, []string{"ensure", "--raw-max-bytes", "much"}},
	} {
		t.Run(name, func(t *testing.T) { refuses(t, c.want, c.env, c.args...) })
	}
}

func TestDataDirectoryHasOneUser(t *testing.T) {
	dir := t.TempDir()
	first := start(t, "blipstream", "nats", "--port", "0", "--data", dir)
	first.field("nats")
	holder := "process " + strconv.Itoa(first.cmd.Process.Pid)
	refuses(t, holder, nil, "up", "--addr", "127.0.0.1:0", "--data", dir)
	refuses(t, holder, nil, "nats", "--port", "0", "--data", dir)
	first.stop(5 * time.Second)
	start(t, "blipstream", "nats", "--port", "0", "--data", dir).field("nats")
}

// TestCredentialsOfURLsAreNotPrinted: neither by a banner nor by who waits for
// the server in vain.
func TestCredentialsOfURLsAreNotPrinted(t *testing.T) {
	address := "127.0.0.1:" + freePort(t)
	url := "nats://user:hunter2@" + address
	up := start(t, "blipstream", "up", "--addr", "127.0.0.1:0", "--nats", url)
	if got := up.field("nats"); got != "nats://***@"+address {
		t.Errorf("up prints %q", got)
	}
	for _, args := range [][]string{{"dead", "ls"}, {"ensure"}, {"replay", "--since", "1h", "--run", "x"}} {
		p := start(t, "blipstream", append(args, "--nats", url, "--timeout", "2s")...)
		code, told := p.exit(10*time.Second), p.stderr()
		if code != 1 || strings.Contains(told, "hunter2") || !strings.Contains(told, address) || !strings.Contains(told, "refused") {
			t.Errorf("%v: exit code %d, printed %q, want the address and what is wrong", args, code, told)
		}
	}
}

func TestVersionAndHelp(t *testing.T) {
	for _, arg := range []string{"version", "--help"} {
		p := start(t, "blipstream", arg)
		if code := p.exit(10 * time.Second); code != 0 || len(p.lines) == 0 {
			t.Errorf("%s: exit code %d and %d lines, want 0 and some", arg, code, len(p.lines))
		}
	}
}

func TestUpShowsThePageAndStops(t *testing.T) {
	began := time.Now()
	p := start(t, "blipstream", "up", "--addr", "127.0.0.1:0", "--data", t.TempDir())
	page := p.field("page")
	if got := p.field("sources"); got != "demo:" {
		t.Errorf("sources %q, want demo:", got)
	}
	if url := p.field("nats"); !strings.HasPrefix(url, "nats://127.0.0.1:") {
		t.Errorf("nats at %q, want this machine only", url)
	}
	resp, err := http.Get(page)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(body), "<html") {
		t.Errorf("page answered %s with %d bytes, %v", resp.Status, len(body), err)
	}
	t.Logf("page %v after the start", time.Since(began).Round(time.Millisecond))
	tail := start(t, "blipstream", "tail", "--url", strings.TrimSuffix(page, "/"), "--since", "1m")
	line := tail.line(10*time.Second, func(string) bool { return true })
	t.Logf("first post %v after the start: %s", time.Since(began).Round(time.Millisecond), line)
	if !strings.HasPrefix(line, "[") || !strings.Contains(line, "] @") || !strings.Contains(line, "): ") {
		t.Errorf("tail printed %q, want [time] @username (name): body", line)
	}
	t.Logf("stopped in %v", p.stop(5*time.Second).Round(time.Millisecond))
	t.Logf("tail stopped in %v", tail.stop(5*time.Second).Round(time.Millisecond))
}

// TestSignInOfPrograms: who runs a gateway makes a token, with which tail reads;
// no command line holds it.
func TestSignInOfPrograms(t *testing.T) {
	secret := "BLIPSTREAM_SECRET_SIGN_IN=" + strings.Repeat("s", 32)
	up := startEnv(t, []string{secret}, "blipstream", "up", "--addr", "127.0.0.1:0", "--data", t.TempDir())
	page := strings.TrimSuffix(up.field("page"), "/")
	made := startEnv(t, []string{secret}, "blipstream", "token", "--for", "5m")
	token := made.line(10*time.Second, func(string) bool { return true })
	tail := startEnv(t, []string{"BLIPSTREAM_TOKEN=" + token}, "blipstream", "tail", "--url", page, "--since", "1m")
	if line := tail.line(10*time.Second, func(string) bool { return true }); !strings.Contains(line, "] @") {
		t.Errorf("tail printed %q", line)
	}
	for want, env := range map[string][]string{
		"put one into BLIPSTREAM_TOKEN": nil,
		"the token is not valid":        {"BLIPSTREAM_TOKEN=" + token + "x"},
	} {
		p := startEnv(t, env, "blipstream", "tail", "--url", page)
		if code := p.exit(20 * time.Second); code == 0 || !strings.Contains(p.stderr(), want) || strings.Contains(p.stderr(), token) {
			t.Errorf("exit code %d, printed %q, want %q", code, p.stderr(), want)
		}
	}
	tail.stop(5 * time.Second)
	up.stop(5 * time.Second)
}

func TestTailPrintsHarmlessLinesOrPayloads(t *testing.T) {
	tweet := `{"id":"1","time":"2026-11-23T10:00:00Z","username":"ann","name":"Ann","body":"a\u001b[2Jb\nc"}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("kind") != "simple_tweet" {
			http.Error(w, `{"title":"Bad parameter","detail":"no such kind"}`, http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "event: gap\ndata: {\"reason\":\"trimmed\",\"count\":\"3\"}\n\nevent: simple_tweet\nid: e-1\ndata: %s\n\n", tweet)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	for _, c := range []struct {
		want string
		args []string
	}{
		{"[2026-11-23T10:00:00Z] @ann (Ann): a␛[2Jb c", nil}, {tweet, []string{"--json"}},
	} {
		p := start(t, "blipstream", append([]string{"tail", "--url", server.URL}, c.args...)...)
		if got := p.line(10*time.Second, func(string) bool { return true }); got != c.want {
			t.Errorf("printed %q, want %q", got, c.want)
		}
		if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		if code := p.exit(5 * time.Second); code != 0 {
			t.Errorf("exit code %d after Ctrl-C, want 0", code)
		}
		if !strings.Contains(p.stderr(), "events are missing") {
			t.Errorf("the gap was not told: %q", p.stderr())
		}
	}
	p := start(t, "blipstream", "tail", "--url", server.URL, "--kind", "wind")
	if code := p.exit(10 * time.Second); code != 1 || !strings.Contains(p.stderr(), "no such kind") {
		t.Errorf("exit code %d and %q after a refusal, want 1 and the gateway's words", code, p.stderr())
	}
}

func TestEnsureCanBeRepeated(t *testing.T) {
	nats := start(t, "blipstream", "nats", "--port", "0", "--data", t.TempDir())
	for range 2 {
		p := start(t, "blipstream", "ensure", "--nats", nats.field("nats"), "--raw-max-bytes", "64MiB")
		if code := p.exit(30 * time.Second); code != 0 {
			t.Errorf("exit code %d: %s", code, p.stderr())
		}
	}
}

// TestSimulateIsASource reads, through faults, what `blipstream simulate` serves.
func TestSimulateIsASource(t *testing.T) {
	t.Parallel()
	const n = 500
	o := simulate.DefaultWorld(3)
	o.Epoch = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	o.Gap = time.Second / 1000
	w, err := simulate.NewWorld(o)
	if err != nil {
		t.Fatal(err)
	}
	upstream := start(t, "blipstream", "simulate", "--addr", "127.0.0.1:0", "--seed", "3", "--epoch", "2026-03-01T00:00:00Z",
		"--rate", "1000", "--items", strconv.Itoa(n), "--resume", "--rewind", "50", "--newlines", "--secret", "bearer:s",
		"--fault", "fault=cut&after=100", "--fault", "fault=malformed&after=100")
	line := startEnv(t, []string{"BLIPSTREAM_SECRET_E2E=bearer:s"}, "blipstream", "up", "--addr", "127.0.0.1:0",
		"--data", t.TempDir(), "--log-level", "warn", "--source", upstream.field("source")+"#"+source)
	conn := connect(t, line.field("nats"))
	want := want(w, n)
	complete(t, conn, want, patience)
	var got []string
	for _, id := range ids(read(t, conn, feed.StreamEvents)) {
		if _, ok := want[id]; ok { // the malformed ones may add a post
			got = append(got, id)
		}
	}
	once(t, want, got)
	upstream.stop(stopGrace)
	line.stop(stopGrace)
}

func TestBenchPrintsItsTable(t *testing.T) {
	p := start(t, "blipstream", "bench", "enrich", "--tweets", "2000", "--rounds", "1", "--backlog", "4000")
	if code := p.exit(patience); code != 0 {
		t.Fatalf("exit code %d: %s", code, p.stderr())
	}
	text := strings.Join(p.lines, "\n")
	for _, word := range []string{"2000 tweets", "tweets/s", "ratio", "4000 waiting"} {
		if !strings.Contains(text, word) {
			t.Errorf("no %q in:\n%s", word, text)
		}
	}
}
