package mastodon

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/sse"
)

func open(t *testing.T, raw, secret string) (*server, error) {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	src, err := Open(source.Config{Name: "m", URL: u, Secret: secret, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	s, ok := src.(*server)
	if !ok {
		t.Fatalf("a %T", src)
	}
	return s, nil
}

func TestTimelines(t *testing.T) {
	for raw, want := range map[string][2]string{
		"mastodon:a.example": {"/api/v1/streaming/public", "/api/v1/timelines/public?min_id=5"},
		"mastodon:a.example?stream=public/local&only_media=true": {"/api/v1/streaming/public/local?only_media=true", "/api/v1/timelines/public?local=true&min_id=5&only_media=true"},
		"mastodon:a.example?stream=hashtag&tag=%23tea":           {"/api/v1/streaming/hashtag?tag=tea", "/api/v1/timelines/tag/tea?min_id=5"},
		"mastodon:a.example?stream=list&list=7":                  {"/api/v1/streaming/list?list=7", "/api/v1/timelines/list/7?min_id=5"},
		"mastodon+https://a.example?stream=user":                 {"/api/v1/streaming/user", "/api/v1/timelines/home?min_id=5"},
	} {
		s, err := open(t, raw, "")
		if err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		if s.timeline.stream() != want[0] || s.timeline.rest(url.Values{"min_id": {"5"}}) != want[1] || s.base != "https://a.example" {
			t.Errorf("%s: %s, %s of %s", raw, s.timeline.stream(), s.timeline.rest(url.Values{"min_id": {"5"}}), s.base)
		}
	}
	for _, raw := range []string{
		"mastodon:", "mastodon+https:", "mastodon:a/b", "mastodon:a?stream=direct", "mastodon:a?tag=x", "mastodon:a?stream=hashtag",
		"mastodon:a?stream=list", "mastodon:a?stream=user&only_media=true", "mastodon:a?backfill=-1", "mastodon:a?x=y",
	} {
		if _, err := open(t, raw, ""); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want an error of one line", raw, err)
		}
	}
}

// TestStreamingHost: the token goes where the server says, never unencrypted
// if the server itself is not spoken to so.
func TestStreamingHost(t *testing.T) {
	for _, c := range [][3]string{
		{"mastodon:a.example", "wss://stream.a.example", "https://stream.a.example"},
		{"mastodon:a.example", `wss:\/\/stream.a.example\/`, "https://stream.a.example"},
		{"mastodon:a.example", "ws://stream.a.example", "https://a.example"},
		{"mastodon:a.example", "", "https://a.example"},
		{"mastodon+http://127.0.0.1:1", "ws://127.0.0.1:2", "http://127.0.0.1:2"},
		{"mastodon+http://127.0.0.1:1", "wss://127.0.0.1:2", "https://127.0.0.1:2"},
	} {
		s, err := open(t, c[0], "")
		if err != nil {
			t.Fatal(err)
		}
		if got := s.streaming(c[1]); got != c[2] {
			t.Errorf("%s told %q: %s, want %s", c[0], c[1], got, c[2])
		}
	}
}

// TestServerThatDoesNotTell: a server that does not know the question serves its
// streams itself; one that cannot answer at the moment is asked again.
func TestServerThatDoesNotTell(t *testing.T) {
	status := http.StatusNotFound
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	defer srv.Close()
	s, err := open(t, "mastodon+"+srv.URL, "tok")
	if err != nil {
		t.Fatal(err)
	}
	if req, err := s.request(t.Context(), ""); err != nil || req.URL.String() != srv.URL+"/api/v1/streaming/public" || req.Header.Get("Authorization") != "Bearer tok" {
		t.Errorf("asks %v, %v", req, err)
	}
	status = http.StatusServiceUnavailable
	if _, err := s.request(t.Context(), ""); err == nil {
		t.Error("a server that is away was believed to tell nothing")
	}
}

func TestItems(t *testing.T) {
	s, err := open(t, "mastodon:a.example", "tok")
	if err != nil || s.auth != "Bearer tok" {
		t.Fatalf("%v, %q", err, s.auth)
	}
	for _, c := range []struct{ name, data, id, identity, cursor string }{
		{"update", `{"id":"99","content":"x"}`, "99", "", "99"},
		{"update", `{"id":"100","content":"x"}`, "100", "", "100"},
		{"update", `{"id":"98","content":"late"}`, "98", "", "100"},
		{"status.update", `{"id":"99","edited_at":"2026-01-01T00:00:00.000Z"}`, "99@2026-01-01T00:00:00.000Z", "99@2026-01-01T00:00:00.000Z", "100"},
		{"delete", `100`, "del-100", "", "100"},
	} {
		it, ok := s.item(sse.Event{Name: c.name, Data: []byte(c.data)})
		if !ok || it.ID != c.id || it.Identity != c.identity || string(it.Cursor) != c.cursor {
			t.Errorf("%s %s: %v %+v", c.name, c.data, ok, it)
		}
	}
	a, _ := s.item(sse.Event{Name: "status.update", Data: []byte(`{"id":"99","edited_at":null,"content":"a"}`)})
	b, _ := s.item(sse.Event{Name: "status.update", Data: []byte(`{"id":"99","edited_at":null,"content":"b"}`)})
	if a.ID == b.ID || !strings.HasPrefix(a.ID, "99@sha-") {
		t.Errorf("edits without a time: %s, %s", a.ID, b.ID)
	}
	for _, name := range []string{"notification", "filters_changed", "", "conversation"} {
		if _, ok := s.item(sse.Event{Name: name, Data: []byte("undefined")}); ok {
			t.Errorf("event %q became an item", name)
		}
	}
	if _, ok := s.item(sse.Event{Name: "delete", Data: []byte("a b")}); ok {
		t.Error("a deletion of nothing became an item")
	}
}
