package upstream

import (
	"context"
	"io"
	"net"
	"time"

	"github.com/blipstream/blipstream/services/ingest/source"
)

// Watchdog gives a connection up that was waited for too long. Time in which
// nobody waits for the upstream, because the bus takes no more, does not count.
type Watchdog struct {
	after  time.Duration
	timer  *time.Timer
	cancel context.CancelCauseFunc
}

// NewWatchdog makes a watchdog and the context that it ends, with the cause
// source.ErrStalled, after a wait longer than after. Stop it.
func NewWatchdog(ctx context.Context, after time.Duration) (*Watchdog, context.Context) {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(after, func() { cancel(source.ErrStalled) })
	timer.Stop()
	return &Watchdog{after, timer, cancel}, ctx
}

// Watch starts the wait anew.
func (w *Watchdog) Watch() { w.timer.Reset(w.after) }

// Rest ends the wait.
func (w *Watchdog) Rest() { w.timer.Stop() }

// Stop ends the watchdog and its context.
func (w *Watchdog) Stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// Reader is in with each of its reads watched.
func (w *Watchdog) Reader(in io.Reader) io.Reader { return watchedReader{in, w} }

// Conn is c with each of its reads watched, so that every byte counts as a sign
// of life, those of a handshake and of control frames included. It suits
// protocols whose connection is read only while somebody waits for a message.
func (w *Watchdog) Conn(c net.Conn) net.Conn { return watchedConn{c, w} }

type watchedReader struct {
	in  io.Reader
	dog *Watchdog
}

// Read implements io.Reader.
func (r watchedReader) Read(p []byte) (int, error) {
	r.dog.Watch()
	defer r.dog.Rest()
	return r.in.Read(p)
}

type watchedConn struct {
	net.Conn
	dog *Watchdog
}

// Read implements net.Conn.
func (c watchedConn) Read(p []byte) (int, error) {
	c.dog.Watch()
	defer c.dog.Rest()
	return c.Conn.Read(p)
}
