package demo_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/demo"
	"github.com/blipstream/blipstream/services/ingest/sourcetest"
)

func open(tb testing.TB, raw string) source.Source {
	tb.Helper()
	src, err := tryOpen(tb, raw)
	if err != nil {
		tb.Fatal(err)
	}
	return src
}

func tryOpen(tb testing.TB, raw string) (source.Source, error) {
	tb.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		tb.Fatal(err)
	}
	return demo.Open(source.Config{Name: "demo", URL: u, Log: slog.New(slog.DiscardHandler)})
}

// collect reads a source that ends by itself.
func collect(t *testing.T, src source.Source, from feed.Cursor) (items []feed.Item) {
	t.Helper()
	err := src.Stream(t.Context(), from, func(it feed.Item) error {
		items = append(items, it)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return items
}

// during reads a source for a while.
func during(t *testing.T, src source.Source, from feed.Cursor, d time.Duration) (items []feed.Item) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	err := src.Stream(ctx, from, func(it feed.Item) error {
		items = append(items, it)
		return nil
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Stream = %v, want the context's error", err)
	}
	return items
}

func TestConformance(t *testing.T) {
	for name, c := range map[string]struct {
		url  string
		ends bool
	}{
		"endless": {"demo:?rate=5000&start=2026-01-01T00:00:00Z", false},
		"finite":  {"demo:?rate=5000&start=2026-01-01T00:00:00Z&n=50", true},
	} {
		t.Run(name, func(t *testing.T) {
			sourcetest.Run(t, func(*testing.T) sourcetest.Upstream {
				return sourcetest.Upstream{
					Name: "demo", Resumes: true, Ends: c.ends,
					Open: func(t *testing.T) source.Source { t.Helper(); return open(t, c.url) },
				}
			})
		})
	}
}

func TestFirstItemsAtOnce(t *testing.T) {
	for _, u := range []string{"demo:", "demo:?rate=0.001", "demo:?rate=50000"} {
		synctest.Test(t, func(t *testing.T) {
			if got := len(during(t, open(t, u), "", time.Millisecond)); got == 0 {
				t.Errorf("%s: no item within a millisecond", u)
			}
		})
	}
}

func TestRate(t *testing.T) {
	for u, rate := range map[string]float64{
		"demo:": 20, "demo:?rate=5": 5, "demo:?rate=50&burst=1": 50, "demo:?rate=50&burst=20": 50,
	} {
		synctest.Test(t, func(t *testing.T) {
			const seconds = 200
			got := float64(len(during(t, open(t, u), "", seconds*time.Second))) / seconds
			if math.Abs(got-rate) > 0.1*rate {
				t.Errorf("%s: %.2f items/s, want %.0f", u, got, rate)
			}
		})
	}
}

// TestBursts: with bursts, the fullest second holds far more than the mean.
func TestBursts(t *testing.T) {
	for u, bursts := range map[string]bool{"demo:?rate=100&burst=1": false, "demo:?rate=100&burst=5": true} {
		synctest.Test(t, func(t *testing.T) {
			began, perSecond := time.Now(), map[int]int{}
			for _, it := range during(t, open(t, u), "", 60*time.Second) {
				perSecond[int(it.Received.Sub(began)/(time.Second/2))]++
			}
			fullest := 0
			for half, n := range perSecond {
				if half > 0 { // the greeting is no burst
					fullest = max(fullest, n)
				}
			}
			if got := fullest > 120; got != bursts {
				t.Errorf("%s: %d items in the fullest half second", u, fullest)
			}
		})
	}
}

// TestResumeRepeatsNoID: neither a resumed nor a new run makes an id again.
func TestResumeRepeatsNoID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := map[string]bool{}
		var last feed.Cursor
		for _, from := range []string{"", "resume", "resume", ""} {
			if from == "resume" {
				from = string(last)
			}
			items := during(t, open(t, "demo:?rate=500"), feed.Cursor(from), 3*time.Second)
			for _, it := range items {
				if seen[it.ID] {
					t.Fatalf("id %s came before", it.ID)
				}
				seen[it.ID] = true
			}
			last = items[len(items)-1].Cursor
		}
	})
}

// TestCountGoesOn: n counts over restarts, and the last item ends the source.
func TestCountGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := collect(t, open(t, "demo:?n=100&rate=1000"), "")
		if len(all) != 100 {
			t.Fatalf("%d items, want 100", len(all))
		}
		rest := collect(t, open(t, "demo:?n=100&rate=1000"), all[29].Cursor)
		if len(rest) != 70 || rest[0].ID != all[30].ID {
			t.Errorf("after item 30: %d items from %s, want 70 from %s", len(rest), rest[0].ID, all[30].ID)
		}
		if got := collect(t, open(t, "demo:?n=100"), all[99].Cursor); len(got) != 0 {
			t.Errorf("%d items after the last", len(got))
		}
	})
}

