package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
)

// patience bounds waits for things that take a second or two on a free machine.
const patience = 60 * time.Second

// stopGrace is how long up may take to stop.
const stopGrace = 5 * time.Second

// told makes blips of what items tell, and none of cities that are only named:
// the oracle knows of no others.
const told = "--positions=point,place"

// up starts everything in one process.
func up(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	return start(t, "blipstream", append([]string{"up", "--addr", "127.0.0.1:0", "--data", dir, "--log-level", "warn", told}, args...)...)
}

func TestWholeLine(t *testing.T) {
	t.Parallel()
	const n = 3000
	w := world(t, 0)
	want := want(w, n)
	p := up(t, t.TempDir(), "--source", file(t, w, n))
	reader := follow(t, strings.TrimSuffix(p.field("page"), "/"))
	conn := connect(t, p.field("nats"))
	settle(t, conn, want, patience)

	stored := read(t, conn, feed.StreamEvents)
	once(t, want, ids(stored))
	for _, s := range stored {
		same(t, feed.KindOf(s.Subject), s.Data, want[s.Header.Get(headerMsgID)])
	}
	served(t, want, reader)
	_, data := reader.all()
	for _, s := range stored {
		if id := s.Header.Get(headerMsgID); data[id] != nil && string(data[id]) != string(s.Data) {
			t.Errorf("%s reached the SSE client as %s, want it untouched: %s", id, data[id], s.Data)
		}
	}
	// The file has ended; the page has not.
	select {
	case <-p.done:
		t.Fatalf("up ended with its file: %s", p.stderr())
	default:
	}
	p.stop(stopGrace)
}
