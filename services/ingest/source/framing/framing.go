package framing

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/blipstream/blipstream/services/ingest/source/peek"
)

// Mode says what ends a message.
type Mode uint8

// The modes.
const (
	// Auto is CRLF, unless the stream proves to end its messages with a bare LF.
	Auto Mode = iota
	// CRLF ends a message at CR LF only.
	CRLF
	// LF ends a message at LF, and takes a CR before it away.
	LF
	// Delimited expects the length of each message, in bytes and in decimal, on
	// a line before it; a line that is not a length is a message itself.
	Delimited

	// looseLF is Auto after proof of LF.
	looseLF
)

const (
	// readSize is how many bytes are read at once, at most.
	readSize = 64 << 10
	// keepBuffer is the largest buffer that is kept for the next message.
	keepBuffer = 1 << 20
)

// Frame is one message.
type Frame struct {
	// Data is the message without what separates messages. It is valid until
	// the next call of Next.
	Data []byte
	// Size is the message's whole length in bytes, separators included.
	Size int64
	// Cut says that the message was longer than the limit: Data is its beginning.
	Cut bool
	// Open says that the stream ended before the message did.
	Open bool
}

// Reader reads messages. Blank ones, which are keep-alives, are skipped.
type Reader struct {
	in   *bufio.Reader
	mode Mode
	max  int

	buf    []byte // the current message, as much of it as is kept
	size   int64  // its length so far
	prev   byte   // the last byte taken
	want   int64  // what is missing of a delimited message, 0 while its length is awaited
	offset int64
	auto   auto
	ready  [3]Frame // made but not handed out: those from given to made
	given  int
	made   int
	err    error
}

// New reads messages of at most limit bytes from in.
func New(in io.Reader, mode Mode, limit int) *Reader {
	return &Reader{in: bufio.NewReaderSize(in, readSize), mode: mode, max: limit}
}

// Next returns the next message, or the error that ended the stream: io.EOF at
// its regular end. A message that the end cut short comes first.
func (r *Reader) Next() (Frame, error) {
	for r.given == r.made {
		if r.err != nil {
			return Frame{}, r.err
		}
		r.read()
	}
	r.given++
	return r.ready[r.given-1], nil
}

// Offset is how many bytes of the stream the messages handed out so far and
// their separators took. It is exact in the mode LF.
func (r *Reader) Offset() int64 { return r.offset }

// read takes one piece of the stream: up to a line's end, or what there is.
func (r *Reader) read() {
	if r.size == 0 {
		r.reset()
	}
	var err error
	if r.want > 0 {
		err = r.readWanted()
	} else {
		err = r.readLine()
	}
	if err != nil {
		r.finish(true)
		r.err = err
	}
}

// readLine takes bytes up to the next LF, or a buffer full of them.
func (r *Reader) readLine() error {
	p, err := r.in.ReadSlice('\n')
	prev := r.prev
	r.take(p)
	if errors.Is(err, bufio.ErrBufferFull) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(p) > 1 {
		prev = p[len(p)-2]
	}
	r.lineEnd(prev == '\r')
	return nil
}

// readWanted takes bytes of a delimited message.
func (r *Reader) readWanted() error {
	if _, err := r.in.Peek(1); err != nil {
		return err
	}
	n := int(min(int64(r.in.Buffered()), r.want))
	p, err := r.in.Peek(n)
	if err != nil {
		return err
	}
	r.take(p)
	r.want -= int64(n)
	if _, err := r.in.Discard(n); err != nil {
		return err
	}
	if r.want == 0 {
		r.finish(false)
	}
	return nil
}

// take adds p to the current message.
func (r *Reader) take(p []byte) {
	if len(p) == 0 {
		return
	}
	if room := r.max + 2 - len(r.buf); room > 0 {
		r.buf = append(r.buf, p[:min(room, len(p))]...)
	}
	r.size += int64(len(p))
	r.offset += int64(len(p))
	r.prev = p[len(p)-1]
	if r.mode == Auto {
		r.auto.feed(p)
	}
}

