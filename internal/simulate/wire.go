package simulate

import (
	"bufio"
	"net"
	"net/http"
	"sync"
)

// wire is a connection on which a server can misbehave below its protocol.
type wire struct {
	net.Conn
	mu   sync.Mutex
	mode wireMode
	end  chan struct{} // closed by Close
	once sync.Once
}

// wireMode is how bytes are written.
type wireMode uint8

const (
	wireWhole  wireMode = iota // as they come
	wireSingle                 // each by itself
	wireHalf                   // half of the next, and then no connection any more
	wireMute                   // not at all, as if they had been
	wireDead                   // neither written nor read, until the server closes
)

// set changes how bytes are written from here on.
func (w *wire) set(m wireMode) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mode = m
}

func (w *wire) now() wireMode {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mode
}

// Write implements net.Conn.
func (w *wire) Write(p []byte) (int, error) {
	switch w.now() {
	case wireSingle:
		for i := range p {
			if _, err := w.Conn.Write(p[i : i+1]); err != nil {
				return i, err
			}
		}
		return len(p), nil
	case wireHalf:
		n, _ := w.Conn.Write(p[:len(p)/2])
		_ = w.Close()
		return n, net.ErrClosed
	case wireMute:
		return len(p), nil
	case wireDead:
		<-w.end
		return 0, net.ErrClosed
	default:
		return w.Conn.Write(p)
	}
}

// Read implements net.Conn.
func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if w.now() == wireDead {
		<-w.end
		return 0, net.ErrClosed
	}
	return n, err
}

// Close implements net.Conn.
func (w *wire) Close() error {
	w.once.Do(func() { close(w.end) })
	return w.Conn.Close()
}

// wiretap is a response whose connection, once it is taken over, is a wire.
type wiretap struct {
	http.ResponseWriter
	wire *wire
}

// Hijack implements http.Hijacker.
func (t *wiretap) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(t.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	t.wire = &wire{Conn: conn, end: make(chan struct{})}
	// What is buffered on either side goes through the wire, too. Nothing has
	// been read beyond the request: the client waits for the answer to it.
	return t.wire, bufio.NewReadWriter(rw.Reader, bufio.NewWriter(t.wire)), nil
}
