package sse

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
)

// Event is one event.
type Event struct {
	// Name is the event field; empty for a "message".
	Name string
	// ID is the last event id as of this event, and Own says that the event
	// told it itself.
	ID  string
	Own bool
	// Data is the data fields' values joined by line feeds. It is the
	// receiver's to keep.
	Data []byte
	// Size is how many bytes the data has; more than len(Data) if Cut.
	Size int
	// Cut says that the data was longer than the limit: Data is its beginning.
	Cut bool
	// Open says that the stream ended before the event did.
	Open bool
}

// readSize is how many bytes are read at once, at most.
const readSize = 64 << 10

// Reader takes a stream of events apart. Lines may end in LF, CR LF or CR, a
// byte order mark may come first; comments, also those that no blank line
// follows (Mastodon's ":thump"), leave no trace.
type Reader struct {
	in    *bufio.Reader
	limit int

	begun  bool // the stream's first bytes have been looked at
	skipLF bool // the last line ended in CR: an LF that follows belongs to it
	line   []byte
	length int // of the line; more than len(line) if that was cut
	now    Event
	data   bool // the event has a data field
	id     string
	retry  time.Duration
}

// NewReader reads events of at most limit bytes from in. from is the last event
// id of an earlier connection; empty if there was none.
func NewReader(in io.Reader, limit int, from string) *Reader {
	return &Reader{in: bufio.NewReaderSize(in, readSize), limit: limit, id: from}
}

// Retry is how long the upstream asked to wait before the next connection; 0
// if it did not say.
func (r *Reader) Retry() time.Duration { return r.retry }

// Next returns the next event with data, or the error that ended the stream:
// io.EOF at its regular end. An event that the end cut short comes first.
func (r *Reader) Next() (Event, error) {
	for {
		if err := r.readLine(); err != nil {
			if !errors.Is(err, io.EOF) {
				return Event{}, err
			}
			return r.last()
		}
		if r.length > 0 {
			r.field()
		} else if ev, ok := r.finish(); ok {
			return ev, nil
		}
	}
}

// last returns the event that the end of the stream cut short, or io.EOF.
func (r *Reader) last() (Event, error) {
	if r.length > 0 {
		r.field()
		r.length = 0
	}
	ev, ok := r.finish()
	if !ok {
		return Event{}, io.EOF
	}
	ev.Open = true
	return ev, nil
}

// readLine reads a line, without its end, as much of it as the limit allows.
func (r *Reader) readLine() error {
	r.line, r.length = r.line[:0], 0
	for {
		p, err := r.peek()
		if err != nil {
			return err
		}
		end := bytes.IndexByte(p, '\n')
		if cr := bytes.IndexByte(p[:max(end, 0)], '\r'); cr >= 0 {
			end = cr
		} else if end < 0 {
			end = bytes.IndexByte(p, '\r')
		}
		if end < 0 {
			r.keep(p)
			continue
		}
		r.skipLF = p[end] == '\r'
		r.keep(p[:end])
		_, _ = r.in.Discard(1) // it is in the buffer
		return nil
	}
}

// peek returns what there is to read, at least a byte, without what belongs to
// the line or the stream before it.
func (r *Reader) peek() ([]byte, error) {
	for {
		if !r.begun {
			r.begun = true
			r.skipMark()
		}
		if _, err := r.in.Peek(1); err != nil {
			return nil, err
		}
		p, err := r.in.Peek(r.in.Buffered())
		if err != nil {
			return nil, err
		}
		if !r.skipLF || p[0] != '\n' {
			r.skipLF = false
			return p, nil
		}
		r.skipLF = false
		_, _ = r.in.Discard(1) // it is in the buffer
	}
}

// skipMark passes over a byte order mark. The first byte decides whether two
// more are waited for, so that a short first line does not have to wait.
func (r *Reader) skipMark() {
	const mark = "\ufeff"
	if p, err := r.in.Peek(1); err != nil || p[0] != mark[0] {
		return
	}
	if p, err := r.in.Peek(len(mark)); err == nil && string(p) == mark {
		_, _ = r.in.Discard(len(mark)) // it is in the buffer
	}
}

// keep takes p, which is in the buffer, into the line. The field's name comes
// on top of the limit of its value.
func (r *Reader) keep(p []byte) {
	const name = len("data: ")
	if room := r.limit + name - len(r.line); room > 0 {
		r.line = append(r.line, p[:min(room, len(p))]...)
	}
	r.length += len(p)
	_, _ = r.in.Discard(len(p)) // it is in the buffer
}

// field heeds the line.
func (r *Reader) field() {
	name, value, _ := bytes.Cut(r.line, []byte{':'})
	value = bytes.TrimPrefix(value, []byte{' '})
	switch string(name) {
	case "data":
		r.addData(value, r.length-len(r.line))
	case "event":
		r.now.Name = string(value)
	case "id":
		if !bytes.ContainsFunc(value, unsendable) {
			r.id, r.now.Own = string(value), true
		}
	case "retry":
		r.setRetry(string(value))
	default: // a comment, or what a later standard may mean something by
	}
}

// unsendable reports whether a character cannot be in a header. An id with one is
// taken for none, as the standard has it for NUL alone: the request that goes on
// behind it could never be made.
func unsendable(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }

// maxRetry is the longest wait that retry: is obeyed in, as long as an
// upstream's window of limits.
const maxRetry = 15 * time.Minute

// setRetry takes a number of milliseconds.
func (r *Reader) setRetry(value string) {
	if strings.Trim(value, "0123456789") != "" {
		return
	}
	if ms, err := strconv.ParseInt(value, 10, 64); err == nil {
		r.retry = min(time.Duration(min(ms, maxRetry.Milliseconds()))*time.Millisecond, maxRetry)
	}
}

// addData adds a line of data of which missing bytes were not kept.
func (r *Reader) addData(value []byte, missing int) {
	if r.data {
		r.now.Size++
		if len(r.now.Data) < r.limit {
			r.now.Data = append(r.now.Data, '\n')
		}
	}
	r.data = true
	room := r.limit - len(r.now.Data)
	r.now.Data = append(r.now.Data, value[:min(room, len(value))]...)
	r.now.Size += len(value) + missing
	r.now.Cut = r.now.Size > r.limit
}

// finish ends the event at hand and tells whether there was one.
func (r *Reader) finish() (ev Event, ok bool) {
	ev, ok = r.now, r.data && r.now.Size > 0
	ev.ID = r.id
	r.now, r.data = Event{}, false
	return ev, ok
}
