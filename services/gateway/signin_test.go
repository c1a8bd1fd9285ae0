package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/service"
	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
	"github.com/blipstream/blipstream/services/gateway/ssetest"
)

// signSecret signs the tests' tokens.
const signSecret = "correct horse battery staple, twice"

// signIn asks for tokens signed with signSecret.
func signIn(c *Config) { c.SignIn.Secret = signSecret }

// token makes a token that ends at a time and allows kinds; nil leaves them out.
func token(tb testing.TB, until time.Time, kinds []string) string {
	tb.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: []byte(signSecret)}, nil)
	if err != nil {
		tb.Fatal(err)
	}
	claims := map[string]any{"exp": until.Unix()}
	if kinds != nil {
		claims["kinds"] = kinds
	}
	signed, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		tb.Fatal(err)
	}
	return signed
}

// hour is when most of the tests' tokens end.
func hour() time.Time { return time.Now().Add(time.Hour) }

// ask sends a request with a token in the Authorization header; "" for none.
func ask(g *Service, method, path, token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	rec := httptest.NewRecorder()
	g.server.Handler.ServeHTTP(rec, r)
	return rec
}

// ticket asks a gateway for a ticket.
func ticket(tb testing.TB, g *Service, token string) string {
	tb.Helper()
	rec := ask(g, http.MethodPost, ticketPath, token)
	var got struct {
		Ticket    string
		ExpiresIn int
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil || rec.Code != http.StatusOK || got.ExpiresIn != 60 {
		tb.Fatalf("%d: %s", rec.Code, rec.Body)
	}
	return got.Ticket
}

// openSigned opens a stream with a token in the Authorization header.
func (w *world) openSigned(path, token, encoding string) *ssetest.Stream {
	w.t.Helper()
	header := http.Header{"Authorization": {"Bearer " + token}, "Accept-Encoding": {encoding}}
	if encoding == "" {
		header.Del("Accept-Encoding")
	}
	s, err := ssetest.Open(w.t.Context(), nil, w.url()+path, header)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(s.Close)
	return s
}

// TestSignInGuards: without a token nothing of the events is served, with one
// all; the page and what operators ask for stay open.
func TestSignInGuards(t *testing.T) {
	w := newWorld(t, signIn)
	w.publish(1, 10)
	w.settle()
	good, old := token(t, hour(), nil), token(t, time.Now().Add(-time.Second), nil)
	for _, path := range []string{"/events", "/live", "/api/snapshot", "/api/stats", "/api/history"} {
		method := http.MethodGet
		if path == "/events" || path == "/live" {
			method = http.MethodHead
		}
		for shown, detail := range map[string]string{"": "a token is needed", old: "has expired", "x.y.z": "not valid"} {
			got := ask(w.gateway, method, path, shown)
			if got.Code != http.StatusUnauthorized || got.Header().Get("Content-Type") != "application/problem+json" ||
				!strings.HasPrefix(got.Header().Get("WWW-Authenticate"), "Bearer") || !strings.Contains(got.Body.String(), detail) {
				t.Errorf("%s with %.10q: %d %v %s", path, shown, got.Code, got.Header(), got.Body)
			}
		}
		if got := ask(w.gateway, method, path, good); got.Code != http.StatusOK {
			t.Errorf("%s with a token: %d %s", path, got.Code, got.Body)
		}
	}
	for _, path := range []string{"/", "/step-4", "/healthz", "/readyz", "/metrics"} {
		if got := ask(w.gateway, http.MethodGet, path, ""); got.Code != http.StatusOK {
			t.Errorf("%s: %d", path, got.Code)
		}
	}
	if got := ask(w.gateway, http.MethodPost, ticketPath, ""); got.Code != http.StatusUnauthorized {
		t.Errorf("a ticket for nobody: %d", got.Code)
	}
}

// TestSignInByCookie: an EventSource sends the cookie by itself.
func TestSignInByCookie(t *testing.T) {
	w := newWorld(t, signIn)
	header := http.Header{"Cookie": {"other=1; __Host-blipstream=" + token(t, hour(), nil)}}
	s, err := ssetest.Open(t.Context(), nil, w.url()+"/live", header)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if e := w.next(s); e.Name != "hello" {
		t.Errorf("got %+v", e)
	}
}

// TestTicketWorksOnceAnywhere: one gateway gives it, another takes it, and then
// nobody does, however many ask at once.
func TestTicketWorksOnceAnywhere(t *testing.T) {
	w := newWorld(t, signIn)
	giver := w.gateway
	w.start()
	shown := token(t, hour(), []string{"geo_blip"})
	query := "?ticket=" + ticket(t, giver, shown)
	var mu sync.Mutex
	answers := map[int]int{}
	var all sync.WaitGroup
	for i := range 8 {
		g := []*Service{giver, w.gateway}[i%2]
		all.Go(func() {
			code := ask(g, http.MethodHead, "/live"+query, "").Code
			mu.Lock()
			defer mu.Unlock()
			answers[code]++
		})
	}
	all.Wait()
	if want := map[int]int{http.StatusOK: 1, http.StatusUnauthorized: 7}; !maps.Equal(answers, want) {
		t.Errorf("answered %v, want %v", answers, want)
	}
	s := w.openAs("/events?ticket="+ticket(t, giver, shown), "", "")
	if e := w.next(s); e.Name != "hello" || !strings.Contains(e.Data, `"kinds":["geo_blip","geo_removed","post_removed"]`) {
		t.Errorf("got %+v", e)
	}
	if got := ask(giver, http.MethodPost, ticketPath+"?ticket="+ticket(t, giver, shown), ""); got.Code != http.StatusBadRequest {
		t.Errorf("a ticket for a ticket: %d", got.Code)
	}
}

func TestTicketsPerAddress(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		signIn(c)
		c.MaxClientsPerAddr = 3
	})
	shown := token(t, hour(), nil)
	for range 3 {
		ticket(t, w.gateway, shown)
	}
	got := ask(w.gateway, http.MethodPost, ticketPath, shown)
	if got.Code != http.StatusTooManyRequests || got.Header().Get("Retry-After") == "" {
		t.Errorf("answered %d", got.Code)
	}
}

