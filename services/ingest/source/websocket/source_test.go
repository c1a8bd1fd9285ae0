package websocket_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	coder "github.com/coder/websocket"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/websocket"
	"github.com/blipstream/blipstream/services/ingest/sourcetest"
)

func messages() (out [][]byte) {
	for i := range 20 {
		out = append(out, fmt.Appendf(nil, `{"meta":{"id":"m-%d"}}`, i))
	}
	return append(out, []byte("{}"), []byte("no json"), []byte(`{"meta":{"id":5}}`))
}

// opened is the generic source of a server.
func opened(t *testing.T, base, params, secret string) (source.Source, error) {
	t.Helper()
	u, err := url.Parse("ws+" + base + "/feed?topic=a" + params)
	if err != nil {
		t.Fatal(err)
	}
	return websocket.Open(source.Config{Name: "ws", URL: u, Secret: secret, Log: slog.New(slog.DiscardHandler)})
}

func TestConformance(t *testing.T) {
	sourcetest.Run(t, func(t *testing.T) sourcetest.Upstream {
		t.Helper()
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.RawQuery != "topic=a" || r.Header.Get("Authorization") != "Bearer t" {
				t.Errorf("asked for %s as %q", r.URL.RawQuery, r.Header.Get("Authorization"))
			}
			handler(func(ctx context.Context, c *coder.Conn) {
				if _, b, err := c.Read(ctx); err != nil || string(b) != "subscribe" {
					t.Errorf("hello %q, %v", b, err)
				}
				ctx = c.CloseRead(ctx)
				for _, m := range messages() {
					_ = c.Write(ctx, coder.MessageText, m)
				}
				<-ctx.Done()
			})(w, r)
		}))
		t.Cleanup(srv.Close)
		return sourcetest.Upstream{Name: "ws", Want: messages(), Open: func(t *testing.T) source.Source {
			t.Helper()
			src, err := opened(t, srv.URL, "&id=/meta/id&hello=subscribe&ping=1s", "bearer:t")
			if err != nil {
				t.Fatal(err)
			}
			return src
		}}
	})
}

func TestOpenRefuses(t *testing.T) {
	for _, params := range []string{"&id=meta", "&stall=5", "&ping=0s", "&max-event=1", "&format=tweet"} {
		if _, err := opened(t, "http://h", params, ""); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", params, err)
		}
	}
	if _, err := opened(t, "http://h", "", "hunter2"); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a secret of no form: %v", err)
	}
	if _, err := websocket.Open(source.Config{URL: &url.URL{Scheme: "wss"}}); err == nil {
		t.Error("no host")
	}
}

// TestPointer: the pointer names the id, and a hash what it does not find.
func TestPointer(t *testing.T) {
	base := serve(t, func(ctx context.Context, c *coder.Conn) {
		for _, m := range messages() {
			_ = c.Write(ctx, coder.MessageText, m)
		}
		_ = c.Close(coder.StatusNormalClosure, "")
	})
	src, err := opened(t, base, "&id=/meta/id&format=post", "")
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	_ = src.Stream(t.Context(), "", func(it feed.Item) error {
		if it.Format != "post" {
			t.Errorf("format %q", it.Format)
		}
		ids = append(ids, it.ID)
		return nil
	})
	if len(ids) != len(messages()) || ids[0] != "m-0" || ids[22] != "5" || ids[20] == ids[21] {
		t.Errorf("ids %q", ids)
	}
}