// lineEnd decides what an LF, with a CR before it or not, means.
func (r *Reader) lineEnd(cr bool) {
	switch {
	case r.blank():
		r.reset()
	case r.mode == Delimited:
		r.length()
	case r.mode == LF:
		r.finish(false)
	case cr:
		r.mode = CRLF
		r.finish(false)
	case r.mode == looseLF:
		r.finish(false)
	case r.mode == Auto:
		r.decide()
	}
}

// length starts the message whose length the current line tells.
func (r *Reader) length() {
	n, ok := parseLength(trim(r.buf))
	if !ok {
		r.finish(false)
		return
	}
	r.reset()
	r.want = n
}

// finish hands out the current message.
func (r *Reader) finish(open bool) {
	if r.blank() {
		r.reset()
		return
	}
	r.hand(r.buf, r.size, open)
	r.size = 0
}

// hand makes a Frame of data, the beginning of size bytes, ready to hand out.
func (r *Reader) hand(data []byte, size int64, open bool) {
	cut := size > int64(len(data))
	data = bytes.TrimSuffix(bytes.TrimSuffix(data, []byte("\n")), []byte("\r"))
	if r.mode != LF {
		data = bytes.TrimLeft(data, "\r\n")
	}
	if len(data) > r.max {
		data, cut = data[:r.max], true
	}
	r.ready[r.made] = Frame{Data: data, Size: size, Cut: cut, Open: open}
	r.made++
}

// blank reports whether the current message is nothing but white space.
func (r *Reader) blank() bool {
	return r.size <= int64(len(r.buf)) && len(trim(r.buf)) == 0
}

// trim takes JSON's white space from both ends. Other white space, such as a
// no-break space, is no keep-alive but a message, if a bad one.
func trim(b []byte) []byte { return bytes.Trim(b, " \t\r\n") }

// reset starts a new message.
func (r *Reader) reset() {
	if cap(r.buf) > keepBuffer {
		r.buf = nil
	}
	r.buf, r.size, r.prev = r.buf[:0], 0, 0
	r.auto = auto{}
	r.given, r.made = 0, 0
}

// maxLength is the longest message a length is believed for: what claims more
// is not a length, and to wait for its end would be to wait for ever.
const maxLength = 1 << 30

// parseLength reads a decimal number of bytes, 1 to maxLength.
func parseLength(line []byte) (n int64, ok bool) {
	if len(line) == 0 || len(line) > len("1073741824") {
		return 0, false
	}
	for _, c := range line {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, n > 0 && n <= maxLength
}

// auto is what the mode Auto knows of the current message.
type auto struct {
	whole, line peek.Balance
	// start and lastStart are where the current line and the one before begin.
	start, lastStart int64
	// last says that the line before is complete by itself.
	last bool
}

func (a *auto) feed(p []byte) {
	a.whole.Feed(p)
	a.line.Feed(p)
}

// decide looks for proof, at a bare LF, that the stream ends messages so.
func (r *Reader) decide() {
	a := &r.auto
	kept := r.size <= int64(len(r.buf))
	switch {
	case a.whole.Whole():
		r.mode = looseLF
		r.finish(false)
	case a.line.Whole() && a.last && kept:
		r.mode = looseLF
		r.split(int(a.lastStart), int(a.start))
	case a.line.Whole() && a.last:
		r.mode = looseLF
		r.finish(false)
	default:
		a.last = a.line.Whole()
		a.lastStart, a.start = a.start, r.size
		a.line = peek.Balance{}
	}
}

// split hands out the current message as three: what came before the two
// lines that are messages by themselves, and these.
func (r *Reader) split(second, third int) {
	for _, part := range [][]byte{r.buf[:second], r.buf[second:third], r.buf[third:]} {
		if len(trim(part)) > 0 {
			r.hand(part, int64(len(part)), false)
		}
	}
	r.size = 0
}