// TestTicketsWithoutBucket: where nobody has made the bucket, that is told.
func TestTicketsWithoutBucket(t *testing.T) {
	w := newWorld(t, nil)
	w.stop()
	w.server.DeleteStream(t, "KV_ticket")
	signIn(&w.cfg)
	w.conn = w.server.Dial(t, bus.Options{Name: "gateway"}) // no owner
	w.start()
	got := ask(w.gateway, http.MethodPost, ticketPath, token(t, hour(), nil))
	if got.Code != http.StatusServiceUnavailable || got.Header().Get("Retry-After") == "" {
		t.Errorf("answered %d: %s", got.Code, got.Body)
	}
}

// TestKindsOfAToken: what a token does not allow is refused where it is asked
// for by name, and left out where it is not.
func TestKindsOfAToken(t *testing.T) {
	w := newWorld(t, signIn)
	blips, none := token(t, hour(), []string{"geo_blip"}), token(t, hour(), []string{})
	for _, tc := range []struct {
		path, token, want string
		code              int
	}{
		{"/events?kind=simple_tweet", blips, "simple_tweet", 403},
		{"/events?stream=geo_blip,simple_tweet", blips, "simple_tweet", 403},
		{"/live?kind=simple_tweet", blips, "simple_tweet", 403},
		{"/live?kind=geo_blip", blips, "", 200},
		{"/events?run=r&kind=simple_tweet", blips, "simple_tweet", 403},
		{"/api/snapshot?kind=simple_tweet", blips, "simple_tweet", 403},
		{"/api/history", blips, "all kinds", 403},
		{"/api/stats", none, "any events", 403},
		{"/events", none, "any events", 403},
		{"/live", none, "any events", 403},
		{"/api/snapshot?kind=post_removed", none, "any events", 403},
	} {
		method := http.MethodGet
		if tc.code == http.StatusOK {
			method = http.MethodHead
		}
		got := ask(w.gateway, method, tc.path, tc.token)
		if got.Code != tc.code || !strings.Contains(got.Body.String(), tc.want) {
			t.Errorf("%s: %d %s", tc.path, got.Code, got.Body)
		}
	}
	for _, encoding := range []string{"identity", ""} {
		s := w.openSigned("/events", blips, encoding)
		w.next(s)
		w.publish(2, 10)
		for range 2 {
			if e := w.next(s); e.Name != "geo_blip" {
				t.Errorf("got %+v", e)
			}
		}
	}
	resumed := w.openSigned("/events?lastEventId="+w.id(0), blips, "")
	w.next(resumed)
	for range 4 {
		if e := w.next(resumed); e.Name != "geo_blip" {
			t.Errorf("resumed: got %+v", e)
		}
	}
}

