package upstream

import (
	"context"
	"net"
	"net/http"
	"time"
)

const (
	// connectTimeout bounds the making of a connection, name to handshake.
	connectTimeout = 15 * time.Second
	// readBytes is how much is read from a connection at once, at most: a stream
	// sends many messages in a row.
	readBytes = 64 << 10
)

// Agent is what Blipstream calls itself to upstreams.
const Agent = "blipstream"

// Dial makes a connection, as net.Dialer.DialContext does.
type Dial func(ctx context.Context, network, addr string) (net.Conn, error)

// NetDial is the Dial of the real network.
func NetDial() Dial {
	return (&net.Dialer{Timeout: connectTimeout, KeepAlive: connectTimeout}).DialContext
}

// Client makes a client for connections that never end. dial nil means the
// real network. It follows no redirect and asks for no compression.
func Client(dial Dial) *http.Client {
	if dial == nil {
		dial = NetDial()
	}
	return &http.Client{
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         dial,
			TLSHandshakeTimeout: connectTimeout,
			ReadBufferSize:      readBytes,
			DisableKeepAlives:   true, // a stream's connection is never used twice
			DisableCompression:  true, // who asks for it undoes it, below the watchdog
		},
		// A stream that has moved is a configuration to correct, and a
		// credential must not follow to a place nobody named.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// IsLoopback reports whether what is sent to host stays on this machine.
func IsLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
