package legacy_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/blipstream/blipstream/internal/decode"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/bridge/legacy"
)

// outcome is what a reader said, in a word.
func outcome(err error) string {
	var ignored *decode.IgnoredError
	var bad *decode.MalformedError
	var unsafe *legacy.UnsafeError
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &ignored):
		return "ignored " + ignored.What
	case errors.As(err, &bad):
		return "dead " + string(bad.Reason)
	case errors.As(err, &unsafe):
		return "unsafe " + unsafe.What
	default:
		return err.Error()
	}
}

func TestParseRaw(t *testing.T) {
	for _, c := range []struct{ in, want, id string }{
		{"", "ignored blank", ""},
		{"\r", "ignored blank", ""},
		{" \r\n\t", "ignored blank", ""},
		{"2834\r", "ignored number", ""},
		{"-1.5e3", "ignored number", ""},
		{"NaN", "dead json", ""},
		{"null", "ignored null", ""},
		{"true\r", "ignored true", ""},
		{`"text"`, "ignored string", ""},
		{"[1]", "ignored array", ""},
		{"12 {", "dead json", ""},
		{"hello", "dead json", ""},
		{`{"id_str":"7"`, "dead json", ""},
		{`{"id_str":"7"} {}`, "dead json", ""},
		{`{"n": 1e999, "x": NaN}`, "dead json", ""},
		{"{\"id_str\":\"7\",\"text\":\"\xff\"}", "dead utf8", ""},
		{"\xff", "dead utf8", ""},
		{"{\"id\":9,\"id_str\":\"9007199254740993\",\"text\":\"a\"}\r", "ok", "9007199254740993"},
		{`{"id_str":"7","text":"\ud83d"}`, "ok", "7"},
		{`{"id":9007199254740993,"text":"a"}`, "ok", "9007199254740993"},
		{`{"delete":{"status":{"id":5,"id_str":"5","user_id_str":"2"}}}`, "ok", "del-5"},
		{`{"scrub_geo":{"user_id_str":"2","up_to_status_id_str":"9"}}`, "ok", "scrub-2-9"},
		{`{"retweeted_status":{"id_str":"1"},"id_str":"2"}`, "ok", "2"},
	} {
		it, err := legacy.ParseRaw([]byte(c.in))
		if got := outcome(err); got != c.want || it.ID != c.id {
			t.Errorf("%.60q = %s, id %q; want %s, id %q", c.in, got, it.ID, c.want, c.id)
		}
	}
}

func TestParseRawNamesByContentAndFormat(t *testing.T) {
	limit, err := legacy.ParseRaw([]byte(`{"limit":{"track":4}}` + "\r"))
	if err != nil || !strings.HasPrefix(limit.ID, "sha-") || limit.Format != feed.FormatTwitterV1 {
		t.Fatalf("limit = %+v, %v", limit, err)
	}
	again, err := legacy.ParseRaw([]byte("\n" + `{"limit":{"track":4}}`))
	if err != nil || again.ID != limit.ID {
		t.Fatalf("the same message has another id: %q, %q", again.ID, limit.ID)
	}
	other, err := legacy.ParseRaw([]byte(`{"data":{"id":"1","text":"v2"}}`))
	if err != nil || other.Format != "" {
		t.Fatalf("format of something else = %q, %v", other.Format, err)
	}
	same, err := legacy.ParseRaw([]byte(`{"ID_STR":"8","Id":3,"id_str":"7"}`))
	if err != nil || same.ID != "7" {
		t.Fatalf("names must match by case: %q, %v", same.ID, err)
	}
}

func TestSafe(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 1000) + "1" + strings.Repeat("}", 1000)
	for _, c := range []struct{ in, want string }{
		{`{}`, "ok"},
		{`{"delete":{"status":{"id_str":"5"}}}`, "ok"},
		{`{"text":"x","user":{}}`, "ok"},
		{`{"text":"x","user":null}`, "unsafe user"},
		{`{"user":"me"}`, "unsafe user"},
		{`{"user":[]}`, "unsafe user"},
		{`{"geo":null,"place":null}`, "ok"},
		{`{"geo":{},"place":{}}`, "ok"},
		{`{"geo":{ },"place":0}`, "ok"},
		{`{"geo":0.0e5,"place":""}`, "ok"},
		{`{"geo":"Point"}`, "unsafe geo"},
		{`{"geo":[1]}`, "unsafe geo"},
		{`{"geo":1e-9}`, "unsafe geo"},
		{`{"geo":true}`, "unsafe geo"},
		{`{"geo":{"type":null}}`, "unsafe geo"},
		{`{"geo":{"coordinates":[1,2]}}`, "unsafe geo"},
		{`{"geo":{"type":"Polygon"}}`, "ok"},
		{`{"geo":{"type":"point"}}`, "unsafe geo"},
		{`{"geo":{"type":"Point","coordinates":[1]}}`, "unsafe geo"},
		{`{"geo":{"type":"Point","coordinates":[1,2,3]}}`, "unsafe geo"},
		{`{"geo":{"type":"Point","coordinates":[1,2]}}`, "ok"},
		{`{"place":"here"}`, "unsafe place"},
		{`{"place":{"bounding_box":7}}`, "unsafe place"},
		{`{"place":{"bounding_box":null}}`, "ok"},
		{`{"place":{"bounding_box":{"coordinates":[]}}}`, "ok"},
		{`{"place":{"bounding_box":{"coordinates":[[]]}}}`, "unsafe place"},
		{`{"place":{"bounding_box":{"coordinates":[1]}}}`, "unsafe place"},
		{`{"place":{"bounding_box":{"coordinates":[[[1]]]}}}`, "unsafe place"},
		{`{"place":{"bounding_box":{"coordinates":[[[1,2]]]}}}`, "ok"},
		{deep, "unsafe depth"},
		{`{"n":` + strings.Repeat("9", 5000) + `}`, "unsafe number"},
		{`{"n":"` + strings.Repeat("9", 5000) + `"}`, "ok"},
		{`{"user":null,"user":{}}`, "unsafe json"},
		{`{"a":1`, "unsafe json"},
		{`[{}]`, "unsafe json"},
		{`2834`, "unsafe json"},
		{"", "unsafe json"},
		{"{\"a\":\"\xff\"}", "unsafe utf8"},
	} {
		out, err := legacy.Safe([]byte(c.in))
		if got := outcome(err); got != c.want {
			t.Errorf("%.60s = %s (%v), want %s", c.in, got, err, c.want)
		}
		if err == nil && string(out) != c.in {
			t.Errorf("%.60s was changed to %.60s", c.in, out)
		}
	}
}

