package gateway

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/services/gateway/ssetest"
)

// knock sends a request to sign in or out.
func knock(g *Service, method, body string, header map[string]string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, sessionPath, strings.NewReader(body))
	for name, value := range header {
		r.Header.Set(name, value)
	}
	rec := httptest.NewRecorder()
	g.server.Handler.ServeHTTP(rec, r)
	return rec
}

// fromPage are the headers of a page's own request, and others.
func fromPage(others ...string) map[string]string {
	h := map[string]string{"Origin": "http://example.com", "Content-Type": "application/json"}
	for i := 0; i < len(others); i += 2 {
		h[others[i]] = others[i+1]
	}
	return h
}

// sent is the body in which a page sends a token.
func sent(token string) string {
	data, _ := json.Marshal(map[string]string{"token": token}) // strings always can be
	return string(data)
}

// TestSession: a token becomes a cookie that no script reads, with which the
// streams open, and which signing out takes back.
func TestSession(t *testing.T) {
	w := newWorld(t, signIn)
	good := token(t, hour(), nil)
	for name, given := range map[string]*httptest.ResponseRecorder{
		"body":       knock(w.gateway, http.MethodPost, sent(good), fromPage()),
		"header":     knock(w.gateway, http.MethodPost, "", fromPage("Authorization", "Bearer "+good)),
		"no browser": knock(w.gateway, http.MethodPost, "", map[string]string{"Authorization": "bearer  " + good}),
	} {
		cookies := given.Result().Cookies()
		if given.Code != http.StatusOK || len(cookies) != 1 || given.Header().Get("Cache-Control") != "no-store" {
			t.Fatalf("%s: %d %v %s", name, given.Code, cookies, given.Body)
		}
		c := cookies[0]
		if c.Name != "blipstream" || c.Value != good || !c.HttpOnly || c.Secure || c.SameSite != http.SameSiteLaxMode ||
			c.Path != "/" || c.Domain != "" || c.MaxAge < 3590 || c.MaxAge > 3600 {
			t.Errorf("%s: %s", name, given.Header().Get("Set-Cookie"))
		}
		s, err := ssetest.Open(t.Context(), nil, w.url()+"/live", http.Header{"Cookie": {c.Name + "=" + c.Value}})
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
	}
	out := knock(w.gateway, http.MethodDelete, "", fromPage())
	if c := out.Result().Cookies(); out.Code != http.StatusNoContent || len(c) != 1 || c[0].Name != "blipstream" || c[0].MaxAge >= 0 || c[0].Value != "" {
		t.Errorf("signed out with %d %v", out.Code, out.Header())
	}
}

// TestSessionOverTLS: where others cannot read along the cookie says so, and
// one without the prefix, which a neighbour may have set, counts for nothing.
func TestSessionOverTLS(t *testing.T) {
	w := newWorld(t, signIn)
	good := token(t, hour(), nil)
	for name, header := range map[string]map[string]string{
		"a proxy that tells": fromPage("X-Forwarded-Proto", "https, http"),
		"one that does not":  fromPage("Origin", "https://example.com"),
	} {
		for method, body := range map[string]string{http.MethodPost: sent(good), http.MethodDelete: ""} {
			c := knock(w.gateway, method, body, header).Result().Cookies()
			if len(c) != 1 || c[0].Name != "__Host-blipstream" || !c[0].Secure || !c[0].HttpOnly || c[0].Path != "/" || c[0].Domain != "" {
				t.Errorf("%s, %s: %v", name, method, c)
			}
		}
	}
	for cookie, want := range map[string]int{"__Host-blipstream=": http.StatusOK, "blipstream=": http.StatusUnauthorized} {
		r := httptest.NewRequest(http.MethodGet, "/api/stats", nil)
		r.Header.Set("Cookie", cookie+good)
		r.Header.Set("X-Forwarded-Proto", "https")
		rec := httptest.NewRecorder()
		w.gateway.server.Handler.ServeHTTP(rec, r)
		if rec.Code != want {
			t.Errorf("%s over TLS: %d", cookie, rec.Code)
		}
	}
}

