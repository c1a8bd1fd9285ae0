package bus_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
)

func TestStatusIsTheLastOfEachKey(t *testing.T) {
	srv := bustest.Start(t)
	a, b := srv.Conn(t, "a"), srv.Conn(t, "b")
	if all, err := b.Statuses(t.Context()); err != nil || len(all) != 0 {
		t.Fatalf("a fresh bucket: %v, %v", all, err)
	}
	for _, s := range []struct{ key, text string }{{"bridge", "1"}, {"ingest.demo", "2"}, {"ingest.a-b_c", "3"}, {"bridge", "4"}} {
		if err := a.ReportStatus(t.Context(), s.key, []byte(s.text)); err != nil {
			t.Fatal(err)
		}
	}
	all, err := b.Statuses(t.Context())
	if err != nil || len(all) != 3 || string(all["bridge"]) != "4" || string(all["ingest.demo"]) != "2" {
		t.Errorf("%q, %v", all, err)
	}
	kv, err := admin(t, srv).KeyValue(t.Context(), "status")
	if err != nil {
		t.Fatal(err)
	}
	if err := kv.Delete(t.Context(), "bridge"); err != nil {
		t.Fatal(err)
	}
	all, err = b.Statuses(t.Context())
	if keys := slices.Sorted(maps.Keys(all)); err != nil || !slices.Equal(keys, []string{"ingest.a-b_c", "ingest.demo"}) {
		t.Errorf("after a deletion: %v, %v", keys, err)
	}
}

// Whoever does not report any more vanishes, and leaves no marker behind.
func TestStatusVanishes(t *testing.T) {
	t.Parallel()
	srv := bustest.Start(t)
	c := srv.Dial(t, bus.Options{Name: "a"}) // no owner: it would put the age back
	if err := c.Ensure(t.Context(), bustest.Layout()); err != nil {
		t.Fatal(err)
	}
	js := admin(t, srv)
	s, err := js.Stream(t.Context(), "KV_status")
	if err != nil {
		t.Fatal(err)
	}
	cfg := s.CachedInfo().Config
	if cfg.MaxAge != bus.StatusTTL || cfg.MaxMsgsPerSubject != 1 || cfg.MaxBytes <= 0 {
		t.Errorf("the bucket is %+v", cfg)
	}
	// The same bucket with a shorter age, so that the test is short.
	deleteStream(t, srv, cfg.Name)
	cfg.MaxAge, cfg.Duplicates = time.Second, time.Second
	if s, err = js.CreateStream(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if err := c.ReportStatus(t.Context(), "bridge", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	bustest.WaitFor(t, "the status vanishes", func() bool {
		all, err := c.Statuses(t.Context())
		info, e := s.Info(t.Context())
		return err == nil && len(all) == 0 && e == nil && info.State.Msgs == 0
	})
}

func TestStatusRefusals(t *testing.T) {
	srv := bustest.Start(t)
	binds := srv.Dial(t, bus.Options{Name: "binds"}) // owns nothing
	bustest.WaitFor(t, "connection", func() bool { return binds.Ready() == nil })
	if _, err := binds.Statuses(t.Context()); !errors.Is(err, bus.ErrNoStream) {
		t.Errorf("without a bucket: %v", err)
	}
	if err := binds.ReportStatus(t.Context(), "a", nil); err == nil {
		t.Error("a status is taken without a bucket")
	}
	c := srv.Conn(t, "a")
	for _, key := range []string{"", "two words", "ingest.*", "ingest.>"} {
		if err := c.ReportStatus(t.Context(), key, nil); err == nil {
			t.Errorf("the key %q is taken", key)
		}
	}
	if err := c.ReportStatus(t.Context(), "a", []byte(strings.Repeat("x", 5000))); err == nil {
		t.Error("5000 bytes are taken")
	}
	deleteStream(t, srv, "KV_status") // an owner makes it again
	bustest.WaitFor(t, "the bucket is back", func() bool { return c.ReportStatus(t.Context(), "a", nil) == nil })
}
