package gateway

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	r3 "github.com/r3labs/sse/v2"

	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/services/gateway/sse"
)

// payload is an event of 300 bytes, as the peers were measured with.
func payload() []byte { return []byte(`{"body":"` + strings.Repeat("x", 289) + `"}`) }

// crowd is clients that count the events they read.
type crowd struct {
	conns          []net.Conn
	count, greeted atomic.Int64
}

// join opens n streams on bare sockets; clients parse nothing but the ends of
// events, so that the machine is left to the server.
func join(b *testing.B, addr, path string, n int) *crowd {
	b.Helper()
	c := &crowd{}
	for range n {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path); err != nil {
			b.Fatal(err)
		}
		c.conns = append(c.conns, conn)
		go c.read(conn)
	}
	return c
}

// read counts the events of a connection until it ends.
func (c *crowd) read(conn net.Conn) {
	buf := make([]byte, 32<<10)
	name := []byte("event: simple_tweet\n")
	hello := []byte("event: hello\n")
	held := 0 // a name may be cut by the end of a read
	for {
		n, err := conn.Read(buf[held:])
		if err != nil {
			return
		}
		data := buf[:held+n]
		c.count.Add(int64(bytes.Count(data, name)))
		if bytes.Contains(data, hello) {
			c.greeted.Add(1)
		}
		held = 0
		if last := bytes.LastIndexByte(data, '\n') + 1; len(data)-last < len(name) {
			held = copy(buf, data[last:])
		}
	}
}

// wait waits until the crowd has read total events.
func (c *crowd) wait(b *testing.B, total int) {
	b.Helper()
	bustest.WaitFor(b, "everything is delivered", func() bool { return c.count.Load() >= int64(total) })
}

func (c *crowd) leave() {
	for _, conn := range c.conns {
		_ = conn.Close()
	}
}

// ours delivers events through a gateway and returns how many a second.
func ours(b *testing.B, clients, events int) float64 {
	b.Helper()
	w := newWorld(b, func(c *Config) { c.RingBytes, c.MaxClientsPerAddr = 256<<20, clients })
	defer w.stop()
	c := join(b, w.gateway.Addr(), "/events", clients)
	defer c.leave()
	bustest.WaitFor(b, "all are served", func() bool { return c.greeted.Load() == int64(clients) })
	e := r3.Event{Event: []byte("simple_tweet"), Data: payload()}
	var buf []byte
	began := time.Now()
	for seq := uint64(1); seq <= uint64(events); seq++ {
		e.ID = sse.ID{Epoch: "dn2y8odu0wx5", Seq: seq}.Append(e.ID[:0])
		buf = sse.Append(buf[:0], &e)
		w.gateway.tail.Append(seq, "simple_tweet", buf)
	}
	c.wait(b, clients*events)
	return float64(clients*events) / time.Since(began).Seconds()
}

// theirs does the same through a server of r3labs/sse.
func theirs(b *testing.B, clients, events int) float64 {
	b.Helper()
	server := r3.New()
	server.AutoReplay = false
	server.CreateStream("s")
	web := httptest.NewServer(http.HandlerFunc(server.ServeHTTP))
	defer web.CloseClientConnections()
	c := join(b, web.Listener.Addr().String(), "/?stream=s", clients)
	defer c.leave()
	// It never tells how many it serves without racing; ask until all hear.
	bustest.WaitFor(b, "all are served", func() bool {
		c.count.Store(0)
		server.Publish("s", &r3.Event{Event: []byte("simple_tweet"), Data: []byte("x")})
		<-time.After(100 * time.Millisecond)
		return c.count.Load() == int64(clients)
	})
	c.count.Store(0)
	began := time.Now()
	for seq := range events {
		server.Publish("s", &r3.Event{ID: fmt.Appendf(nil, "dn2y8odu0wx5-%d", seq), Event: []byte("simple_tweet"), Data: payload()})
	}
	c.wait(b, clients*events)
	return float64(clients*events) / time.Since(began).Seconds()
}

// BenchmarkFanout delivers bursts of 300-byte events to clients on loopback,
// all in this process: ours, and beside it a server of r3labs/sse. One write
// for many events is where the difference is from; run it with -benchtime 1x.
func BenchmarkFanout(b *testing.B) {
	for _, clients := range []int{100, 1000} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			var a, z float64
			for b.Loop() {
				a += ours(b, clients, 4_000_000/clients)
				runtime.GC()
				z += theirs(b, clients, 200_000/clients)
			}
			b.ReportMetric(a/float64(b.N), "delivered/s")
			b.ReportMetric(z/float64(b.N), "r3labs/s")
			b.ReportMetric(a/z, "ratio")
		})
	}
}
