package conf

import (
	"fmt"
	"io"
	"log/slog"
)

// Log is the logging part of a program's flags.
type Log struct {
	Level  string `name:"log-level"  default:"info" enum:"debug,info,warn,error" help:"Least severe log line to write (${enum})."`
	Format string `name:"log-format" default:"text" enum:"text,json" help:"Form of log lines (${enum})."`
}

// Logger makes the logger the flags ask for, writing to w.
func (l Log) Logger(w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(l.Level)); err != nil {
		return nil, fmt.Errorf("conf: read log level: %w", err)
	}
	opts := &slog.HandlerOptions{Level: level}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, opts)), nil
	}
	return slog.New(slog.NewTextHandler(w, opts)), nil
}

// NATS is the part of a program's flags that says how to reach the server.
type NATS struct {
	URL  string `name:"nats"      default:"nats://127.0.0.1:4222" help:"URL of the NATS server, or several separated by commas; tls:// wants TLS."`
	CA   string `name:"nats-ca"   placeholder:"FILE" help:"Certificates, in PEM, that the NATS server's must be signed by; those of the system by default."`
	NKey string `name:"nats-nkey" placeholder:"FILE" help:"Seed of the nkey that the NATS server knows this user by."`
}

// Common is what every service's own program understands besides its Config.
type Common struct {
	Log     `embed:""`
	NATS    NATS   `embed:""`
	Ensure  bool   `name:"ensure" default:"true" negatable:"" help:"Make streams, consumers and buckets that are missing. Off where they have one owner."`
	Admin   string `name:"admin-addr" default:"127.0.0.1:0" help:"Address that serves /healthz, /readyz and /metrics."`
	Version bool   `name:"version" help:"Print the version and exit."`
}
