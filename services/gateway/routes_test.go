package gateway

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/conf"
	"github.com/blipstream/blipstream/internal/feed"
)

func TestFlagsAndDefaultsAgree(t *testing.T) {
	var cfg Config
	if _, err := (conf.Program{Name: "gateway"}).Parse(&cfg, nil); err != nil {
		t.Fatal(err)
	}
	if want := DefaultConfig(); !reflect.DeepEqual(cfg, want) {
		t.Errorf("flags give %+v, DefaultConfig %+v", cfg, want)
	}
}

func TestConfigThatCannotWork(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"ring-bytes":           func(c *Config) { c.RingBytes = 1 },
		"window":               func(c *Config) { c.Window = time.Minute },
		"heartbeat":            func(c *Config) { c.Heartbeat = 0 },
		"warm":                 func(c *Config) { c.Warm = -1 },
		"max-clients":          func(c *Config) { c.MaxClients = 0 },
		"max-clients-per-addr": func(c *Config) { c.MaxClientsPerAddr = 0 },
		"max-replays":          func(c *Config) { c.MaxReplays = 0 },
		"max-replay-events":    func(c *Config) { c.MaxReplayEvents = 0 },
		"max-paced":            func(c *Config) { c.MaxPaced = 0 },
		"max-views":            func(c *Config) { c.MaxViews = 1 },
		"max-views-per-addr":   func(c *Config) { c.MaxViewsPerAddr = 1 },
		"max-queries-per-addr": func(c *Config) { c.MaxQueriesPerAddr = -1 },
		"max-removals":         func(c *Config) { c.MaxRemovals = 0 },
		"max-past-events":      func(c *Config) { c.MaxPastEvents = -1 },
		"allow-origin":         func(c *Config) { c.AllowOrigin = []string{"example.org"} },
		"frame-origin":         func(c *Config) { c.FrameOrigin = []string{"https://a.example; script-src *"} },
		"listen":               func(c *Config) { c.Addr = "nowhere:x" },
	} {
		cfg := testConfig()
		change(&cfg)
		_, err := New(cfg, nil, testEnv())
		if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTwoGatewaysInAProcess(t *testing.T) {
	w := newWorld(t, nil)
	one := w.open("", "")
	w.next(one)
	w.start()
	two := w.open("", "")
	w.next(two)
	w.publish(1, 10)
	w.account(one, 1, 2)
	w.account(two, 1, 2)
}

func TestOrdinaryAnswers(t *testing.T) {
	w := newWorld(t, nil)
	bustest.Publish(t, w.conn, feed.StreamEvents, bus.Msg{
		Subject: "events.geo_blip", ID: "1", Data: []byte(`{"id":"1","simulated":true}`),
	})
	w.settle()
	for path, want := range map[string]string{
		"/":          "<!doctype html>",
		"/step-3":    "<!doctype html>",
		"/step-4":    "<!doctype html>",
		"/healthz":   "ok",
		"/readyz":    `"ready"`,
		"/metrics":   `blipstream_gateway_events_total{kind="geo_blip"} 1`,
		"/api/stats": `"simulated":true`,
	} {
		got := httpGet(w.gateway, path)
		body := got.Body.String()
		if got.Code != http.StatusOK || !strings.Contains(strings.ToLower(body), want) {
			t.Errorf("%s: %d: %.300s", path, got.Code, body)
		}
		csp := got.Header().Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || !strings.HasSuffix(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", path, csp)
		}
	}
}

func TestStats(t *testing.T) {
	w := newWorld(t, nil)
	w.next(w.open("", ""))
	w.publish(3, 10)
	w.settle()
	w.gateway.book.Tick(time.Now(), time.Second)
	var got struct {
		Events, LastSeq string
		Kinds           map[string]string
		Clients         int
		Simulated       bool
		Version         string
	}
	if err := json.NewDecoder(httpGet(w.gateway, "/api/stats").Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.Events != "6" || got.LastSeq != "6" || got.Kinds["geo_blip"] != "3" || got.Clients != 1 || got.Simulated || got.Version == "" {
		t.Errorf("got %+v", got)
	}
}

func TestOrigins(t *testing.T) {
	for allowed, want := range map[string]string{
		"": "", "https://a.example": "https://a.example", "https://b.example": "", "*": "*",
	} {
		cfg := testConfig()
		if allowed != "" {
			cfg.AllowOrigin = []string{allowed}
		}
		g, err := New(cfg, nil, testEnv())
		if err != nil {
			t.Fatal(err)
		}
		for _, method := range []string{http.MethodGet, http.MethodOptions} {
			r := httptest.NewRequest(method, "/api/stats", nil)
			r.Header.Set("Origin", "https://a.example")
			rec := httptest.NewRecorder()
			g.server.Handler.ServeHTTP(rec, r)
			if got := rec.Header().Get("Access-Control-Allow-Origin"); got != want {
				t.Errorf("%s with %q allowed: %q", method, allowed, got)
			}
		}
		_ = g.listener.Close()
	}
}

func TestBodiesAreRefused(t *testing.T) {
	g := atRest(t, testConfig())
	rec := httptest.NewRecorder()
	g.server.Handler.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/events", strings.NewReader("x")))
	if rec.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("answered %d", rec.Code)
	}
}

func TestClientAddr(t *testing.T) {
	for _, tc := range []struct{ remote, forwarded, want string }{
		{"192.0.2.7:1234", "", "192.0.2.7"},
		{"192.0.2.7:1234", "203.0.113.1, 198.51.100.2", "198.51.100.2"},
		{"[::ffff:192.0.2.7]:1", "", "192.0.2.7"},
		{"[2001:db8:1:2:3:4:5:6]:1", "", "2001:db8:1:2::"},
		{"[fe80::1%eth0]:1", "", "fe80::"},
		{"192.0.2.7:1234", "203.0.113.1, 198.51.100.2:4711", "198.51.100.2"},
		{"192.0.2.7:1234", "[2001:db8:1:2:3:4:5:6]:4711", "2001:db8:1:2::"},
		{"192.0.2.7:1234", "[2001:db8:1:2:3:4:5:6]", "2001:db8:1:2::"},
		{"192.0.2.7:1234", "nonsense", ""},
		{"192.0.2.7:1234", "198.51.100.2, ", ""},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = tc.remote
		if tc.forwarded != "" {
			r.Header.Set("X-Forwarded-For", tc.forwarded)
		}
		var want netip.Addr
		if tc.want != "" {
			want = netip.MustParseAddr(tc.want)
		}
		if got := clientAddr(r, tc.forwarded != ""); got != want {
			t.Errorf("%+v: %s", tc, got)
		}
	}
}
