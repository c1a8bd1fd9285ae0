package e2e

import (
	"io"
	"net/http"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
)

// TestTwoEnrichShareTheWork stops one of two in the middle.
func TestTwoEnrichShareTheWork(t *testing.T) {
	t.Parallel()
	n := items(t)
	w := world(t, 0)
	want := want(w, n)
	a := runApart(t, file(t, w, n))
	second := start(t, "enrich", "--nats", a.url, told)
	conn := connect(t, a.url)
	first, other := admin(t, a.enrich), admin(t, second)
	a.startIngest()
	until(t, patience, "no progress", func() bool { return count(t, conn, feed.StreamEvents) >= len(want)/3 })
	x, y := handled(t, first), handled(t, other)
	t.Logf("of the first third one handled %d items, the other %d; one stopped in %v", x, y, second.stop(10*time.Second).Round(time.Millisecond))
	if x == 0 || y == 0 {
		t.Errorf("one handled %d items and the other %d, want both to have some", x, y)
	}
	settle(t, conn, want, redelivery)
	once(t, want, ids(read(t, conn, feed.StreamEvents)))
}

var (
	adminForm   = regexp.MustCompile(`msg=started .*admin=(\S+)`)
	handledForm = regexp.MustCompile(`(?m)^blipstream_enrich_items_total\{[^}]*\} (\S+)$`)
)

// admin waits until a service has started, and is where it serves its metrics.
func admin(t *testing.T, p *process) string {
	t.Helper()
	var addr string
	until(t, patience, p.name+" did not start", func() bool {
		if m := adminForm.FindStringSubmatch(p.stderr()); m != nil {
			addr = m[1]
		}
		return addr != ""
	})
	return addr
}

// handled is how many items an enrich process says it has handled.
func handled(t *testing.T, addr string) int {
	t.Helper()
	resp, err := http.Get("http://" + addr + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var sum float64
	for _, m := range handledForm.FindAllSubmatch(body, -1) {
		v, err := strconv.ParseFloat(string(m[1]), 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += v
	}
	return int(sum)
}
