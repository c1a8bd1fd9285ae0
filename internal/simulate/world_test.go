package simulate_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/simulate"
)

func newWorld(t *testing.T, o simulate.WorldOptions) *simulate.World {
	t.Helper()
	w, err := simulate.NewWorld(o)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// items is how many items tests make that look at all of them, and parsed how
// many those make that parse them too.
const (
	items  = 20_000
	parsed = 3000
)

func TestSameSeedSameBytes(t *testing.T) {
	o := simulate.DefaultWorld(7)
	o.Malformed, o.Duplicates, o.Disorder = 0.05, 0.05, 0.05
	a, b := newWorld(t, o), newWorld(t, o)
	o.Seed = 8
	other := newWorld(t, o)
	same := 0
	for n := range uint64(2000) {
		x, y := a.Append(nil, n), b.Append(nil, n)
		if !bytes.Equal(x, y) {
			t.Fatalf("item %d differs between two worlds of one seed", n)
		}
		if bytes.Equal(x, other.Append(nil, n)) {
			same++
		}
	}
	if same > 100 {
		t.Errorf("%d of 2000 items are the same with another seed", same)
	}
}

// TestItemsInAnyOrder: an item depends on its number alone.
func TestItemsInAnyOrder(t *testing.T) {
	w := newWorld(t, simulate.DefaultWorld(3))
	forward := make([][]byte, 500)
	for n := range forward {
		forward[n] = w.Append(nil, uint64(n))
	}
	for n, item := range slices.Backward(forward) {
		if !bytes.Equal(item, w.Append(nil, uint64(n))) {
			t.Fatalf("item %d differs when asked for again", n)
		}
	}
}

// TestTimeIsGiven: another time changes the times and nothing else.
func TestTimeIsGiven(t *testing.T) {
	w := newWorld(t, simulate.DefaultWorld(3))
	at := time.Date(2026, 11, 23, 12, 0, 0, 123e6, time.UTC)
	for n := range uint64(500) {
		var a, b map[string]any
		decode(t, w.Append(nil, n), &a)
		decode(t, w.AppendAt(nil, n, at), &b)
		if ms, ok := b["timestamp_ms"]; ok && ms != strconv.FormatInt(at.UnixMilli(), 10) {
			t.Fatalf("item %d: timestamp_ms = %v", n, ms)
		}
		for _, key := range []string{"id_str", "text", "user", "place", "coordinates"} {
			if x, y := fmt.Sprint(a[key]), fmt.Sprint(b[key]); x != y {
				t.Fatalf("item %d: %s depends on the time:\n%s\n%s", n, key, x, y)
			}
		}
	}
}

func decode(t *testing.T, raw []byte, into any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		t.Fatalf("not JSON: %v\n%.300s", err, raw)
	}
}

// TestItemsAreWellFormed looks at every item as a stranger would.
func TestItemsAreWellFormed(t *testing.T) {
	w := newWorld(t, simulate.DefaultWorld(1))
	ids, sizes := map[string]bool{}, 0
	last := time.Time{}
	for n := range uint64(parsed) {
		raw := w.Append(nil, n)
		sizes += len(raw)
		if !json.Valid(raw) || bytes.ContainsAny(raw, "\r\n") {
			t.Fatalf("item %d is no line of JSON: %.300s", n, raw)
		}
		var s status
		decode(t, raw, &s)
		if !s.Simulated {
			t.Fatalf("item %d is not marked as simulated", n)
		}
		if s.IDStr == "" {
			continue
		}
		if ids[s.IDStr] || s.ID.String() != s.IDStr || s.IDStr != strconv.FormatUint(w.ID(n), 10) {
			t.Fatalf("item %d: id %s, id_str %s, ID %d", n, s.ID, s.IDStr, w.ID(n))
		}
		ids[s.IDStr] = true
		if at := w.Time(n); at.Before(last) || s.CreatedAt != at.Format(time.RubyDate) {
			t.Fatalf("item %d: created_at %s, want %v, after %v", n, s.CreatedAt, at, last)
		}
		last = w.Time(n)
	}
	if mean := sizes / parsed; mean < 2000 || mean > 3500 {
		t.Errorf("mean size %d bytes, want that of a real tweet: 2 to 3.5 kB", mean)
	}
}

