package simulate_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/blipstream/blipstream/internal/simulate"
)

// pipes is a listener whose connections are in memory, so that time can be
// faked around a whole HTTP server.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	p.conns <- server
	return client, nil
}

// inBubble runs a server and a client of it in fake time.
func inBubble(t *testing.T, o simulate.Options, check func(t *testing.T, tw *simulate.Twitter, get func(query string) io.ReadCloser)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o.World = newWorld(t, simulate.DefaultWorld(1))
		tw, err := simulate.NewServer(o)
		if err != nil {
			t.Fatal(err)
		}
		p := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
		srv := &http.Server{Handler: tw, ReadHeaderTimeout: time.Minute}
		served := make(chan error, 1)
		go func() { served <- srv.Serve(p) }()
		client := &http.Client{Transport: &http.Transport{DialContext: p.dial, DisableCompression: true}}
		check(t, tw, func(query string) io.ReadCloser {
			resp, err := client.Do(request(t, "http://simulated"+filter+query))
			if err != nil {
				t.Fatal(err)
			}
			return resp.Body
		})
		tw.Close()
		client.CloseIdleConnections()
		_ = srv.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
}

// TestKeepAlives: a quiet connection gets an empty line every 30 s.
func TestKeepAlives(t *testing.T) {
	inBubble(t, simulate.Options{Items: 1}, func(t *testing.T, _ *simulate.Twitter, get func(string) io.ReadCloser) {
		t.Helper()
		for _, query := range []string{"", "?fault=keep-alives&after=1"} {
			body := get(query)
			in := bufio.NewReader(body)
			if _, err := frame(in); err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			for range 20 {
				if line, err := in.ReadString('\n'); line != "\r\n" || err != nil {
					t.Fatalf("%q, %v", line, err)
				}
			}
			if got := time.Since(start); got < 10*time.Minute-time.Second || got > 10*time.Minute {
				t.Errorf("%q: 20 keep-alives in %v, want 10 minutes", query, got)
			}
			_ = body.Close()
		}
	})
}

// TestSilence: not a byte in ten minutes, and the connection stays open.
func TestSilence(t *testing.T) {
	for _, fault := range []string{"silence", "half-open"} {
		inBubble(t, simulate.Options{Items: 1}, func(t *testing.T, tw *simulate.Twitter, get func(string) io.ReadCloser) {
			t.Helper()
			body := get("?fault=" + fault)
			got := make(chan error, 1)
			go func() {
				_, err := body.Read(make([]byte, 1))
				got <- err
			}()
			select {
			case err := <-got:
				t.Errorf("%s: read something, or %v", fault, err)
			case <-time.After(10 * time.Minute):
			}
			_ = body.Close()
			if err := <-got; err == nil {
				t.Errorf("%s: a byte came", fault)
			}
			synctest.Wait()
			if open := tw.Stats().Open; (open == 1) != (fault == "half-open") {
				t.Errorf("%s: %d connections open after the client has left", fault, open)
			}
		})
	}
}

// TestRatePerSecond: items come evenly, by the clock.
func TestRatePerSecond(t *testing.T) {
	inBubble(t, simulate.Options{Rate: 50}, func(t *testing.T, tw *simulate.Twitter, get func(string) io.ReadCloser) {
		t.Helper()
		body := get("")
		start := time.Now()
		wantItems(t, tw.World(), frames(t, body, 500), 0)
		if got := time.Since(start); got < 9*time.Second || got > 11*time.Second {
			t.Errorf("500 items at 50/s took %v", got)
		}
		_ = body.Close()
	})
}

// TestLive: without Resume what flows while nobody reads is gone; with it,
// nothing flows.
func TestLive(t *testing.T) {
	for resume, first := range map[bool]uint64{false: 3600 * 50, true: 0} {
		inBubble(t, simulate.Options{Rate: 50, Resume: resume}, func(t *testing.T, tw *simulate.Twitter, get func(string) io.ReadCloser) {
			t.Helper()
			<-time.After(time.Hour)
			body := get("")
			wantItems(t, tw.World(), frames(t, body, 20), first)
			_ = body.Close()
		})
	}
}
