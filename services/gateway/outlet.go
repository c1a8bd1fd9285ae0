package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

// sendTimeout is how long a client may take to make room in its socket's
// buffer while history is sent, or on a connection that has no writer.
const sendTimeout = 10 * time.Second

// errSlow is told for a client that does not read.
var errSlow = errors.New("gateway: send events: the client does not read")

// outlet is where a stream is written to.
type outlet interface {
	// send writes all of it, or fails: with errSlow if the client does not read.
	send(runs [][]byte) error
}

// plainOutlet writes through net/http: HTTP/2, and what cannot be taken over.
type plainOutlet struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

func newPlainOutlet(w http.ResponseWriter) plainOutlet {
	return plainOutlet{w, http.NewResponseController(w)}
}

func (o plainOutlet) send(runs [][]byte) error {
	if err := o.rc.SetWriteDeadline(time.Now().Add(sendTimeout)); err != nil {
		return fmt.Errorf("gateway: bound a write: %w", err)
	}
	for _, run := range runs {
		if _, err := o.w.Write(run); err != nil {
			return sendError(err)
		}
	}
	if err := o.rc.Flush(); err != nil {
		return sendError(err)
	}
	// The next event may be hours away.
	return o.rc.SetWriteDeadline(time.Time{})
}

// rawOutlet is a connection that was taken over from net/http, whose buffers
// and goroutine are thereby free.
type rawOutlet struct {
	conn *net.TCPConn
	// head is the head of the answer, sent with the first event.
	head []byte
	// until is when the client's token expires; zero for never.
	until time.Time
}

func (o *rawOutlet) send(runs [][]byte) error {
	if err := o.conn.SetWriteDeadline(time.Now().Add(sendTimeout)); err != nil {
		return fmt.Errorf("gateway: bound a write: %w", err)
	}
	var all net.Buffers
	if o.head != nil {
		all = append(all, o.head)
		o.head = nil
	}
	all = append(all, runs...)
	_, err := all.WriteTo(o.conn)
	return sendError(err)
}

// close ends the connection.
func (o *rawOutlet) close() { _ = o.conn.Close() } // nothing to do about a failure

// sendError tells a client that does not read from one that is gone.
func sendError(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errSlow
	}
	if err != nil {
		return fmt.Errorf("gateway: send events: %w", err)
	}
	return nil
}

// hijack takes a connection over from net/http; nil if it is of a sort that no
// writer can serve. The answer is delimited by the end of the connection.
func hijack(w http.ResponseWriter, r *http.Request) (*rawOutlet, error) {
	if !hasWriters || r.ProtoMajor != 1 || r.TLS != nil {
		return nil, nil //nolint:nilnil // "not this way" is no failure
	}
	head := responseHead(w.Header())
	conn, _, err := http.NewResponseController(w).Hijack()
	if errors.Is(err, http.ErrNotSupported) {
		return nil, nil //nolint:nilnil // as above
	}
	if err != nil {
		return nil, fmt.Errorf("gateway: hijack: %w", err)
	}
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		_ = conn.Close() // nothing to do about a failure
		return nil, fmt.Errorf("gateway: hijack: %T is no TCP connection", conn)
	}
	return &rawOutlet{conn: tcp, head: head}, nil
}

// responseHead is the head of the answer on a connection taken over.
func responseHead(h http.Header) []byte {
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 200 OK\r\n")
	h = h.Clone()
	h.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	h.Set("Connection", "close")
	_ = h.Write(&b) // a bytes.Buffer does not fail
	b.WriteString("\r\n")
	return b.Bytes()
}
