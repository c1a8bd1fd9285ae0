package gateway

import (
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestSharesPerAddress: an address has its share at once, then goes on at the
// rate that it was told, and what was refused costs nothing.
func TestSharesPerAddress(t *testing.T) {
	const most = 60
	q := newShares(most)
	one, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	now := time.Unix(1e9, 0)
	ask := func(addr netip.Addr) (granted int) {
		for range 2 * most {
			if q.take(addr, now) == 0 {
				granted++
			}
		}
		return granted
	}
	for i, tc := range []struct {
		later time.Duration
		addr  netip.Addr
		want  int
	}{
		{0, one, most},
		{0, other, most},
		{time.Second / 2, one, 0},
		{time.Second / 2, one, 1},
		{10 * time.Second, one, 10},
		{time.Hour, one, most},
	} {
		now = now.Add(tc.later)
		if got := ask(tc.addr); got != tc.want {
			t.Errorf("%d: %s may ask %d times, want %d", i, tc.addr, got, tc.want)
		}
	}
	wait := q.take(one, now)
	if wait <= 0 || wait > time.Second {
		t.Fatalf("it is to wait for %s", wait)
	}
	if now = now.Add(wait); q.take(one, now) != 0 {
		t.Error("it waited in vain")
	}
	if q := newShares(0); q.take(one, now)+q.take(one, now) != 0 || len(q.known) != 0 {
		t.Error("without a limit there is one")
	}
}

// TestSharesForget: any number of addresses take bounded memory, who asks most
// is remembered, and who is quiet is not.
func TestSharesForget(t *testing.T) {
	q := newShares(1)
	busy, now := netip.MustParseAddr("192.0.2.1"), time.Unix(1e9, 0)
	addr := netip.MustParseAddr("2001:db8::")
	granted := 0
	for range 3 * maxAskers {
		addr = addr.Next()
		q.take(addr, now)
		if q.take(busy, now) == 0 {
			granted++
		}
	}
	if granted != 1 || len(q.known) != maxAskers || q.order.Len() != maxAskers {
		t.Errorf("the busy one had %d, %d and %d are remembered", granted, len(q.known), q.order.Len())
	}
	if q.take(busy, now.Add(shareWindow)); len(q.known) != 1 || q.order.Len() != 1 {
		t.Errorf("%d and %d are remembered when all but one are quiet", len(q.known), q.order.Len())
	}
}

// TestAPageMeetsNoLimit: fifty browsers behind one address open eight pages
// each at once, which ask for a snapshot and for the history, and then again for
// a replay.
func TestAPageMeetsNoLimit(t *testing.T) {
	q := newShares(DefaultConfig().MaxQueriesPerAddr)
	addr, now := netip.MustParseAddr("192.0.2.1"), time.Unix(1e9, 0)
	for i := range 50 * 8 * 3 {
		if wait := q.take(addr, now); wait > 0 {
			t.Fatalf("request %d is to wait for %s", i, wait)
		}
	}
}

// TestOftenAskedIsRefused: what is made for who asks counts for its address;
// what all have does not.
func TestOftenAskedIsRefused(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.MaxQueriesPerAddr, c.TrustForwarded = 2, true })
	steps := []struct {
		addr, path string
		code       int
	}{
		{"192.0.2.1", "/api/history?step=nonsense", http.StatusBadRequest},
		{"192.0.2.1", "/api/history", http.StatusOK},
		{"192.0.2.1", "/api/snapshot?q=rain", http.StatusOK},
		{"192.0.2.1", "/api/snapshot?q=snow", http.StatusTooManyRequests},
		{"192.0.2.1", "/api/snapshot?kind=geo_blip", http.StatusTooManyRequests},
		{"192.0.2.1", "/api/history", http.StatusTooManyRequests},
		{"192.0.2.2", "/api/snapshot?q=snow", http.StatusOK},
		{"192.0.2.1", "/api/snapshot?q=snow", http.StatusTooManyRequests},
		{"192.0.2.1", "/api/snapshot", http.StatusOK},
		{"192.0.2.2", "/api/history", http.StatusOK},
		{"192.0.2.2", "/api/history", http.StatusTooManyRequests},
	}
	refused := 0.0
	for _, tc := range steps {
		got := w.getFrom(tc.addr, tc.path)
		if got.Code != tc.code {
			t.Errorf("%s for %s: %d %s", tc.path, tc.addr, got.Code, got.Body)
		}
		if tc.code != http.StatusTooManyRequests {
			continue
		}
		refused++
		wait, err := strconv.Atoi(got.Header().Get("Retry-After"))
		if err != nil || wait < 1 || wait > 30 || got.Header().Get("Content-Type") != "application/problem+json" ||
			!strings.Contains(got.Body.String(), `"title":"Too many requests"`) {
			t.Errorf("%s for %s: %v %s", tc.path, tc.addr, got.Header(), got.Body)
		}
	}
	w.wantMetrics(map[string]float64{`refused_total{reason="queries"}`: refused})
}
