package embedded

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
)

// logger writes the server's log lines to slog and remembers the first fatal
// one. The server's own logger ends the process there, also for a port that is
// taken.
type logger struct {
	log *slog.Logger

	mu    sync.Mutex
	fatal string
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
func (l *logger) Errorf(format string, v ...any) { l.write(slog.LevelError, format, v) }

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
