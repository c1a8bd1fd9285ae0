package simulate_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	decoder "github.com/blipstream/blipstream/internal/decode"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/simulate"
)

// bluesky starts a server.
func bluesky(t *testing.T, o simulate.Options) (*simulate.Bluesky, string) {
	t.Helper()
	s, err := simulate.NewBluesky(o)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	t.Cleanup(s.Close)
	return s, srv.URL
}

// skyRead reads n messages.
func skyRead(t *testing.T, address string, n int) (out [][]byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c, _, err := websocket.Dial(ctx, address, nil) //nolint:bodyclose // Dial closes it
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.CloseNow() }()
	for range n {
		_, b, err := c.Read(ctx)
		if err != nil {
			t.Fatalf("after %d: %v", len(out), err)
		}
		out = append(out, b)
	}
	return out
}

// TestBlueskyWorld: what the world plans is what a reader of either wire finds.
func TestBlueskyWorld(t *testing.T) {
	w, err := simulate.NewWorld(simulate.DefaultWorld(3))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[feed.Kind]int{}
	for n := range uint64(800) {
		for _, second := range []bool{false, true} {
			rec, err := decoder.Decode(feed.Item{Source: "sim", Data: w.AppendBluesky(nil, n, second)})
			if err != nil {
				t.Fatalf("item %d: %v", n, err)
			}
			if rec.Format != feed.FormatBluesky || !rec.Simulated || !rec.Time.Equal(w.Time(n).Truncate(time.Microsecond)) {
				t.Fatalf("item %d: %+v", n, rec)
			}
			if rec.Change == feed.ChangePost {
				for _, want := range w.Want(n) {
					if want.Kind != feed.KindSimpleTweet {
						continue
					}
					seen[want.Kind]++
					if rec.Upstream.Texts[0] != want.Body || rec.Lang != want.Lang {
						t.Fatalf("item %d: %+v, want %+v", n, rec, want)
					}
				}
				for _, tag := range append(rec.Upstream.Tags, rec.Upstream.Mentions...) {
					if !strings.Contains(rec.Upstream.Texts[0], tag) {
						t.Errorf("item %d: %q is not in %q", n, tag, rec.Upstream.Texts[0])
					}
				}
			}
			if rec.Change == feed.ChangeRemovePost {
				seen[feed.KindPostRemoved]++
			}
		}
	}
	if seen[feed.KindSimpleTweet] < 1200 || seen[feed.KindPostRemoved] < 2 {
		t.Errorf("%v", seen)
	}
}

func TestBlueskyCursors(t *testing.T) {
	s, base := bluesky(t, simulate.Options{Items: 100})
	seq := func(b []byte) float64 {
		var e struct{ Cursor float64 }
		if err := json.Unmarshal(b, &e); err != nil {
			t.Fatal(err)
		}
		return e.Cursor
	}
	at := s.World().Time(40)
	for cursor, want := range map[string]float64{"": 1, "7": 7, "0": 1, jsonInt(at.UnixMicro()): 41} {
		if got := seq(skyRead(t, base+"/subscribe?cursor="+cursor, 1)[0]); got != want {
			t.Errorf("cursor %q begins at %v, want %v", cursor, got, want)
		}
	}
	if got := seq(skyRead(t, base+"/subscribe?cursor=7&fault=clamp&after=20", 1)[0]); got != 27 {
		t.Errorf("clamped cursor begins at %v", got)
	}
	if st := s.Stats(); st.Connections != 5 || st.MaxOpen < 1 {
		t.Errorf("stats %+v", st)
	}
}