func TestSafeRewritesOnlyWhatItMust(t *testing.T) {
	for in, want := range map[string]string{
		"{\"a\": \"b\\r\"}\r\n":                     `{"a": "b\r"}`,
		"{\"a\":\r\n1.50, \"id\":9007199254740993}": `{"a":1.50,"id":9007199254740993}`,
		`{"a":"x\ud83d", "b":"\ud83d\ude00"}`:       `{"a":"x�","b":"😀"}`,
	} {
		out, err := legacy.Safe([]byte(in))
		if err != nil || string(out) != want {
			t.Errorf("Safe(%q) = %q, %v; want %q", in, out, err, want)
		}
	}
}

// corpus is every line of the recorded payloads under dir.
func corpus(tb testing.TB, dir string) [][]byte {
	tb.Helper()
	root := os.Getenv("BLIPSTREAM_CORPUS")
	if root == "" {
		tb.Skip("BLIPSTREAM_CORPUS is not set")
	}
	files, err := filepath.Glob(filepath.Join(root, dir, "*json*"))
	if err != nil || len(files) == 0 {
		tb.Fatalf("no corpus in %s: %v", dir, err)
	}
	var lines [][]byte
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		sc := bufio.NewScanner(bytes.NewReader(data))
		sc.Buffer(nil, 1<<20)
		for sc.Scan() {
			lines = append(lines, bytes.Clone(sc.Bytes()))
		}
		if sc.Err() != nil {
			tb.Fatal(sc.Err())
		}
	}
	return lines
}

func TestCorpusPassesBothWays(t *testing.T) {
	ids := map[string]bool{}
	lines := corpus(t, "twitter-v1")
	for _, line := range lines {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		out, err := legacy.Safe(line)
		if err != nil {
			t.Errorf("a real payload is held back: %v: %.80s", err, line)
			continue
		}
		if err := oldEnrich(out); err != nil {
			t.Errorf("a real payload kills: %.80s", line)
		}
		it, err := legacy.ParseRaw(append(bytes.Clone(out), '\r'))
		if err != nil || !bytes.Equal(it.Data, bytes.TrimSpace(line)) {
			t.Errorf("round trip: %v, %.80s", err, it.Data)
		}
		var tweet struct {
			ID string `json:"id_str"`
		}
		if json.Unmarshal(line, &tweet) == nil && tweet.ID != "" && it.ID != tweet.ID {
			t.Errorf("id = %q, want the tweet's own %q", it.ID, tweet.ID)
		}
		ids[it.ID] = true
	}
	t.Logf("%d payloads, %d ids", len(lines), len(ids))
}

func FuzzParseRaw(f *testing.F) {
	for _, s := range []string{"", "\r", "12\r", "{}", `{"id_str":"7"}` + "\r", `{"delete":{"status":{"id_str":"1"}}}`, "[1]", `{"id":1e3}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		it, err := legacy.ParseRaw(payload)
		if err != nil {
			if o := outcome(err); !strings.HasPrefix(o, "ignored ") && !strings.HasPrefix(o, "dead ") {
				t.Fatalf("an error of another sort: %v", err)
			}
			return
		}
		if !json.Valid(it.Data) || it.Data[0] != '{' || !bytes.Contains(payload, it.Data) {
			t.Fatalf("taken: %q", it.Data)
		}
		if it.ID == "" || strings.Trim(it.ID, "0123456789abcdefghijklmnopqrstuvwxyz-") != "" {
			t.Fatalf("id %q", it.ID)
		}
	})
}

func FuzzSafe(f *testing.F) {
	for _, s := range []string{
		`{"user":null}`, `{"geo":{"type":"Point","coordinates":[1,2]}}`, `{"place":{"bounding_box":{"coordinates":[[[1,2]]]}}}`,
		`{"geo":0e1,"place":-0}`, `{"geo":{ },"user":{}}`, `{"a":"\ud83d"}`, `{"geo":{"type":"PoInT","coordinates":[[],{}]}}`, "{\r}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		out, err := legacy.Safe(payload)
		if err != nil {
			return
		}
		if !json.Valid(out) || bytes.IndexByte(out, '\r') >= 0 {
			t.Fatalf("let out: %q", out)
		}
		if oldEnrich(out) != nil {
			t.Fatalf("let out what kills: %q", out)
		}
	})
}
