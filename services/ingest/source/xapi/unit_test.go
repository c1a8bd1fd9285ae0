package xapi

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/blipstream/blipstream/services/ingest/source"
)

func TestParse(t *testing.T) {
	for raw, want := range map[string]string{
		"x:?max-posts=100":                  "https://api.x.com/2/tweets/search/stream?",
		"x+http://h:8/p?stream=sample":      "http://h:8/p/2/tweets/sample/stream?",
		"x:?max-posts=unlimited&backfill=5": "https://api.x.com/2/tweets/search/stream?backfill_minutes=5&",
	} {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		o, err := parse(u, "bearer:abc")
		if got := o.streamURL(); err != nil || !strings.HasPrefix(got, want) || o.auth != "Bearer abc" {
			t.Errorf("%s: %s, %v", raw, got, err)
		}
	}
	for _, raw := range []string{
		"x:", "x://host?max-posts=1", "x+https:", "x:?max-posts=0", "x:?max-posts=many", "x:?max-posts=1&stream=all", "x:?max-posts=1&backfill=9",
		"x:?max-posts=1&idle=5", "x:?max-posts=1&tag=a:b", "x:?max-posts=1&max-post=2", "x:?max-posts=1&stream=sample&rules=f", "x:?max-posts=1&max-frame=2", "x:?max-posts=1&takeover=yes",
	} {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parse(u, "bearer:abc"); err == nil {
			t.Errorf("%s: not refused", raw)
		}
	}
	u := &url.URL{Scheme: "x", RawQuery: "max-posts=1&backfill=9&idle=9s"}
	if _, err := parse(u, "bearer:abc"); err == nil || strings.Contains(err.Error(), "idle") {
		t.Errorf("of a wrong and a right parameter: %v", err)
	}
	for _, secret := range []string{"", "hunter2", "basic:me:hunter2", "bearer:", "bearer:hunter2 x"} {
		u := &url.URL{Scheme: "x", RawQuery: "max-posts=1"}
		if _, err := parse(u, secret); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("secret %q: %v", secret, err)
		}
	}
}

func TestParseRules(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "a\na\n", "[", `[{"value":" "}]`, `[{"value":5}]`} {
		if _, err := parseRules([]byte(text)); err == nil {
			t.Errorf("%q: not refused", text)
		}
	}
}

func TestDifference(t *testing.T) {
	have := []rule{{ID: "1", Value: "a", Tag: "b:x"}, {ID: "2", Value: "gone", Tag: "b:y"}, {ID: "3", Value: "theirs", Tag: "c:z"}, {ID: "4", Value: "retagged", Tag: "b:old"}, {ID: "5", Value: "theirs too"}}
	want := []rule{{Value: "a", Tag: "b:x"}, {Value: "new", Tag: "b:n"}, {Value: "theirs", Tag: "b:t"}, {Value: "retagged", Tag: "b:new"}}
	add, remove := difference(have, want, "b")
	if len(add) != 2 || add[0].Value != "new" || add[1].Value != "retagged" || strings.Join(remove, ",") != "2,4" {
		t.Errorf("add %v, remove %v", add, remove)
	}
}

func TestIdentify(t *testing.T) {
	for data, want := range map[string]string{
		`{"data":{"id":"12","text":"x"},"errors":[{}]}`: "12", `{"errors":[{}],"data":{"text":"x","id":"12"}}`: "12", `{"errors":[{}]}`: "notice",
		`{"data":{}}`: "", `{"errors":[{}],"data":{"post_id":"12"}}`: "", `{"data":{"post_id":"12"},"errors":[{}]}`: "", `null`: "", ``: "", `{"id":"12"}`: "",
	} {
		got, notice := identify([]byte(data))
		if notice {
			got = "notice"
		}
		if got != want {
			t.Errorf("%s: %q, want %q", data, got, want)
		}
	}
}

func TestProblems(t *testing.T) {
	for body, want := range map[string]source.Cause{
		`{"connection_issue":"TooManyConnections"}`:                source.CauseRateLimited,
		`{"type":"https://api.x.com/2/problems/usage-capped"}`:     source.CauseFatal,
		`{"type":"https://api.x.com/2/problems/client-forbidden"}`: source.CauseFatal,
		`{"title":"Too Many Requests"}`:                            source.CauseRateLimited,
		`not json`:                                                 source.CauseRateLimited,
	} {
		w := httptest.NewRecorder()
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = w.WriteString(body)
		resp := w.Result()
		resp.Request = httptest.NewRequest(http.MethodGet, "/", nil)
		told, ok := (&xSource{}).refused(resp).(*source.Error) //nolint:errorlint // the very error is asked for
		if !ok || told.Cause != want {
			t.Errorf("%s: %v", body, told)
		}
	}
	for _, d := range []string{"UpstreamOperationalDisconnect", "UpstreamUncleanDisconnect", "UpstreamFullBufferDisconnect", "Later"} {
		if c := (problem{Disconnect: d}).cause(); c != source.CauseClosed {
			t.Errorf("%s: %v", d, c)
		}
	}
	if c := (problem{Disconnect: "ForceDisconnect"}).cause(); c != source.CauseRateLimited {
		t.Errorf("forced: %v", c)
	}
}

func FuzzRules(f *testing.F) {
	f.Add([]byte("rain lang:en\n# x\n"))
	f.Add([]byte(`[{"value":"hail","tag":"ice"}]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		rules, err := parseRules(b)
		if err == nil && len(rules) == 0 {
			t.Error("neither rules nor an error")
		}
		for _, r := range rules {
			if strings.TrimSpace(r.Value) == "" || r.Tag == "" {
				t.Errorf("rule %+v", r)
			}
		}
		identify(b)
	})
}
