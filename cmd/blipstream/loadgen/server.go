package loadgen

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/r3labs/sse/v2"
)

// requestTimeout bounds the reading of a request.
const requestTimeout = 10 * time.Second

// Publisher sends one event of that payload to all clients.
type Publisher func(seq uint64, payload []byte) error

// Pace calls publish at a rate for a time, with payloads of size bytes made at
// that moment, and returns how many there were. It catches up when publish was
// slow, but sends no more than the time allows.
func Pace(ctx context.Context, rate float64, d time.Duration, size int, publish Publisher) (uint64, error) {
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	began, n := time.Now(), uint64(0)
	for {
		for now := time.Now(); float64(n) < rate*now.Sub(began).Seconds() && now.Sub(began) < d; now = time.Now() {
			if err := publish(n+1, Payload(now, size)); err != nil {
				return n, err
			}
			n++
		}
		if time.Since(began) >= d {
			return n, nil
		}
		select {
		case <-ctx.Done():
			return n, fmt.Errorf("loadgen: publish: %w", ctx.Err())
		case <-ticker.C:
		}
	}
}

// Obey does what the lines of in say, and answers each on out with one line:
// "publish RATE MILLISECONDS SIZE" publishes, "free" gives memory back to the
// system. It returns when in ends.
func Obey(ctx context.Context, in io.Reader, out io.Writer, publish Publisher) error {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var rate float64
		var millis, size int
		answer := "ok"
		if _, err := fmt.Sscanf(lines.Text(), "publish %g %d %d", &rate, &millis, &size); err == nil && publish != nil {
			n, err := Pace(ctx, rate, time.Duration(millis)*time.Millisecond, size, publish)
			if err != nil {
				return err
			}
			answer = strconv.FormatUint(n, 10)
		} else {
			debug.FreeOSMemory()
		}
		if _, err := fmt.Fprintln(out, answer); err != nil {
			return fmt.Errorf("loadgen: answer: %w", err)
		}
	}
	return nil
}

// R3labs serves the stream "s" by a server of r3labs/sse as it comes, but for
// its log of all events, which is switched off.
func R3labs(l net.Listener) Publisher {
	server := sse.New()
	server.AutoReplay = false
	server.CreateStream("s")
	web := &http.Server{Handler: http.HandlerFunc(server.ServeHTTP), ReadHeaderTimeout: requestTimeout}
	go func() { _ = web.Serve(l) }() // until the process ends
	return func(seq uint64, payload []byte) error {
		server.Publish("s", &sse.Event{ID: strconv.AppendUint(nil, seq, 10), Event: []byte("simple_tweet"), Data: payload})
		return nil
	}
}

// Bare serves every connection by plain writes: one goroutine writes each event
// to each client in turn, which is the least that one write for each can cost.
func Bare(l net.Listener) Publisher {
	var mu sync.Mutex
	var conns []net.Conn
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go greet(c, func() {
				mu.Lock()
				defer mu.Unlock()
				conns = append(conns, c)
			})
		}
	}()
	var buf []byte
	return func(seq uint64, payload []byte) error {
		buf = fmt.Appendf(buf[:0], "id: %d\nevent: simple_tweet\ndata: %s\n\n", seq, payload)
		mu.Lock()
		defer mu.Unlock()
		for _, c := range conns {
			_, _ = c.Write(buf) // who is gone gets nothing
		}
		return nil
	}
}

// greet answers a request with the head of a stream.
func greet(c net.Conn, ready func()) {
	req, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		_ = c.Close() // it is of no use
		return
	}
	_ = req.Body.Close() // there is none
	if _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"); err == nil {
		ready()
	}
}