// telltale fails the test if a message tells of anything but blips.
func telltale(t *testing.T, where string, m *feedv1.Stats) {
	t.Helper()
	fields := []string{}
	kinds := [][]string{slices.Collect(maps.Keys(m.GetKinds())), slices.Collect(maps.Keys(m.GetRates().GetKinds()))}
	for _, win := range m.GetWindows() {
		kinds = append(kinds, slices.Collect(maps.Keys(win.GetKinds())))
		if len(win.GetTags())+len(win.GetLangs())+len(win.GetSources())+len(win.GetCountries()) > 0 || win.GetEvents() > 2 {
			fields = append(fields, win.String())
		}
	}
	for _, names := range kinds {
		for _, kind := range names {
			if kind != "geo_blip" {
				fields = append(fields, kind)
			}
		}
	}
	if len(fields) > 0 || len(m.GetSources())+len(m.GetRates().GetSources())+len(m.GetRates().GetLangs()) > 0 || m.GetEvents() > 2 {
		t.Errorf("%s tells %v: %v", where, fields, m)
	}
}

// TestStatisticsOfAToken: statistics and snapshots tell of nothing that is not
// allowed, and all of it to the others beside.
func TestStatisticsOfAToken(t *testing.T) {
	w := newWorld(t, signIn)
	blips := token(t, hour(), []string{"geo_blip"})
	limited, whole := w.openSigned("/live", blips, "identity"), w.openSigned("/live", token(t, hour(), nil), "")
	packed := w.openSigned("/live", blips, "")
	for i, kind := range []feed.Kind{feed.KindSimpleTweet, feed.KindGeoBlip, feed.KindSimpleTweet, feed.KindGeoBlip} {
		bustest.Publish(t, w.conn, feed.StreamEvents, bus.Msg{
			Subject: feed.EventSubject(kind), ID: strconv.Itoa(i),
			Data: fmt.Appendf(nil, `{"id":"%d","source":"a","lang":"en","country":"FI","body":"#rain","lat":1,"lon":2}`, i),
		})
	}
	w.settle()
	// told reads until the statistics hold what was published.
	told := func(s *ssetest.Stream, events uint64) *feedv1.Stats {
		for {
			e := w.next(s)
			if e.Name == "frame" && s != whole && strings.Contains(e.Data, "simple_tweet") {
				t.Errorf("a frame tells %s", e.Data)
			}
			var m feedv1.Stats
			if e.Name != "stats" {
				continue
			}
			if err := protojson.Unmarshal([]byte(e.Data), &m); err != nil {
				t.Fatal(err)
			}
			if m.GetEvents() >= events {
				return &m
			}
		}
	}
	telltale(t, "/live", told(limited, 2))
	telltale(t, "/live, packed", told(packed, 2))
	if m := told(whole, 4); len(m.GetWindows()[0].GetTags()) == 0 || m.GetKinds()["simple_tweet"] != 2 {
		t.Errorf("to who is allowed all: %v", m)
	}
	var m feedv1.Stats
	if err := protojson.Unmarshal(ask(w.gateway, http.MethodGet, "/api/stats", blips).Body.Bytes(), &m); err != nil || m.GetEvents() != 2 {
		t.Errorf("%v: %v", &m, err)
	}
	telltale(t, "/api/stats", &m)
	var snap feedv1.Snapshot
	for range 2 { // the second from what was kept
		got := ask(w.gateway, http.MethodGet, "/api/snapshot", blips)
		if err := protojson.Unmarshal(got.Body.Bytes(), &snap); err != nil || strings.Contains(got.Body.String(), "simple_tweet") {
			t.Errorf("%s: %v", got.Body, err)
		}
		telltale(t, "/api/snapshot", snap.GetStats())
		if got := ask(w.gateway, http.MethodGet, "/api/snapshot", token(t, hour(), nil)).Body.String(); !strings.Contains(got, "rain") {
			t.Errorf("to who is allowed all: %s", got)
		}
	}
}

// TestExpiryEndsTheStream: on every way a stream is served.
func TestExpiryEndsTheStream(t *testing.T) {
	w := newWorld(t, signIn)
	w.publish(2, 10)
	w.settle()
	h2c := &http.Transport{Protocols: new(http.Protocols)}
	h2c.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(h2c.CloseIdleConnections)
	until := time.Now().Add(2 * time.Second) // at least one, in whole seconds
	shown, lasting := token(t, until, nil), w.openSigned("/events", token(t, hour(), nil), "")
	w.next(lasting)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	var all sync.WaitGroup
	for name, path := range map[string]string{
		"writer": "/events", "packed": "/live", "http2": "/events", "paced": "/events?since=1h&speed=1",
	} {
		header := http.Header{"Authorization": {"Bearer " + shown}}
		client := http.DefaultClient
		switch name {
		case "http2":
			client = &http.Client{Transport: h2c}
		case "writer":
			header.Set("Accept-Encoding", "identity")
		}
		s, err := ssetest.Open(ctx, client, w.url()+path, header)
		if err != nil {
			t.Fatal(name, err)
		}
		t.Cleanup(s.Close)
		all.Go(func() {
			last := ssetest.Event{}
			for {
				e, err := s.Next()
				if err != nil {
					end := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) // gzip has no trailer
					if !end || last.Name != "bye" || !strings.Contains(last.Data, `"reason":"expired"`) {
						t.Errorf("%s ended with %+v, %v", name, last, err)
					}
					break
				}
				last = e
			}
			if time.Now().Before(until.Truncate(time.Second)) {
				t.Errorf("%s ended too early", name)
			}
		})
	}
	all.Wait()
	w.clients(1)
	w.publish(1, 10)
	if e := w.next(lasting); e.Name != "simple_tweet" {
		t.Errorf("the other got %+v", e)
	}
	if got := ask(w.gateway, http.MethodGet, "/events", shown); got.Code != http.StatusUnauthorized {
		t.Errorf("and again: %d", got.Code)
	}
}

