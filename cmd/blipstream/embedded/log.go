package embedded

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
)

// logger writes the server's log lines to slog and remembers the first fatal
// one. The server's own logger ends the process there, also for a port that is
// taken.
type logger struct {
	log *slog.Logger
	// broken receives the first line about a write that failed; those that come
	// before it has been read are more of the same.
	broken chan string

	mu    sync.Mutex
	fatal string
}

func newLogger(log *slog.Logger) *logger {
	return &logger{log: log, broken: make(chan string, 1)}
}

// criticalWrite is how the server says, of a stream or a consumer, that it
// stores no more. It says so while it holds locks, so nothing may be asked of
// it there.
const criticalWrite = "critical write error"

// begin forgets what kept an earlier server from starting.
func (l *logger) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fatal = ""
}

// failure is the first fatal line, or "".
func (l *logger) failure() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fatal
}

func (l *logger) write(level slog.Level, format string, v []any) {
	if l.log.Enabled(context.Background(), level) {
		l.log.LogAttrs(context.Background(), level, "nats-server", slog.String("line", fmt.Sprintf(format, v...)))
	}
}

// Noticef implements server.Logger. Its notices are a page of banner.
func (l *logger) Noticef(format string, v ...any) { l.write(slog.LevelDebug, format, v) }

// Warnf implements server.Logger.
func (l *logger) Warnf(format string, v ...any) { l.write(slog.LevelWarn, format, v) }

// Errorf implements server.Logger.
func (l *logger) Errorf(format string, v ...any) {
	l.write(slog.LevelError, format, v)
	if strings.Contains(format, criticalWrite) {
		select {
		case l.broken <- fmt.Sprintf(format, v...):
		default:
		}
	}
}

// Debugf implements server.Logger.
func (l *logger) Debugf(format string, v ...any) { l.write(slog.LevelDebug, format, v) }

// Tracef implements server.Logger.
func (l *logger) Tracef(format string, v ...any) { l.write(slog.LevelDebug, format, v) }

// Fatalf implements server.Logger: it records, and leaves the exit to Start.
func (l *logger) Fatalf(format string, v ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fatal == "" {
		l.fatal = fmt.Sprintf(format, v...)
	}
}
