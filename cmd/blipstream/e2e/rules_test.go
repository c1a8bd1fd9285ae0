package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/feed"
	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
)

// rulesOf is a file of rules that make events of one kind of every post.
func rulesOf(t *testing.T, kind string) string {
	t.Helper()
	return ruleFile(t, "rules: [{kind: "+kind+", when: 'post.username != \"\"', emit: {body: post.body, lang: post.lang}}]\n")
}

// ruleFile writes a file of rules.
func ruleFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// printed is what a program has printed so far.
func printed(p *process) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.lines)
}

// inForce are the kinds of rules that a gateway tells.
func inForce(t *testing.T, page string) string {
	t.Helper()
	resp, err := http.Get(page + "/api/rules")
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	var m feedv1.Rules
	if err != nil || protojson.Unmarshal(data, &m) != nil || len(m.GetReplicas()) != 1 {
		return ""
	}
	return strings.Join(m.GetReplicas()[0].GetKinds(), ",")
}

// A kind that only a rule knows reaches EVENTS, tail and those who ask for it,
// and nobody else who asked for kinds; it changes while everything runs.
func TestRulesReachEverybody(t *testing.T) {
	t.Parallel()
	p := up(t, t.TempDir(), "--source", "demo:?rate=50&seed=3", "--rules", "kv:rules")
	page, nats := strings.TrimSuffix(p.field("page"), "/"), p.field("nats")
	put := start(t, "blipstream", "rules", "put", rulesOf(t, "loud"), "--nats", nats, "--log-level", "error")
	if code := put.exit(patience); code != 0 {
		t.Fatalf("put: exit code %d: %s", code, put.stderr())
	}
	until(t, patience, "the rules are in force", func() bool { return inForce(t, page) == "loud" })
	tail := start(t, "blipstream", "tail", "--url", page, "--kind", "loud", "--log-level", "error")
	tail.line(patience, func(l string) bool { return strings.HasPrefix(l, "loud {") && strings.Contains(l, `"source":"demo"`) })
	for _, l := range printed(tail) {
		if !strings.HasPrefix(l, "loud {") {
			t.Errorf("tail of one kind prints %q", l)
		}
	}
	bad := start(t, "blipstream", "rules", "put", ruleFile(t, "rules: [{kind: x, when: 'post.x'}]"), "--nats", nats, "--log-level", "error")
	if code := bad.exit(patience); code == 0 || !strings.Contains(bad.stderr(), "undefined field") {
		t.Errorf("bad rules: exit code %d: %s", code, bad.stderr())
	}
	again := start(t, "blipstream", "rules", "put", rulesOf(t, "quiet"), "--nats", nats, "--log-level", "error")
	if code := again.exit(patience); code != 0 {
		t.Fatalf("put: exit code %d: %s", code, again.stderr())
	}
	until(t, patience, "the new rules are in force", func() bool { return inForce(t, page) == "quiet" })
	conn := connect(t, nats)
	until(t, patience, "events of the new rules", func() bool {
		msgs, err := conn.Range(t.Context(), feed.StreamEvents, 1, 3, feed.EventSubject("quiet"))
		return err == nil && len(msgs) == 3
	})
	try := start(t, "blipstream", "rules", "try", rulesOf(t, "third"), "--nats", nats, "--since", "1h", "--log-level", "error")
	if code := try.exit(patience); code != 0 {
		t.Fatalf("try: exit code %d: %s", code, try.stderr())
	}
	if out := strings.Join(printed(try), "\n"); !strings.Contains(out, "third") || !strings.Contains(out, "missing loud") {
		t.Errorf("try printed %s", out)
	}
	p.stop(stopGrace)
}

// The examples of docs/examples are what they say: rules that pass their tests,
// and services in two languages that answer them.
func TestExamplesAnswerRules(t *testing.T) {
	t.Parallel()
	examples, err := filepath.Abs("../../../docs/examples")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"rules.yaml", "ask.yaml"} {
		test := start(t, "blipstream", "rules", "test", filepath.Join(examples, name))
		if code := test.exit(patience); code != 0 {
			t.Errorf("%s: exit code %d: %s%s", name, code, strings.Join(printed(test), "\n"), test.stderr())
		}
	}
	p := up(t, t.TempDir(), "--source", writeFile(t, []byte("{}\n")), "--rules", filepath.Join(examples, "ask.yaml"))
	nats := p.field("nats")
	started := func(l string) bool { return strings.HasPrefix(l, "answering on ") }
	start(t, "enricher-go", nats).line(patience, started)
	start(t, "/usr/bin/python3", "-B", filepath.Join(examples, "enricher.py"), nats).line(patience, started)
	conn := connect(t, nats)
	for id, text := range map[string]string{"1": "I love coffee", "2": "It is Monday"} {
		post(t, conn, id, text)
	}
	want := map[string]string{
		"mood:hand:1":    `"body":"I love coffee","label":"good","score":2}`,
		"counted:hand:1": `"words":3,"letters":13}`,
		"counted:hand:2": `"words":3,"letters":12}`,
	}
	until(t, patience, "the answers", func() bool {
		msgs, err := conn.Range(t.Context(), feed.StreamEvents, 1, 100, feed.EventSubject("mood"), feed.EventSubject("counted"))
		return err == nil && len(msgs) == len(want)
	})
	for _, m := range read(t, conn, feed.StreamEvents) {
		id := m.Header.Get(headerMsgID)
		if w, ok := want[id]; ok && !strings.HasSuffix(string(m.Data), w) {
			t.Errorf("%s: %s, want it to end with %s", id, m.Data, w)
		}
	}
	p.stop(stopGrace)
}

// post publishes a post in English by hand.
func post(t *testing.T, conn *bus.Conn, id, text string) {
	t.Helper()
	pub, err := conn.NewPublisher(bus.PublisherOptions{Stream: feed.StreamRaw})
	if err != nil {
		t.Fatal(err)
	}
	defer pub.Close()
	data := fmt.Appendf(nil, `{"id_str":%q,"text":%q,"lang":"en","user":{"screen_name":"ann"}}`, id, text)
	stored := make(chan error, 1)
	if err := pub.Publish(t.Context(), []bus.Msg{{Subject: feed.RawSubject("hand"), ID: "hand:" + id, Data: data}}, func(err error) { stored <- err }); err != nil {
		t.Fatal(err)
	}
	if err := <-stored; err != nil {
		t.Fatal(err)
	}
}
