package webhook_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/webhook"
)

// kept is a store that remembers, and fails as it is told.
type kept struct {
	items []feed.Item
	fail  map[string]error // by what the data contains
}

func (k *kept) store(_ context.Context, items []feed.Item) []error {
	errs := make([]error, len(items))
	for i, it := range items {
		for part, err := range k.fail {
			if strings.Contains(string(it.Data), part) {
				errs[i] = err
			}
		}
		if errs[i] == nil {
			k.items = append(k.items, it)
		}
	}
	return errs
}

func hook(t *testing.T, secret string, k *kept) *webhook.Hook {
	t.Helper()
	u, err := url.Parse("webhook:?format=post#in")
	if err != nil {
		t.Fatal(err)
	}
	h, err := webhook.New(source.Config{Name: "in", URL: u, Secret: secret, Log: slog.New(slog.DiscardHandler)}, webhook.NewRoom(2*webhook.MaxBody), k.store)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// post posts a body with headers "Name: value".
func post(h http.Handler, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/v1/ingest/in", strings.NewReader(body))
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestBodies(t *testing.T) {
	for name, c := range map[string]struct {
		body    string
		headers []string
		status  int
		want    string
	}{
		"object":        {` {"a":1} `, []string{"Content-Type: application/json; charset=utf-8"}, 202, `{"a":1}`},
		"no type":       {`{"a":1}`, nil, 202, `{"a":1}`},
		"array":         {`[{"a":1}, {"b": 2}]`, []string{"Content-Type: application/json"}, 202, `{"a":1}|{"b": 2}`},
		"lines":         {"{\"a\":1}\r\n\n {\"b\":2}", []string{"Content-Type: application/x-ndjson"}, 202, `{"a":1}|{"b":2}`},
		"cloud event":   {`{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{"a":1}}`, []string{"Content-Type: application/cloudevents+json"}, 202, `{"a":1}`},
		"base64":        {`{"id":"1","source":"/s","data_base64":"eyJhIjoxfQ=="}`, []string{"Content-Type: application/cloudevents+json"}, 202, `{"a":1}`},
		"batch":         {`[{"id":"1","source":"/s","data":{"a":1}},{"id":"2","source":"/s","data":{"b":2}}]`, []string{"Content-Type: application/cloudevents-batch+json"}, 202, `{"a":1}|{"b":2}`},
		"binary":        {`{"a":1}`, []string{"Content-Type: application/json", "Ce-Id: 1", "Ce-Source: /s", "Ce-Specversion: 1.0"}, 202, `{"a":1}`},
		"some":          {`[{"a":1},5,{"b":2},null]`, nil, 207, `{"a":1}|{"b":2}`},
		"no object":     {`5`, nil, 400, ""},
		"nothing":       {``, nil, 400, ""},
		"empty array":   {`[]`, nil, 400, ""},
		"cut":           {`[{"a":1}`, nil, 400, ""},
		"not JSON":      {`{"a":`, nil, 400, ""},
		"a form":        {`a=1`, []string{"Content-Type: application/x-www-form-urlencoded"}, 415, ""},
		"no media type": {`{"a":1}`, []string{"Content-Type: ;;"}, 415, ""},
		"compressed":    {`{"a":1}`, []string{"Content-Encoding: gzip"}, 415, ""},
		"no event":      {`{"data":{"a":1}}`, []string{"Content-Type: application/cloudevents+json"}, 400, ""},
		"too many":      {"[" + strings.Repeat("{},", 10_000) + "{}]", nil, 400, ""},
		"too long":      {`{"a":"` + strings.Repeat("x", webhook.MaxBody) + `"}`, nil, 413, ""},
	} {
		var k kept
		w := post(hook(t, "", &k), c.body, c.headers...)
		var got []string
		for _, it := range k.items {
			got = append(got, string(it.Data))
			if it.Source != "in" || it.Format != feed.FormatPost || it.ID == "" || it.Identity != it.ID || it.Received.IsZero() {
				t.Errorf("%s: %+v", name, it)
			}
		}
		if w.Code != c.status || strings.Join(got, "|") != c.want {
			t.Errorf("%s: %d %s, stored %s", name, w.Code, w.Body, strings.Join(got, "|"))
		}
	}
}

// TestAnswers: each item's fate is told, and whether to send it again.
func TestAnswers(t *testing.T) {
	fail := map[string]error{"large": webhook.ErrTooLarge, "busy": webhook.ErrBusy, "lost": fmt.Errorf("x: %w", webhook.ErrUnknown)}
	for body, want := range map[string]string{
		`{"a":1}`:              `202  {"accepted":1}`,
		`{"busy":1}`:           `429 5 [{"index":0,"status":429,"error":"not taken: too much waits to be stored"}]`,
		`[{"lost":1}]`:         `503 5 [{"index":0,"status":503,"error":"taken, and not known to be stored: send it again"}]`,
		`[{"large":1}]`:        `413  [{"index":0,"status":413,"error":"larger than the stream takes"}]`,
		`[{"a":1},{"busy":1}]`: `207 5 [{"index":0,"status":202},{"index":1,"status":429,"error":"not taken: too much waits to be stored"}]`,
		`[7,{"large":1}]`:      `207  [{"index":0,"status":400,"error":"not a JSON object"},{"index":1,"status":413,"error":"larger than the stream takes"}]`,
	} {
		w := post(hook(t, "", &kept{fail: fail}), body)
		if got := fmt.Sprintf("%d %s %s", w.Code, w.Header().Get("Retry-After"), strings.TrimSpace(w.Body.String())); got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
}

// TestIDs: what is sent again has the same name, and nothing else has.
func TestIDs(t *testing.T) {
	id := func(body string, headers ...string) string {
		var k kept
		post(hook(t, "", &k), body, headers...)
		names := make([]string, len(k.items))
		for i, it := range k.items {
			names[i] = it.ID
		}
		return strings.Join(names, " ")
	}
	if id(`{"a":1}`) != id(`[{"a":1}]`) || id(`{"a":1}`) == id(`{"a":2}`) {
		t.Error("an item is not named by its bytes")
	}
	event := `{"id":"1","source":"/s","data":{"a":%d}}`
	structured, binary := id(fmt.Sprintf(event, 1), "Content-Type: application/cloudevents+json"), id(`{"a":2}`, "Ce-Id: 1", "Ce-Source: /s")
	if structured != binary || structured == id(`{"a":1}`, "Ce-Id: 1", "Ce-Source: /t") {
		t.Errorf("events are named %s, %s", structured, binary)
	}
	first, again := id(`[{"a":1},{"a":1}]`, "Idempotency-Key: k"), id(`[{"a":2},{"a":3}]`, "Idempotency-Key: k")
	if first != again || first == id(`[{"a":1},{"a":1}]`, "Idempotency-Key: l") || strings.Fields(first)[0] == strings.Fields(first)[1] {
		t.Errorf("named %s, then %s", first, again)
	}
}

func TestGuards(t *testing.T) {
	const body = `{"a":1}`
	sign := func(key, text string) []byte {
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write([]byte(text))
		return mac.Sum(nil)
	}
	for name, c := range map[string]struct {
		secret, header string
		want           int
	}{
		"bearer":            {"bearer:tok", "Authorization: Bearer tok", 202},
		"wrong bearer":      {"bearer:tok", "Authorization: Bearer tak", 401},
		"none":              {"bearer:tok", "X: y", 401},
		"hmac":              {"hmac:key", "X-Hub-Signature-256: sha256=" + hex.EncodeToString(sign("key", body)), 202},
		"hmac of another":   {"hmac:key", "X-Hub-Signature-256: sha256=" + hex.EncodeToString(sign("key", body+" ")), 401},
		"hmac by another":   {"hmac:key", "X-Hub-Signature-256: sha256=" + hex.EncodeToString(sign("other", body)), 401},
		"x":                 {"x:key", "X-Twitter-Webhooks-Signature: sha256=" + base64.StdEncoding.EncodeToString(sign("key", body)), 202},
		"x with the key":    {"x:key", "Authorization: Bearer key", 401},
		"nothing asked for": {"", "X: y", 202},
	} {
		var k kept
		w := post(hook(t, c.secret, &k), body, c.header)
		if w.Code != c.want || (len(k.items) == 1) != (c.want == 202) || strings.Contains(w.Body.String(), "tok") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if _, err := webhook.New(source.Config{URL: &url.URL{Scheme: "webhook", RawQuery: "format=tweet"}}, nil, nil); err == nil {
		t.Error("a format that nobody knows: not refused")
	}
	for _, secret := range []string{"hunter2", "bearer:", "basic:hunter2", "hmac"} {
		if _, err := webhook.New(source.Config{URL: &url.URL{Scheme: "webhook"}, Secret: secret}, nil, nil); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("secret %q: %v", secret, err)
		}
	}
}

// unread is a body that nobody may read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body of a stranger is read")
	return 0, io.EOF
}

// TestStrangersAreNotRead: who sends no valid token costs no memory.
func TestStrangersAreNotRead(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/v1/ingest/in", unread{t})
	r.Header.Set("Authorization", "Bearer other")
	w := httptest.NewRecorder()
	hook(t, "bearer:tok", &kept{}).ServeHTTP(w, r)
	if w.Code != http.StatusUnauthorized {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestMethods(t *testing.T) {
	ask := func(method, target, secret string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		hook(t, secret, &kept{}).ServeHTTP(w, httptest.NewRequest(method, target, nil))
		return w
	}
	if w := ask(http.MethodGet, "/v1/ingest/in?crc_token=t", "x:key"); w.Code != 200 || !strings.HasPrefix(w.Body.String(), `{"response_token":"sha256=`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for _, w := range []*httptest.ResponseRecorder{
		ask(http.MethodGet, "/v1/ingest/in?crc_token=t", "bearer:key"), ask(http.MethodGet, "/v1/ingest/in", "x:key"), ask(http.MethodPut, "/v1/ingest/in", ""),
	} {
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "POST" {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
}

func FuzzBodies(f *testing.F) {
	for _, kind := range []string{"application/json", "application/x-ndjson", "application/cloudevents+json", "application/cloudevents-batch+json", ""} {
		f.Add(kind, `[{"id":"1","source":"s","data":{"a":1}}]`)
		f.Add(kind, "{\"a\":1}\n5")
	}
	f.Fuzz(func(t *testing.T, kind, body string) {
		var k kept
		w := post(hook(t, "", &k), body, "Content-Type: "+kind)
		if (w.Code == http.StatusAccepted) && len(k.items) == 0 {
			t.Errorf("%q: accepted nothing", body)
		}
		for _, it := range k.items {
			if !strings.HasPrefix(string(it.Data), "{") || it.ID == "" {
				t.Errorf("%q: %+v", body, it)
			}
		}
	})
}
