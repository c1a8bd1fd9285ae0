// Package pack compresses a stream once for everybody who reads it.
//
// A client gets a gzip header of its own, and then blocks of deflate (RFC 1951)
// that all clients share. Each block is made with fresh history and ends with a
// sync flush, on a byte border, so that blocks join into one valid stream from
// whichever of them a client begins with. The stream has no end: a gzip trailer
// is a checksum of all that one client was sent, and what ends a stream of
// events is the end of the connection.
package pack

import (
	"bytes"
	"fmt"

	"github.com/klauspost/compress/flate"
)

// level is the effort. Higher levels save a few per cent on blocks this small
// and cost twice the time.
const level = 3

// maxStored is the largest length of a stored block (RFC 1951, section 3.2.4).
const maxStored = 1<<16 - 1

// smallest is the size from which compressing is worth the work.
const smallest = 256

// AppendHeader appends a gzip header (RFC 1952, section 2.3): deflate, no name,
// no time, system unknown.
func AppendHeader(dst []byte) []byte {
	return append(dst, 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255)
}

// AppendStored appends data as it is, in stored blocks: for the few bytes that
// are meant for one client. An empty block at the end makes readers hand out
// what they have, as after a sync flush; some, such as Go's, would keep it.
func AppendStored(dst, data []byte) []byte {
	if len(data) == 0 {
		return dst
	}
	for len(data) > 0 {
		n := min(len(data), maxStored)
		dst = append(dst, 0, byte(n), byte(n>>8), byte(^n), byte(^n>>8))
		dst = append(dst, data[:n]...)
		data = data[n:]
	}
	return append(dst, 0, 0, 0, 0xff, 0xff)
}

// Writer makes blocks. It keeps its working memory (about 1 MiB) between them.
// It is for one goroutine at a time.
type Writer struct {
	flate *flate.Writer
	out   bytes.Buffer
}

// Append appends data as one block, or as stored blocks where that is shorter.
func (w *Writer) Append(dst []byte, runs ...[]byte) ([]byte, error) {
	total := 0
	for _, run := range runs {
		total += len(run)
	}
	if total < smallest {
		for _, run := range runs {
			dst = AppendStored(dst, run)
		}
		return dst, nil
	}
	w.out.Reset()
	if w.flate == nil {
		made, err := flate.NewWriter(&w.out, level)
		if err != nil {
			return dst, fmt.Errorf("pack: make writer: %w", err)
		}
		w.flate = made
	} else {
		w.flate.Reset(&w.out)
	}
	for _, run := range runs {
		if _, err := w.flate.Write(run); err != nil {
			return dst, fmt.Errorf("pack: compress block: %w", err)
		}
	}
	if err := w.flate.Flush(); err != nil {
		return dst, fmt.Errorf("pack: compress block: %w", err)
	}
	return append(dst, w.out.Bytes()...), nil
}
