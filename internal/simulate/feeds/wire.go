package feeds

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// wire is a connection that was taken from net/http, so that each of its bytes
// is ours to send or not.
type wire struct {
	conn   net.Conn
	in     *bufio.Reader
	ctx    context.Context // ends when the client leaves or the server closes
	cancel context.CancelFunc
	single bool        // write byte by byte
	mute   atomic.Bool // answer no pings

	mu sync.Mutex // writes: items, and answers to pings
}

// take takes a connection over.
func (s *Server) take(w http.ResponseWriter) (*wire, error) {
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, fmt.Errorf("feeds: take over connection: %w", err)
	}
	_ = conn.SetDeadline(time.Time{}) // where it is not supported none was set
	l := &wire{conn: conn, in: rw.Reader}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	go func() {
		select {
		case <-s.closed:
			l.cancel()
		case <-l.ctx.Done():
		}
	}()
	return l, nil
}

// listen reads what the client sends until it leaves.
func (l *wire) listen(heed func(l *wire) error) {
	defer l.cancel()
	for heed(l) == nil {
	}
}

// discard heeds nothing that a client sends.
func discard(l *wire) error {
	_, err := io.Copy(io.Discard, l.in)
	if err == nil {
		err = io.EOF
	}
	return err
}

// write sends b. Nobody waits for a client for longer than this.
func (l *wire) write(b []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	stop := context.AfterFunc(l.ctx, func() { _ = l.conn.SetWriteDeadline(time.Now()) })
	defer stop()
	step := len(b)
	if l.single {
		step = 1
	}
	for ; len(b) > 0; b = b[step:] {
		if _, err := l.conn.Write(b[:step]); err != nil {
			return err
		}
	}
	return nil
}

// wait waits; false says that the client has left.
func (l *wire) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-l.ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// reset ends the connection as a broken network does.
func (l *wire) reset() {
	if tcp, ok := l.conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // without it the end would look regular
	}
}
