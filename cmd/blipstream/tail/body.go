package tail

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// maxEvent is the largest event that is read, in bytes: twice the largest
// message a Blipstream bus carries.
const maxEvent = 16 << 20

// headTimeout bounds the wait for the head of the answer.
const headTimeout = 10 * time.Second

// transport watches the bodies of its answers and mends them.
type transport struct {
	base   *http.Transport
	idle   time.Duration
	cancel context.CancelCauseFunc
}

// newTransport makes a transport that cancels with errIdle when a body has
// been silent for idle.
func newTransport(idle time.Duration, cancel context.CancelCauseFunc) *transport {
	return &transport{
		base: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			ResponseHeaderTimeout: headTimeout,
			TLSHandshakeTimeout:   headTimeout,
			// A compressed stream may sit in the decoder's window.
			DisableCompression: true,
		},
		idle: idle, cancel: cancel,
	}
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	resp.Body = &body{
		inner: resp.Body,
		whole: isStream(resp),
		idle:  t.idle,
		timer: time.AfterFunc(t.idle, func() { t.cancel(errIdle) }),
		fail:  t.cancel,
		chunk: make([]byte, 32<<10),
	}
	return resp, nil
}

// body is watched for silence. Of an event stream it gives out whole events
// only: the event that a connection breaks in
// would else be taken for one, and its id would be resumed from.
type body struct {
	inner io.ReadCloser
	whole bool
	idle  time.Duration
	timer *time.Timer
	fail  context.CancelCauseFunc

	chunk []byte
	// buf holds what was read; its first ready bytes are whole events.
	buf   []byte
	ready int
	err   error
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if !b.whole {
		return b.inner.Read(p)
	}
	for b.ready == 0 {
		if b.err != nil {
			return 0, b.err
		}
		b.fill()
	}
	n := copy(p, b.buf[:b.ready])
	b.buf = b.buf[n:]
	b.ready -= n
	return n, nil
}

// fill reads once and looks for the end of the last whole event.
func (b *body) fill() {
	n, err := b.inner.Read(b.chunk)
	b.err = err
	if n > 0 {
		b.timer.Reset(b.idle)
	}
	// A blank line is three bytes at most, and may lie across two reads.
	from := max(0, len(b.buf)-2)
	b.buf = append(b.buf, b.chunk[:n]...)
	if end := lastBlank(b.buf[from:]); end > 0 {
		b.ready = from + end
	} else if len(b.buf) > maxEvent {
		b.err = fmt.Errorf("tail: read stream: an event is larger than %d MiB", maxEvent>>20)
		b.fail(&fatalError{b.err})
	}
}

// lastBlank is the index after the last blank line of p, or 0.
func lastBlank(p []byte) int {
	end := 0
	for _, blank := range []string{"\n\n", "\n\r\n", "\r\r"} {
		if i := bytes.LastIndex(p, []byte(blank)); i >= 0 {
			end = max(end, i+len(blank))
		}
	}
	return end
}

// Close implements io.Closer.
func (b *body) Close() error {
	b.timer.Stop()
	return b.inner.Close()
}
