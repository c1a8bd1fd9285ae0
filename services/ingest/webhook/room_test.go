package webhook_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/webhook"
)

// TestRoom: bodies that are slow to come take no more memory together than
// there is room; who comes then is asked to come again, and is let in once
// there is room.
func TestRoom(t *testing.T) {
	const room = 100
	var k kept
	h, err := webhook.New(source.Config{Name: "in", URL: &url.URL{Scheme: "webhook"}, Log: slog.New(slog.DiscardHandler)}, webhook.NewRoom(room), k.store)
	if err != nil {
		t.Fatal(err)
	}
	most := `{"a":"` + strings.Repeat("x", room-10) + `"}`
	for range 3 { // what was taken is given back
		body, slow := io.Pipe()
		first := make(chan *httptest.ResponseRecorder)
		go func() {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v1/ingest/in", body))
			first <- w
		}()
		for _, part := range []string{most[:room-20], " "} { // that the second is read says that the first was taken
			if _, err := io.WriteString(slow, part); err != nil {
				t.Fatal(err)
			}
		}
		if w := post(h, most); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
			t.Errorf("a body for which there is no room: %d %s", w.Code, w.Body)
		}
		if w := post(h, `{"a":1}`); w.Code != http.StatusAccepted {
			t.Errorf("a body for which there is room: %d %s", w.Code, w.Body)
		}
		if _, err := io.WriteString(slow, `"}`); err != nil {
			t.Fatal(err)
		}
		_ = slow.Close() // it never fails
		if w := <-first; w.Code != http.StatusAccepted {
			t.Errorf("the body that came slowly: %d %s", w.Code, w.Body)
		}
		if w := post(h, most); w.Code != http.StatusAccepted {
			t.Errorf("a body once there is room: %d %s", w.Code, w.Body)
		}
		if w := post(h, strings.Repeat(" ", room+1)); w.Code != http.StatusTooManyRequests {
			t.Errorf("a body larger than all room: %d %s", w.Code, w.Body)
		}
	}
}
