package emsc

import (
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"github.com/blipstream/blipstream/services/ingest/source"
)

func open(t *testing.T, raw string) (source.Source, error) {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return Open(source.Config{Name: "e", URL: u, Log: slog.New(slog.DiscardHandler)})
}

func TestURLs(t *testing.T) {
	for raw, want := range map[string][2]string{
		"emsc:":                              {server, "https://www.seismicportal.eu/fdsnws/event/1/query"},
		"emsc+ws://127.0.0.1:5/s?stall=3s#x": {"ws://127.0.0.1:5/s", "http://127.0.0.1:5/fdsnws/event/1/query"},
	} {
		src, err := open(t, raw)
		if err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		if c, ok := src.(*centre); !ok || c.socket.URL != want[0] || c.query != want[1] || c.socket.Ping > c.socket.Idle/2 {
			t.Errorf("%s: %+v", raw, src)
		}
	}
	for _, raw := range []string{"emsc:x", "emsc://h", "emsc+wss:", "emsc:?stall=1", "emsc:?x=y"} {
		if _, err := open(t, raw); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want an error of one line", raw, err)
		}
	}
}

// TestCursorMovesForward: a message about something older does not move the
// cursor back, nor does one whose time cannot be read.
func TestCursorMovesForward(t *testing.T) {
	var c centre
	for _, s := range []struct{ updated, want string }{
		{"2026-03-04T05:06:07.1Z", "2026-03-04T05:06:07.1Z"},
		{"2026-03-04T05:06:06Z", "2026-03-04T05:06:07.1Z"},
		{"soon", "2026-03-04T05:06:07.1Z"},
		{"2026-03-04T05:06:08", "2026-03-04T05:06:08"},
	} {
		it := c.item([]byte("x"), []byte(`{"properties":{"unid":"u","lastupdate":"`+s.updated+`"}}`))
		if string(it.Cursor) != s.want || it.ID != "u@"+s.updated {
			t.Errorf("%s: %+v", s.updated, it)
		}
	}
}