// lockedBuffer is a log that many write to.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// TestSecretsAreInNoLog: nor in the metrics, nor in an answer.
func TestSecretsAreInNoLog(t *testing.T) {
	srv := bustest.Start(t)
	var log lockedBuffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	registry := service.NewRegistry()
	layout := bustest.Layout()
	conn := srv.Dial(t, bus.Options{Name: "gateway", Layout: &layout, Log: logger, Metrics: registry})
	if err := conn.Ensure(t.Context(), layout); err != nil {
		t.Fatal(err)
	}
	cfg := testConfig()
	signIn(&cfg)
	g, err := New(cfg, conn, service.Env{Log: logger, Metrics: registry, Health: service.NewHealth()})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, server: srv, conn: conn, cfg: cfg, gateway: g}
	w.run()
	good, old := token(t, hour(), nil), token(t, time.Now().Add(-time.Hour), nil)
	spent := ticket(t, g, good)
	var answers strings.Builder
	for _, path := range []string{
		"/api/stats?ticket=" + spent, "/api/stats?ticket=" + spent, "/live?ticket=" + good, "/events?ticket=" + old + "&kind=%",
		"/events?" + good, "/events?access_token=" + good, "/api/snapshot?ticket=" + spent + ";x",
	} {
		for _, shown := range []string{"", good + "x", old} {
			answers.Write(ask(g, http.MethodGet, path, shown).Body.Bytes())
		}
	}
	srv.Stop() // a store of tickets that does not answer
	answers.Write(ask(g, http.MethodPost, ticketPath, good).Body.Bytes())
	answers.Write(ask(g, http.MethodGet, "/api/stats?ticket="+newTicketLike(spent), "").Body.Bytes())
	metrics := ask(g, http.MethodGet, "/metrics", "").Body.String()
	w.stop()
	log.mu.Lock()
	defer log.mu.Unlock()
	for where, text := range map[string]string{"log": log.b.String(), "metrics": metrics, "answers": answers.String()} {
		for what, secret := range map[string]string{
			"secret": signSecret, "token": good, "old token": old, "signature": good[strings.LastIndexByte(good, '.'):], "ticket": spent,
		} {
			if strings.Contains(text, secret) {
				t.Errorf("the %s is in the %s", what, where)
			}
		}
	}
	if !strings.Contains(log.b.String(), "sign_in=secret") || !strings.Contains(metrics, `blipstream_gateway_refused_total{reason="token"}`) {
		t.Errorf("nothing was logged or counted: %s", &log.b)
	}
}

// newTicketLike makes a word of the form of a ticket.
func newTicketLike(ticket string) string { return strings.Repeat("A", len(ticket)) }

// TestSignInAcrossOrigins: a page elsewhere may show a token, if its origin is
// allowed, and reads why it is refused.
func TestSignInAcrossOrigins(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		signIn(c)
		c.AllowOrigin = []string{"https://a.example"}
	})
	for _, method := range []string{http.MethodOptions, http.MethodPost} {
		r := httptest.NewRequest(method, ticketPath, nil)
		r.Header.Set("Origin", "https://a.example")
		rec := httptest.NewRecorder()
		w.gateway.server.Handler.ServeHTTP(rec, r)
		h := rec.Header()
		if h.Get("Access-Control-Allow-Origin") != "https://a.example" || h.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %v", method, h)
		}
		if method == http.MethodOptions && (!strings.Contains(h.Get("Access-Control-Allow-Headers"), "Authorization") ||
			!strings.Contains(h.Get("Access-Control-Allow-Methods"), "POST")) {
			t.Errorf("preflight: %v", h)
		}
	}
}
