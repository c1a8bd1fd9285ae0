package simulate

import (
	"compress/gzip"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// output is a response that is written piece by piece, each of which the
// client has at once.
type output struct {
	w      http.ResponseWriter
	rc     *http.ResponseController
	zip    *gzip.Writer // nil: plain
	single bool         // write byte by byte

	hijacked bool // the connection is no longer net/http's
}

func newOutput(w http.ResponseWriter, r *http.Request) *output {
	out := &output{w: w, rc: http.NewResponseController(w)}
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		out.zip = gzip.NewWriter(w)
	}
	return out
}

// open sends the headers.
func (o *output) open() error {
	o.w.Header().Set("Content-Type", "application/json")
	// The connection is of no use to another request: a deadline may be on it.
	o.w.Header().Set("Connection", "close")
	if o.zip != nil {
		o.w.Header().Set("Content-Encoding", "gzip")
	}
	o.w.WriteHeader(http.StatusOK)
	return o.rc.Flush()
}

// write sends b to the client.
func (o *output) write(b []byte) error {
	step := len(b)
	if o.single {
		step = 1
	}
	for ; len(b) > 0; b = b[step:] {
		if err := o.send(b[:step]); err != nil {
			return fmt.Errorf("simulate: write to client: %w", err)
		}
	}
	return nil
}

func (o *output) send(b []byte) error {
	if o.zip == nil {
		if _, err := o.w.Write(b); err != nil { //nolint:gosec // the response is JSON made here, and no page
			return err
		}
		return o.rc.Flush()
	}
	if _, err := o.zip.Write(b); err != nil {
		return err
	}
	if err := o.zip.Flush(); err != nil {
		return err
	}
	return o.rc.Flush()
}

// deadline bounds writes that are going on. Where the connection does not
// support it, the client's leaving ends them.
func (o *output) deadline(at time.Time) { _ = o.rc.SetWriteDeadline(at) }

// close ends the response as it should. A client that is gone does not see it.
func (o *output) close() {
	if o.zip != nil && !o.hijacked {
		_ = o.zip.Close()
	}
}

// hijack takes the connection away from net/http.
func (o *output) hijack() (net.Conn, error) {
	conn, _, err := o.rc.Hijack()
	if err != nil {
		return nil, fmt.Errorf("simulate: take over connection: %w", err)
	}
	o.hijacked = true
	return conn, nil
}