func jsonInt(n int64) string {
	b, err := json.Marshal(n)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func TestBlueskyProfiles(t *testing.T) {
	s, base := bluesky(t, simulate.Options{Items: 100})
	rec, err := decoder.Decode(feed.Item{Data: s.World().AppendBluesky(nil, 3, false)})
	if err != nil {
		t.Fatal(err)
	}
	did := rec.Upstream.Author.ID
	resp, err := http.Get(base + "/xrpc/app.bsky.actor.getProfiles?" + url.Values{"actors": {did, "did:plc:nobody"}}.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var got struct {
		Profiles []struct{ DID, Handle, DisplayName string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	want := s.World().Want(3)[0]
	if len(got.Profiles) != 1 || got.Profiles[0].DID != did || got.Profiles[0].DisplayName != want.Name || !strings.HasSuffix(got.Profiles[0].Handle, ".simulated.example") {
		t.Errorf("profiles %+v, want %s", got.Profiles, want.Name)
	}
	many, err := http.Get(base + "/xrpc/app.bsky.actor.getProfiles?" + url.Values{"actors": make([]string, 26)}.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer many.Body.Close()
	if b, _ := io.ReadAll(many.Body); many.StatusCode != http.StatusBadRequest || !strings.Contains(string(b), "InvalidRequest") {
		t.Errorf("26 actors: %s %s", many.Status, b)
	}
}

// TestBlueskyFilters: a connection is sent what it asks for and nothing else,
// on either wire and after a change of its mind.
func TestBlueskyFilters(t *testing.T) {
	const items = 300
	s, base := bluesky(t, simulate.Options{Items: items})
	type event struct {
		DID    string `json:"did"`
		Kind   string `json:"kind"`
		Cursor uint64 `json:"cursor"`
	}
	var identities, others []event // of any author, and of the first one
	for n := range uint64(items) {
		var e event
		if err := json.Unmarshal(s.World().AppendBluesky(nil, n, false), &e); err != nil {
			t.Fatal(err)
		}
		if e.Kind == "identity" {
			identities = append(identities, e)
		}
		if n == 0 || e.DID == others[0].DID {
			others = append(others, e)
		}
	}
	first := others[0].DID
	for query, want := range map[string][]event{
		"/subscribe?cursor=1&wantedDids=" + first:                                        others,
		"/subscribe?cursor=1&wantedCollections=app.bsky.feed.*&wantedDids=" + first:      others,
		"/subscribe?cursor=1&wantedCollections=app.bsky.actor.profile":                   identities,
		"/xrpc/network.bsky.jetstream.subscribeEvents?cursor=1&dids=" + first:            others,
		"/xrpc/network.bsky.jetstream.subscribeEvents?cursor=1&collections=app.bsky.x.y": identities,
	} {
		for i, m := range skyRead(t, base+query, len(want)) {
			expected := s.World().AppendBluesky(nil, want[i].Cursor-1, strings.Contains(query, "xrpc"))
			if string(m) != string(expected) {
				t.Errorf("%s: event %d is %s, want %s", query, i, m, expected)
			}
		}
	}
	for _, wrong := range []string{"wantedCollections=posts", "wantedCollections=*", "wantedDids=ann", strings.Repeat("wantedCollections=a.b&", 101)} {
		resp, err := http.Get(base + "/subscribe?" + wrong)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%.60s: %s", wrong, resp.Status)
		}
	}
}

// TestBlueskyHello: who asks to be waited for is sent nothing before it has
// told its filter.
func TestBlueskyHello(t *testing.T) {
	s, base := bluesky(t, simulate.Options{Items: 50})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c, _, err := websocket.Dial(ctx, base+"/subscribe?cursor=1&requireHello=true", nil) //nolint:bodyclose // Dial closes it
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.CloseNow() }()
	var second struct {
		DID string `json:"did"`
	}
	want := s.World().AppendBluesky(nil, 1, false)
	if err := json.Unmarshal(want, &second); err != nil {
		t.Fatal(err)
	}
	hello := `{"type":"options_update","payload":{"wantedDids":["` + second.DID + `"]}}`
	if err := c.Write(ctx, websocket.MessageText, []byte(hello)); err != nil {
		t.Fatal(err)
	}
	if _, got, err := c.Read(ctx); err != nil || string(got) != string(want) {
		t.Errorf("%v, %s, want %s", err, got, want)
	}
	if err := c.Write(ctx, websocket.MessageText, []byte(`{"type":"options_update","payload":{"wantedDids":["ann"]}}`)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Read(ctx); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		t.Errorf("a filter that is none: %v", err)
	}
}