// TestStartIsRepeatable: with start, two runs are the same byte for byte.
func TestStartIsRepeatable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const u = "demo:?n=200&rate=1000&start=2026-03-01T12:00:00Z"
		a := collect(t, open(t, u), "")
		b := collect(t, open(t, u), "")
		for i := range a {
			if a[i].ID != b[i].ID || a[i].Cursor != b[i].Cursor || !bytes.Equal(a[i].Data, b[i].Data) {
				t.Fatalf("item %d differs", i)
			}
		}
		if !bytes.Contains(a[0].Data, []byte(`"Sun Mar 01 12:00:00 +0000 2026"`)) {
			t.Errorf("first item is not of the given time: %.80s", a[0].Data)
		}
	})
}

// TestItemsKeepTheirBytes: no item shares memory with a later one.
func TestItemsKeepTheirBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var copies [][]byte
		var items []feed.Item
		err := open(t, "demo:?n=2000&rate=5000").Stream(t.Context(), "", func(it feed.Item) error {
			items = append(items, it)
			copies = append(copies, bytes.Clone(it.Data))
			_ = append(it.Data, "overwritten?"...)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for i, it := range items {
			if !bytes.Equal(it.Data, copies[i]) {
				t.Fatalf("item %d changed after it was emitted", i)
			}
		}
	})
}

// TestBlockedEmit: after a long time without reading there is no flood.
func TestBlockedEmit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var freed time.Time
		atOnce, n := 0, 0
		err := open(t, "demo:?rate=100&burst=1").Stream(ctx, "", func(feed.Item) error {
			switch n++; {
			case n == 60:
				<-time.After(time.Hour)
				freed = time.Now()
			case n > 60 && time.Since(freed) <= 20*time.Millisecond:
				atOnce++
			case n > 1000:
				cancel()
			}
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if atOnce > 150 {
			t.Errorf("%d items at once after an hour at 100/s, want those of a second", atOnce)
		}
	})
}

func TestRefused(t *testing.T) {
	for u, word := range map[string]string{
		"demo:?rate=0": "rate", "demo:?rate=50001": "rate", "demo:?rate=fast": "rate", "demo:?rate=NaN": "rate",
		"demo:?geo=2": "geo", "demo:?geo=-1": "geo", "demo:?burst=0.5": "burst", "demo:?malformed=1": "malformed",
		"demo:?n=-1": "n:", "demo:?seed=x": "seed", "demo:?start=today": "start", "demo:?speed=2": "speed",
		"demo:?rate=1&rate=2": "twice", "demo://host": "parameters", "demo:path": "parameters", "demo:?rate=%zz": "parameters",
		"demo:?start=1999-01-01T00:00:00Z": "epoch",
	} {
		_, err := tryOpen(t, u)
		if err == nil || !strings.Contains(err.Error(), word) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want one line with %q", u, err, word)
		}
	}
}

func TestForeignCursor(t *testing.T) {
	for _, c := range []feed.Cursor{"x", "1-", "-1", "1795471200000", "1795471200000--1", "99-1"} {
		err := open(t, "demo:").Stream(t.Context(), c, func(feed.Item) error { return nil })
		var e *source.Error
		if !errors.As(err, &e) || e.Cause != source.CauseFatal {
			t.Errorf("cursor %q: %v, want a fatal error", c, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add("demo:?rate=50&seed=1&geo=0.5&burst=2&malformed=0.1&n=3&start=2026-01-01T00:00:00Z", "1795471200000-7")
	f.Add("demo:", "")
	f.Fuzz(func(t *testing.T, raw, cursor string) {
		u, err := url.Parse(raw)
		if err != nil {
			return
		}
		src, err := demo.Open(source.Config{Name: "demo", URL: u})
		if err != nil {
			return
		}
		enough := errors.New("enough")
		err = src.Stream(t.Context(), feed.Cursor(cursor), func(it feed.Item) error {
			if it.ID == "" || it.Cursor == "" {
				t.Errorf("item without id or cursor: %+v", it)
			}
			return enough
		})
		var fatal *source.Error
		if err != nil && !errors.Is(err, enough) && !errors.As(err, &fatal) {
			t.Errorf("Stream = %v", err)
		}
	})
}

// BenchmarkStream is how many items a second the source can make.
func BenchmarkStream(b *testing.B) {
	src := open(b, "demo:?rate=50000")
	enough := errors.New("enough")
	n := 0
	for b.Loop() {
		err := src.Stream(b.Context(), "", func(feed.Item) error {
			if n++; n%500 == 0 {
				return enough
			}
			return nil
		})
		if !errors.Is(err, enough) {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "items/s")
}
