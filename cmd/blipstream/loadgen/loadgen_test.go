package loadgen_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/cmd/blipstream/loadgen"
)

// TestCrowdCounts: every client of either server gets every event, and the
// crowd counts them.
func TestCrowdCounts(t *testing.T) {
	for name, serve := range map[string]func(net.Listener) loadgen.Publisher{"r3labs": loadgen.R3labs, "bare": loadgen.Bare} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = l.Close() })
			publish := serve(l)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			ended := make(chan struct{})
			go func() { // r3labs answers with its first event
				defer close(ended)
				for ctx.Err() == nil {
					_ = publish(1, loadgen.Payload(time.Now(), 300))
					<-time.After(5 * time.Millisecond)
				}
			}()
			c, err := loadgen.Join(t.Context(), loadgen.Options{Addr: l.Addr().String(), Path: "/?stream=s", Clients: 20, Dead: 1, Slow: 1})
			cancel()
			<-ended
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			<-time.After(200 * time.Millisecond) // what is still on its way
			c.Reset()
			var out bytes.Buffer
			if err := loadgen.Obey(t.Context(), strings.NewReader("publish 500 200 300\nfree\n"), &out, publish); err != nil {
				t.Fatal(err)
			}
			var sent uint64 // up to 100: no more than the time allows
			if n, err := fmt.Sscanf(out.String(), "%d\nok\n", &sent); n != 1 || err != nil || sent == 0 || sent > 100 {
				t.Errorf("answered %q", out.String())
			}
			deadline := time.After(10 * time.Second)
			for c.Totals().Least < sent {
				select {
				case <-deadline:
					t.Fatalf("got %+v", c.Totals())
				case <-time.After(10 * time.Millisecond):
				}
			}
			if got := c.Totals(); got.Events != 20*sent || got.Most != sent || got.P50 <= 0 || got.P99 < got.P50 || got.Bytes < 20*sent*300 {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// TestCrowdRefuses: what cannot be is told in one line that says what to change.
func TestCrowdRefuses(t *testing.T) {
	for want, o := range map[string]loadgen.Options{
		"at most 32":              {Addr: "127.0.0.1:1", Mark: strings.Repeat("x", 33)},
		"raise the hard limit":    {Addr: "127.0.0.1:1", Clients: 1 << 40},
		"loadgen: read address: ": {Addr: "nowhere"},
	} {
		if _, err := loadgen.Join(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", o, err, want)
		}
	}
}
