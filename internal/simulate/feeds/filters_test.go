package feeds_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/simulate/feeds"
)

const items = 200

// serve starts a server of items that are all there.
func serve(t *testing.T) (*feeds.Server, string) {
	t.Helper()
	s, err := feeds.NewServer(feeds.Options{Seed: 4, Items: items, Removals: true})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s)
	t.Cleanup(func() {
		s.Close()
		srv.Close()
	})
	return s, srv.URL
}

// get asks for a document.
func get(t *testing.T, url string) (body []byte, status int) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err = io.ReadAll(resp.Body); err != nil {
		t.Fatal(err)
	}
	return body, resp.StatusCode
}

// events reads the first n events of a stream, as their names and data.
func events(t *testing.T, url string, n int) (all [][2]string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	name, lines := "", bufio.NewScanner(resp.Body)
	for len(all) < n && lines.Scan() {
		if told, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			name = told
		}
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			all = append(all, [2]string{name, data})
		}
	}
	return all
}

// toot is what a filter looks at.
type toot struct {
	ID      string
	Account struct{ Acct string }
	Tags    []struct{ Name string }
	Media   []any `json:"media_attachments"`
}

func (p toot) tagged(tag string) bool {
	for _, t := range p.Tags {
		if t.Name == tag {
			return true
		}
	}
	return false
}

// TestTimelines: a stream of Mastodon's is the posts that it is about, what
// becomes of them included, and the REST interface shows the same ones.
func TestTimelines(t *testing.T) {
	t.Parallel()
	s, at := serve(t)
	var tag string
	for n := uint64(0); tag == ""; n++ {
		var p toot
		if json.Unmarshal(s.Raw(feeds.Mastodon, n), &p) == nil && len(p.Tags) > 0 {
			tag = p.Tags[0].Name
		}
	}
	for query, takes := range map[string]func(p toot) bool{
		"public|public?":                                func(toot) bool { return true },
		"public/local|public?local=true":                func(p toot) bool { return !strings.Contains(p.Account.Acct, "@") },
		"public/remote|public?remote=true":              func(p toot) bool { return strings.Contains(p.Account.Acct, "@") },
		"public?only_media=true|public?only_media=true": func(p toot) bool { return len(p.Media) > 0 },
		"hashtag?tag=" + tag + "|tag/" + tag + "?":      func(p toot) bool { return p.tagged(tag) },
		"user|home?": func(toot) bool { return true },
	} {
		stream, rest, _ := strings.Cut(query, "|")
		want, shown := [][2]string{}, []string{}
		last := map[string]bool{}
		for n := range uint64(items) {
			var p toot
			raw := string(s.Raw(feeds.Mastodon, n))
			if id, ok := strings.CutPrefix(raw, `{"event":"delete","payload":"`); ok {
				if id = strings.TrimSuffix(id, `"}`); last[id] {
					want = append(want, [2]string{"delete", id})
				}
				continue
			}
			if err := json.Unmarshal([]byte(raw), &p); err != nil {
				t.Fatal(err)
			}
			name := "update"
			if strings.Contains(raw, "(edited)</p>") {
				name = "status.update"
			}
			if last[p.ID] = takes(p); last[p.ID] {
				want = append(want, [2]string{name, raw})
				if name == "update" {
					shown = append(shown, p.ID)
				}
			}
		}
		got := events(t, at+"/api/v1/streaming/"+stream, len(want))
		for i := range want {
			if i >= len(got) || got[i] != want[i] {
				t.Fatalf("%s: event %d of %d is not %s", stream, i, len(got), want[i])
			}
		}
		body, _ := get(t, at+"/api/v1/timelines/"+rest+"&min_id=0&limit=5")
		var page []toot
		if err := json.Unmarshal(body, &page); err != nil || len(page) != min(5, len(shown)) {
			t.Fatalf("%s: %v, %d posts", rest, err, len(page))
		}
		for i, p := range page {
			if p.ID != shown[len(page)-1-i] {
				t.Errorf("%s: post %d is %s, want %s", rest, i, p.ID, shown[len(page)-1-i])
			}
		}
	}
	for path, want := range map[string]int{
		"/api/v1/streaming/everything": 400, "/api/v1/streaming/hashtag": 400, "/api/v1/streaming/public/near": 400,
		"/api/v1/streaming/list": 400, "/api/v1/timelines/tag/": 404, "/api/v1/timelines/all": 404,
	} {
		if _, status := get(t, at+path); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
}

// TestQuakeFeeds: a feed of USGS's has the sizes and the time in its name, and
// EMSC's event service gives what it is asked for.
func TestQuakeFeeds(t *testing.T) {
	t.Parallel()
	_, at := serve(t)
	type answer struct {
		Features []struct {
			Properties struct{ Mag float64 }
		}
	}
	count := func(url string, least float64) (first float64, n int) {
		body, status := get(t, at+url)
		var a answer
		if err := json.Unmarshal(body, &a); err != nil || status != http.StatusOK {
			t.Fatalf("%s: %d, %v", url, status, err)
		}
		for i, f := range a.Features {
			if f.Properties.Mag < least {
				t.Errorf("%s: magnitude %v", url, f.Properties.Mag)
			}
			if i == 0 {
				first = f.Properties.Mag
			}
		}
		return first, len(a.Features)
	}
	const usgs, emsc = "/earthquakes/feed/v1.0/summary/", "/fdsnws/event/1/query?starttime=2020-01-01T00:00:00&"
	_, all := count(usgs+"all_day.geojson", 0)
	_, half := count(usgs+"2.5_week.geojson", 2.5)
	_, strong := count(usgs+"4.5_month.geojson", 4.5)
	if all <= half || half <= strong || strong == 0 {
		t.Errorf("%d, %d and %d earthquakes", all, half, strong)
	}
	if _, hour := count(usgs+"all_hour.geojson", 0); hour >= all { // they began an hour before the server
		t.Errorf("%d earthquakes in an hour, %d in a day", hour, all)
	}
	newest, _ := count(emsc, 0)
	oldest, _ := count(emsc+"orderby=time-asc", 0)
	if _, n := count(emsc+"limit=7&minmag=2.5", 2.5); n != 7 || newest == oldest {
		t.Errorf("%d earthquakes, newest %v, oldest %v", n, newest, oldest)
	}
	for path, want := range map[string]int{
		usgs + "huge_day.geojson": 404, usgs + "all_year.geojson": 404, usgs + "all": 404, emsc + "limit=some": 400, "/fdsnws/event/1/query": 400,
	} {
		if _, status := get(t, at+path); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
}

// TestSince: Wikimedia's streams begin at the moment that is asked for.
func TestSince(t *testing.T) {
	t.Parallel()
	s, at := serve(t)
	var change struct{ Meta struct{ DT time.Time } }
	if err := json.Unmarshal(s.Raw(feeds.Wikimedia, 50), &change); err != nil {
		t.Fatal(err)
	}
	got := events(t, at+"/v2/stream/recentchange?since="+change.Meta.DT.Format(time.RFC3339Nano), 1)
	if len(got) != 1 || got[0][1] != string(s.Raw(feeds.Wikimedia, 50)) {
		t.Errorf("begins with %v", got)
	}
}
