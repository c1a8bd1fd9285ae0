package e2e

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
)

// TestOnePostThenSilenceArrives sends a single post and then nothing, not even
// a keep-alive: whatever waits for more input anywhere on the line shows here.
func TestOnePostThenSilenceArrives(t *testing.T) {
	w := world(t, 0)
	send, sent := make(chan struct{}), make(chan time.Time, 1)
	upstream := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(rw)
		rw.Header().Set("Content-Type", "application/json")
		_ = control.Flush()
		select {
		case <-send:
			_, _ = rw.Write(append(w.Append(nil, 0), "\r\n"...))
			_ = control.Flush()
			sent <- time.Now()
		case <-r.Context().Done():
		}
		<-r.Context().Done()
	}))
	t.Cleanup(upstream.Close)
	t.Cleanup(upstream.CloseClientConnections)
	p := up(t, t.TempDir(), "--source", "twitter+"+upstream.URL+"/1.1/statuses/sample.json#"+source)
	reader := follow(t, strings.TrimSuffix(p.field("page"), "/"))
	until(t, patience, "the SSE client did not connect", reader.isOpen)
	select {
	case send <- struct{}{}:
	case <-time.After(patience):
		t.Fatal("ingest did not connect")
	}
	began := <-sent
	key := feed.EventID(feed.KindSimpleTweet, source, w.Want(0)[0].ID)
	until(t, patience, "the post did not come", func() bool { return !reader.arrived(key).IsZero() })
	took := reader.arrived(key).Sub(began)
	t.Logf("one post, then silence: at the SSE client %v after its last byte was sent", took.Round(10*time.Microsecond))
	// Far above what it takes, and far below any timer that might have helped.
	if took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
}
