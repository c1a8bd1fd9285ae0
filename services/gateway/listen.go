package gateway

import (
	"fmt"
	"net"
	"time"
)

// sendBuffer is the kernel's buffer per client, in bytes. By default it grows
// to megabytes, which hides a client that has stopped reading for minutes.
const sendBuffer = 128 << 10

// maxSilence is how long a client's machine may acknowledge nothing. It is more
// than stallTimeout: who is there and does not read is cut by us, and counted.
const maxSilence = time.Minute

// listener accepts connections with a bounded send buffer.
type listener struct{ net.Listener }

// listen listens on a TCP address.
func listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr) //nolint:noctx // it binds at once
	if err != nil {
		return nil, fmt.Errorf("gateway: listen: %w", err)
	}
	return listener{l}, nil
}

// Accept waits for a connection.
func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		// Without them the client is served all the same.
		_ = tcp.SetWriteBuffer(sendBuffer)
		_ = boundSilence(tcp, maxSilence)
	}
	return c, nil
}