// TestEpochsShareNoID: a simulator started again makes other ids.
func TestEpochsShareNoID(t *testing.T) {
	w := newWorld(t, simulate.DefaultWorld(1))
	later, err := w.From(time.Date(2026, 1, 1, 0, 0, 0, 1e6, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	if a, b := w.ID(4_000_000), later.ID(0); a >= b {
		t.Errorf("4 million items on, id %d is not below %d, the first a millisecond later", a, b)
	}
	if id := later.ID(1 << 40); id >= math.MaxInt64 {
		t.Errorf("id %d does not fit int64", id)
	}
}

func TestOptionsRefused(t *testing.T) {
	for _, o := range []simulate.WorldOptions{
		{Geo: 1.1},
		{Geo: -0.1},
		{Geo: math.NaN()},
		{Malformed: 0.5, Duplicates: 0.5},
		{Gap: -1},
		{Epoch: time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)},
		{Epoch: time.Date(2070, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		if _, err := simulate.NewWorld(o); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("options %+v: error %v, want one line", o, err)
		}
	}
}

// TestDisorders: with all of them on, each item still comes, the repeated ones
// byte for byte and the malformed ones beside them.
func TestDisorders(t *testing.T) {
	o := simulate.DefaultWorld(5)
	o.Malformed, o.Duplicates, o.Disorder = 0.1, 0.1, 0.2
	w := newWorld(t, o)
	fates := map[simulate.Fate]int{}
	byID := map[uint64][]byte{}
	swapped := 0
	for n := range uint64(items) {
		raw, fate := w.Append(nil, n), w.Fate(n)
		fates[fate]++
		first, seen := byID[w.ID(n)]
		if seen != (fate == simulate.FateRepeat) {
			t.Fatalf("item %d: fate %s, and its id was there before: %t", n, fate, seen)
		}
		if seen && !bytes.Equal(first, raw) {
			t.Fatalf("item %d repeats id %d with other bytes", n, w.ID(n))
		}
		byID[w.ID(n)] = raw
		if n > 0 && w.ID(n) < w.ID(n-1) && fate != simulate.FateRepeat && w.Fate(n-1) != simulate.FateRepeat {
			swapped++
		}
		if fate != simulate.FateEvents && len(w.Want(n)) != 0 {
			t.Fatalf("item %d: fate %s and events", n, fate)
		}
	}
	for fate, share := range map[simulate.Fate]float64{simulate.FateBad: 0.1, simulate.FateRepeat: 0.1} {
		if got := float64(fates[fate]) / items; math.Abs(got-share) > 0.02 {
			t.Errorf("share of %s = %.3f, want %.2f", fate, got, share)
		}
	}
	if got := float64(swapped) / (items / 2); got < 0.08 || got > 0.2 {
		t.Errorf("share of swapped pairs = %.3f, want near 0.2 less the repeats among them", got)
	}
}

// TestRemovals: what a delete or a scrub_geo is about came before, by the
// author it names, and nothing is deleted twice.
func TestRemovals(t *testing.T) {
	w := newWorld(t, simulate.DefaultWorld(2))
	authors := map[string]string{}
	deleted := map[string]bool{}
	counts := map[feed.Kind]int{}
	for n := range uint64(3 * items) {
		for _, e := range w.Want(n) {
			counts[e.Kind]++
			switch e.Kind {
			case feed.KindSimpleTweet:
				authors[e.ID] = e.UserID
			case feed.KindPostRemoved:
				if authors[e.ID] != e.UserID || deleted[e.ID] {
					t.Fatalf("item %d deletes %s of %s, posted by %q, deleted before: %t", n, e.ID, e.UserID, authors[e.ID], deleted[e.ID])
				}
				deleted[e.ID] = true
			case feed.KindGeoRemoved:
				if authors[e.UpToID] != e.UserID {
					t.Fatalf("item %d scrubs %s of %s, posted by %q", n, e.UpToID, e.UserID, authors[e.UpToID])
				}
			default:
			}
		}
	}
	for _, k := range feed.Kinds() {
		if counts[k] == 0 {
			t.Errorf("no %s among %d items", k, 3*items)
		}
	}
}
