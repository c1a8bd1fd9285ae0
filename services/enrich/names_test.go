package enrich_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/internal/simulate"
	"github.com/blipstream/blipstream/services/enrich"
)

// skyItems are the first n items of a world as Bluesky tells them.
func skyItems(w *simulate.World, n int) (items []feed.Item) {
	for i := range n {
		items = append(items, feed.Item{
			ID: strconv.Itoa(i), Source: source, Format: feed.FormatBluesky, Data: w.AppendBluesky(nil, uint64(i), i%2 == 1),
		})
	}
	return items
}

// TestNames: posts of Bluesky carry the names that their authors go by, and
// other posts do not wait for them.
func TestNames(t *testing.T) {
	srv := bustest.Start(t)
	sky, err := simulate.NewBluesky(simulate.Options{Items: 1})
	if err != nil {
		t.Fatal(err)
	}
	view := httptest.NewServer(sky)
	defer view.Close()
	layout := bustest.Layout()
	conn := srv.Dial(t, bus.Options{Name: "test", Layout: &layout})
	cfg := enrich.DefaultConfig()
	cfg.Profiles = view.URL
	cfg.ProfilesWait = 10 * time.Second // a busy machine may take longer than half a second
	const n = 60
	bustest.PublishRaw(t, conn, append(skyItems(sky.World(), n), tweets(n, n+5)...)...)
	stop := startWith(t, srv, cfg)
	settled(t, conn)
	posts, named, authors := 0, 0, map[string]bool{}
	got := events(t, conn)
	wantTweets(t, got, n, n+5)
	for _, e := range got {
		if strings.HasPrefix(e.UserID, "did:") && e.Body != "" {
			posts++
			authors[e.UserID] = true
			if strings.HasSuffix(e.Username, ".simulated.example") && e.Name != e.Username {
				named++
			}
		}
	}
	if asked := sky.Stats().Profiles; posts < n*9/10 || named < posts*9/10 || asked > n/5 {
		t.Errorf("%d posts of %d, %d with names, which were asked for %d times", posts, n, named, asked)
	}
	// Another replica finds in the bucket what the first was told.
	bustest.WaitFor(t, "the profiles to be shared", func() bool {
		return len(bustest.ReadAll(t, conn, "KV_"+bus.BucketProfiles)) >= len(authors)
	})
	stop()
	before := sky.Stats().Profiles
	again := skyItems(sky.World(), n)
	for i := range again {
		again[i].ID = "again-" + again[i].ID
	}
	bustest.PublishRaw(t, conn, again...)
	startWith(t, srv, cfg)
	settled(t, conn)
	if asked := sky.Stats().Profiles - before; asked > 0 {
		t.Errorf("the second replica asked %d times", asked)
	}
	remakeNamed(t, conn, cfg)
	if asked := sky.Stats().Profiles - before; asked > 0 {
		t.Errorf("who makes old events again asked %d times", asked)
	}
}

// remakeNamed makes the events of RAW once more, as a replay does, and wants
// those of authors whom replicas know by name to tell it.
func remakeNamed(t *testing.T, conn *bus.Conn, cfg enrich.Config) {
	t.Helper()
	svc, err := enrich.New(cfg, conn, service.Nop())
	if err != nil {
		t.Fatal(err)
	}
	posts, named := 0, 0
	for _, m := range bustest.ReadAll(t, conn, feed.StreamRaw) {
		msgs, err := svc.Make(&m)
		if err != nil {
			t.Fatal(err)
		}
		for _, msg := range msgs {
			if msg.Subject == feed.EventSubject(feed.KindSimpleTweet) && strings.Contains(string(msg.Data), `"did:`) {
				posts++
				named += strings.Count(string(msg.Data), `.simulated.example"`)
			}
		}
	}
	if posts == 0 || named < posts/2 {
		t.Errorf("%d of %d posts have names when they are made again", named, posts)
	}
}

// TestNoNames: an AppView that refuses, or is asked for nobody, costs no post.
func TestNoNames(t *testing.T) {
	asked := make(chan struct{}, 1000)
	view := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer view.Close()
	w := world(t, simulate.DefaultWorld(1))
	for name, profiles := range map[string]string{"refuses": view.URL, "off": "off", "public": enrich.DefaultConfig().Profiles} {
		t.Run(name, func(t *testing.T) {
			srv := bustest.Start(t)
			layout := bustest.Layout()
			conn := srv.Dial(t, bus.Options{Name: "test", Layout: &layout})
			cfg := enrich.DefaultConfig()
			cfg.Profiles = profiles // simulated posts are no business of the public one
			const n = 60
			bustest.PublishRaw(t, conn, skyItems(w, n)...)
			startWith(t, srv, cfg)
			settled(t, conn)
			got := events(t, conn)
			if len(got) < n*9/10 {
				t.Errorf("%d events of %d posts", len(got), n)
			}
			for _, e := range got {
				if e.Body != "" && !strings.HasSuffix(e.Username, "…") {
					t.Errorf("post of %s by %q", e.UserID, e.Username)
				}
			}
		})
	}
	if len(asked) == 0 || len(asked) > 8 {
		t.Errorf("the AppView that refuses was asked %d times", len(asked))
	}
}

func TestProfilesRefused(t *testing.T) {
	srv := bustest.Start(t)
	cfg := enrich.DefaultConfig()
	cfg.Profiles = "public.api.bsky.app"
	long := enrich.DefaultConfig()
	long.ProfilesWait = time.Minute
	layout := bustest.Layout()
	conn := srv.Dial(t, bus.Options{Name: "enrich", Layout: &layout})
	for want, cfg := range map[string]enrich.Config{"bluesky-profiles: ": cfg, "bluesky-profiles-wait must be 0s to 10s": long} {
		if _, err := enrich.New(cfg, conn, service.Nop()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New = %v", err)
		}
	}
}
