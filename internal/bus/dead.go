package bus

import (
	"maps"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/blipstream/blipstream/internal/feed"
)

const (
	// maxErrorBytes bounds HeaderError: enough for a cause, too little for a payload.
	maxErrorBytes = 512
	// maxTokenBytes bounds the tokens of a dead letter's subject.
	maxTokenBytes = 64
	// deadIDPrefix starts the message ids of dead letters.
	deadIDPrefix = "dead:"
	// maxHeaderBytes bounds the original's headers in a letter. A stream takes
	// 64 KiB of them, and the letter adds its own.
	maxHeaderBytes = 32 << 10
	// wireSlack is room for what is added to a message on its way: the id, the
	// expected stream, the part, and the lines around headers.
	wireSlack = 512
)

// Dead is something that could not be handled, to be kept.
type Dead struct {
	// Stage and Reason make the subject, dead.<stage>.<reason>; what cannot
	// stand in a subject is replaced by _.
	Stage, Reason string
	// Subject is where it came from or was meant for, and Item its id within its
	// source; both are needed to put it back, and may be empty where unknown.
	Subject, Item string
	// ID makes the letter unique: the same failure is kept once.
	ID string
	// Err is what was wrong; its text goes into HeaderError.
	Err error
	// Header and Data are the original's. Headers of NATS' own are left out.
	Header Header
	Data   []byte
	// StreamSeq and Deliveries are 0 for what never was in a stream.
	StreamSeq, Deliveries uint64
}

// Letters turns d into the messages that keep it: one, or several parts
// (HeaderPart) if it is larger than the server takes. Publish them like others.
func (c *Conn) Letters(d Dead) []Msg { return letters(d, c.MaxPayload()) }

func letters(d Dead, maxPayload int64) []Msg {
	h := deadHeader(d, maxPayload)
	room := max(int(maxPayload)-headerBytes(h)-len(d.ID)-wireSlack, 1)
	parts := max((len(d.Data)+room-1)/room, 1)
	subject := feed.DeadSubject(token(d.Stage), token(d.Reason))
	if parts == 1 {
		return []Msg{{Subject: subject, ID: deadIDPrefix + d.ID, Header: h, Data: d.Data}}
	}
	msgs := make([]Msg, 0, parts)
	for i := range parts {
		n := strconv.Itoa(i+1) + "/" + strconv.Itoa(parts)
		ph := cloneHeader(h)
		ph[feed.HeaderPart] = []string{n}
		msgs = append(msgs, Msg{
			Subject: subject, ID: deadIDPrefix + d.ID + ":" + n, Header: ph,
			Data: d.Data[i*room : min((i+1)*room, len(d.Data))],
		})
	}
	return msgs
}

// deadHeader is the original's headers, as far as a stream takes them and they
// leave half of the payload to the data, and what is known about the failure.
func deadHeader(d Dead, maxPayload int64) Header {
	h := Header{}
	for k, v := range d.Header {
		if strings.HasPrefix(strings.ToLower(k), "nats-") || !headerName(k) {
			continue
		}
		h[k] = v
	}
	if int64(headerBytes(h)) > min(maxPayload/2, maxHeaderBytes) {
		h = Header{}
	}
	if d.Err != nil {
		h[feed.HeaderError] = []string{headerText(d.Err.Error())}
	}
	if d.Subject != "" {
		h[feed.HeaderSubject] = []string{headerText(d.Subject)}
	}
	if d.Item != "" {
		h[feed.HeaderItem] = []string{headerText(d.Item)}
	}
	if d.StreamSeq > 0 {
		h[feed.HeaderStreamSeq] = []string{strconv.FormatUint(d.StreamSeq, 10)}
	}
	if d.Deliveries > 0 {
		h[feed.HeaderDeliveries] = []string{strconv.FormatUint(d.Deliveries, 10)}
	}
	return h
}

func cloneHeader(h Header) Header {
	c := make(Header, len(h)+1)
	maps.Copy(c, h)
	return c
}

// headerBytes is the size of headers on the wire: "name: value\r\n".
func headerBytes(h Header) int {
	n := 0
	for k, vs := range h {
		for _, v := range vs {
			n += len(k) + len(v) + len(": \r\n")
		}
	}
	return n
}

// headerName reports whether k may name a header: visible ASCII without a colon.
func headerName(k string) bool {
	for i := range len(k) {
		if k[i] <= ' ' || k[i] >= 0x7f || k[i] == ':' {
			return false
		}
	}
	return k != ""
}

// headerText makes a text fit for a header: one line of bounded length, with
// what cannot be printed replaced.
func headerText(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r < ' ' || r == 0x7f:
			return ' '
		case r == utf8.RuneError:
			return '?'
		}
		return r
	}, s)
	return cutText(strings.TrimSpace(s), maxErrorBytes)
}

// cutText shortens s to at most n bytes, between characters.
func cutText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// token makes a text fit for one token of a subject.
func token(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '_'
	}, cutText(s, maxTokenBytes))
	if s == "" {
		return "_"
	}
	return s
}
