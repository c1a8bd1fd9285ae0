package embedded

import (
	"log/slog"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// DefaultPort is the one that NATS clients try by themselves.
const DefaultPort = 4222

// Ports with a meaning of their own, for Options.Port.
const (
	// PortFree takes any free port.
	PortFree = 0
	// PortPreferred takes DefaultPort if it is free, else any.
	PortPreferred = -1
)

// host is where the server listens: there is no password, so this machine only.
const host = "127.0.0.1"

// MaxPayload is the largest message in bytes. The server's own default, 1 MiB,
// is less than some upstreams send; above 8 MiB it warns.
const MaxPayload = 8 << 20

// SyncInterval is how often files are forced to disk unless SyncAlways is set.
// The server's own default is two minutes.
const SyncInterval = 10 * time.Second

// maxMemory bounds streams that are kept in memory, in bytes. Blipstream's own
// are on disk; this leaves room for what somebody tries by hand.
const maxMemory = 64 << 20

// readyTimeout bounds the start, in which the server checks all its files.
const readyTimeout = 30 * time.Second

// Options says how to start.
type Options struct {
	// Dir is the data directory; it is made if missing.
	Dir string
	// Port to listen on, PortFree or PortPreferred.
	Port int
	// SyncAlways forces every message to disk before it is acknowledged.
	SyncAlways bool
	// Log receives the server's log lines; its notices are debug lines here.
	Log *slog.Logger
}

// server turns o into the server's own options. store is its ceiling in bytes.
func (o Options) server(port int, store int64) *server.Options {
	return &server.Options{
		ServerName:         "blipstream",
		Host:               host,
		Port:               port,
		MaxPayload:         MaxPayload,
		JetStream:          true,
		StoreDir:           o.Dir,
		JetStreamMaxMemory: maxMemory,
		JetStreamMaxStore:  store,
		SyncInterval:       SyncInterval,
		SyncAlways:         o.SyncAlways,
		NoSigs:             true,
	}
}
