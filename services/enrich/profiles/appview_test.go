package profiles

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestAppView(t *testing.T) {
	status, header, body := 200, http.Header{}, ""
	var asked []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Query()["actors"]
		maps.Copy(w.Header(), header)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	defer srv.Close()
	a, err := NewAppView(srv.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	body = `{"profiles":[{"did":"did:plc:a","handle":"kai.example","displayName":"Kai"},{"did":"did:plc:b","handle":"handle.invalid"}]}`
	found, err := a.Fetch(t.Context(), []string{"did:plc:a", "did:plc:b"})
	if err != nil || len(found) != 1 || found["did:plc:a"] != (Profile{"kai.example", "Kai"}) || len(asked) != 2 {
		t.Errorf("%+v, %v, asked %v", found, err, asked)
	}
	status = 400
	if _, err := a.Fetch(t.Context(), nil); !errors.Is(err, ErrRefused) {
		t.Errorf("400: %v", err)
	}
	status, header = 429, http.Header{"Retry-After": {"60"}}
	busy, ok := errors.AsType[*BusyError](second(a.Fetch(t.Context(), nil)))
	if !ok || busy.After != time.Minute {
		t.Errorf("429: %+v", busy)
	}
	for _, c := range []struct {
		status int
		body   string
	}{{503, ""}, {200, "{"}, {200, `{"profiles":"` + strings.Repeat("x", maxAnswer)}} {
		status, body = c.status, c.body
		if _, err := a.Fetch(t.Context(), nil); err == nil {
			t.Errorf("%d %.20s: no error", c.status, c.body)
		}
	}
	for _, address := range []string{"", "public.api.bsky.app", "ftp://host", "https://user:pw@host", "https://host?x=1"} {
		if _, err := NewAppView(address); err == nil || strings.Contains(err.Error(), "pw") {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func second(_ map[string]Profile, err error) error { return err }

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"profiles":[{"did":"did:plc:a","handle":"kai.example","displayName":"Kai"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if found, err := read(strings.NewReader(string(b))); err == nil && found == nil {
			t.Error("neither an answer nor an error")
		}
		if n, err := decodeNote(b); err == nil {
			_ = n.encode()
		}
	})
}