// TestSessionRefuses: no page of another origin, and nothing that is not a
// token of ours, makes a cookie.
func TestSessionRefuses(t *testing.T) {
	w := newWorld(t, signIn)
	good, old := token(t, hour(), nil), token(t, time.Now().Add(-time.Second), nil)
	long := token(t, hour(), bigKinds())
	for name, tc := range map[string]struct {
		body   string
		header map[string]string
		code   int
		told   string
	}{
		"nothing":        {"", fromPage(), http.StatusUnauthorized, "a token is needed"},
		"empty":          {sent(" "), fromPage(), http.StatusUnauthorized, "a token is needed"},
		"expired":        {sent(old), fromPage(), http.StatusUnauthorized, "has expired"},
		"forged":         {sent(good[:len(good)-4] + "AAAA"), fromPage(), http.StatusUnauthorized, "not valid"},
		"no JSON":        {"token=" + good, fromPage(), http.StatusBadRequest, "as application/json"},
		"a form":         {sent(good), fromPage("Content-Type", "text/plain"), http.StatusUnsupportedMediaType, "as application/json"},
		"another origin": {sent(good), fromPage("Origin", "https://evil.example"), http.StatusForbidden, "this origin alone"},
		"another site":   {sent(good), fromPage("Sec-Fetch-Site", "cross-site"), http.StatusForbidden, "this origin alone"},
		"a neighbour":    {sent(good), fromPage("Sec-Fetch-Site", "same-site"), http.StatusForbidden, "this origin alone"},
		"much":           {sent(strings.Repeat("x", maxSession)), fromPage(), http.StatusRequestEntityTooLarge, "body"},
		"too long":       {sent(long), fromPage(), http.StatusBadRequest, "does not fit into a cookie"},
	} {
		got := knock(w.gateway, http.MethodPost, tc.body, tc.header)
		if got.Code != tc.code || !strings.Contains(got.Body.String(), tc.told) || got.Header().Get("Set-Cookie") != "" {
			t.Errorf("%s: %d %v %s", name, got.Code, got.Header(), got.Body)
		}
	}
	if got := knock(w.gateway, http.MethodDelete, "", fromPage("Sec-Fetch-Site", "cross-site")); got.Code != http.StatusForbidden {
		t.Errorf("another site signs out with %d", got.Code)
	}
	r := httptest.NewRequest(http.MethodPost, sessionPath+"?token="+good, nil)
	rec := httptest.NewRecorder()
	if w.gateway.server.Handler.ServeHTTP(rec, r); rec.Code != http.StatusBadRequest {
		t.Errorf("a token in the address: %d", rec.Code)
	}
	if rec := ask(newWorld(t, nil).gateway, http.MethodPost, sessionPath, ""); rec.Code != http.StatusMethodNotAllowed {
		t.Errorf("without a gate: %d", rec.Code)
	}
}

// bigKinds are as many kinds as a token may name, of the longest names.
func bigKinds() (kinds []string) {
	for range 62 {
		kinds = append(kinds, "k"+strings.Repeat("x", 60))
	}
	return kinds
}

// TestSessionsAreCounted: an address tries as often as it may have streams, and
// what it tried is in no log.
func TestSessionsAreCounted(t *testing.T) {
	var logged bytes.Buffer
	env := testEnv()
	env.Log = slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	cfg := testConfig()
	signIn(&cfg)
	cfg.MaxClientsPerAddr = 2
	g, err := New(cfg, nil, env)
	if err != nil {
		t.Fatal(err)
	}
	defer g.listener.Close()
	for n, want := range []int{http.StatusUnauthorized, http.StatusUnauthorized, http.StatusTooManyRequests} {
		if got := knock(g, http.MethodPost, sent("hush.hush.hush"), fromPage()); got.Code != want {
			t.Errorf("attempt %d: %d", n+1, got.Code)
		}
	}
	if got := knock(g, http.MethodDelete, "", fromPage()); got.Code != http.StatusNoContent {
		t.Errorf("signing out: %d", got.Code)
	}
	if strings.Contains(logged.String(), "hush") {
		t.Error(logged.String())
	}
}
