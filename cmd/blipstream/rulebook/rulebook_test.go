package rulebook_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/cmd/blipstream/rulebook"
	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/services/enrich"
)

const text = `
rules:
  - kind: seven
    when: post.body.contains("7")
    emit: {body: post.body}
    tests:
      - {name: sound, post: {body: "7"}, want: {body: "7"}}
      - {name: wrong, post: {body: "7"}, want: {body: "8"}}
`

func TestTest(t *testing.T) {
	var out bytes.Buffer
	err := rulebook.Test([]byte(text), nil, &out)
	if !errors.Is(err, rulebook.ErrFailed) {
		t.Errorf("error %v, want that tests failed", err)
	}
	for _, want := range []string{"ok    seven/sound\n", "FAIL  seven/wrong: wanted {\"body\":\"8\"}", "1 rules, 2 tests, 1 failed\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
	if err := rulebook.Test([]byte("rules: [{kind: a}]"), nil, &out); err == nil || errors.Is(err, rulebook.ErrFailed) {
		t.Errorf("error %v, want that the text is no good", err)
	}
}

func TestPutAndShow(t *testing.T) {
	conn := bustest.Start(t).Conn(t, "test")
	good := []byte(strings.Replace(text, `"8"`, `"7"`, 1))
	var out bytes.Buffer
	if err := rulebook.Put(t.Context(), conn, "rules", []byte(text), nil, &out); err == nil || !strings.Contains(err.Error(), "seven/wrong") {
		t.Errorf("error %v, want the test that fails", err)
	}
	if err := rulebook.Show(t.Context(), conn, "rules", &out); err != nil || !strings.Contains(out.String(), "holds no rules") {
		t.Errorf("shown %q, %v", out.String(), err)
	}
	out.Reset()
	for range 2 {
		if err := rulebook.Put(t.Context(), conn, "rules", good, nil, &out); err != nil {
			t.Fatal(err)
		}
	}
	if s := out.String(); !strings.Contains(s, "generation 1: 1 rules, 2 tests") || !strings.Contains(s, "generation 1 holds the same already") {
		t.Errorf("printed %q", s)
	}
	out.Reset()
	if err := rulebook.Show(t.Context(), conn, "rules", &out); err != nil || !strings.HasPrefix(out.String(), "# bucket rules, generation 1, good, hash ") || !strings.HasSuffix(out.String(), string(good)) {
		t.Errorf("shown %q, %v", out.String(), err)
	}
	if err := rulebook.Put(t.Context(), conn, "none", good, nil, &out); err == nil || !strings.Contains(err.Error(), "nats kv add none") {
		t.Errorf("error %v, want what to do", err)
	}
}

// maker makes a service with a text of rules.
func maker(t *testing.T, conn *bus.Conn, text string) *enrich.Service {
	t.Helper()
	cfg := enrich.DefaultConfig()
	cfg.Rules = filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(cfg.Rules, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	svc, err := enrich.New(cfg, conn, service.Nop())
	if err != nil {
		t.Fatal(err)
	}
	return svc
}

func TestTry(t *testing.T) {
	conn := bustest.Start(t).Conn(t, "test")
	items := make([]feed.Item, 100)
	for i := range items {
		items[i] = feed.Item{
			ID: strconv.Itoa(i), Source: "test", Format: feed.FormatTwitterV1,
			Data: fmt.Appendf(nil, `{"created_at":"Wed Aug 27 13:08:45 +0000 2008","id_str":"%d","text":"number %d","user":{"id_str":"9","screen_name":"ann"}}`, i, i),
		}
	}
	items[7].Data = bytes.Replace(items[7].Data, []byte("number"), []byte("number\u009b31m"), 1) // a terminal's colour
	items[99].Data = []byte("no JSON")
	bustest.PublishRaw(t, conn, items...)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- maker(t, conn, `rules: [{kind: seven, when: 'post.body.contains("7")', emit: {body: post.body}}, {kind: old, when: 'post.id == "5"'}]`).Run(ctx)
	}()
	bustest.WaitFor(t, "every item to be settled", func() bool {
		return bustest.Settled(t.Context(), conn, feed.StreamRaw, bus.DurableEnrich)
	})
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	before := len(bustest.ReadAll(t, conn, feed.StreamEvents))
	young := maker(t, conn, `rules: [{kind: seven, when: 'post.body.contains("7")', emit: {body: 'post.id == "7" ? "seven" : post.body'}}, {kind: eight, when: 'post.body.contains("8")'}]`)
	var out bytes.Buffer
	try := rulebook.Try{Since: time.Now().Add(-time.Hour), Limit: 1000, Samples: 1}
	if err := try.Run(t.Context(), conn, young, &out); err != nil {
		t.Fatal(err)
	}
	flat := strings.Join(strings.Fields(out.String()), " ")
	for _, want := range []string{
		"100 items of RAW (1 to 100), 1 of them would be dead letters kind same new changed missing",
		" eight 0 19 0 0 ", " old 0 0 0 1 ", " seven 18 0 1 0 ", " simple_tweet 99 0 0 0 ",
		` changed seven - {"id":"7","source":"test","time":"2008-08-27T13:08:45Z","userId":"9","body":"number�31m 7"} + {"id":"7",`,
		` missing old - {"id":"5",`, ` new eight + {"id":`,
	} {
		if !strings.Contains(flat+" ", want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
	if after := len(bustest.ReadAll(t, conn, feed.StreamEvents)); after != before {
		t.Errorf("EVENTS had %d events and has %d now", before, after)
	}
	if err := (rulebook.Try{Since: time.Now().Add(time.Hour), Limit: 1}).Run(t.Context(), conn, young, &out); err == nil {
		t.Error("rules were tried on nothing")
	}
}
