package webhook

import (
	"errors"
	"io"
	"sync/atomic"
)

// errFull refuses a body for which there is no room.
var errFull = errors.New("not taken: too many bodies are being taken; send it again later")

// Room bounds the bytes of bodies that are held at once, from their first byte
// until what became of their items is known: any number of senders may be slow,
// or send more than is stored meanwhile.
type Room struct{ left atomic.Int64 }

// NewRoom makes room for so many bytes. What is made of them while they are
// held, copies included, takes up to three times that.
func NewRoom(bytes int64) *Room {
	r := &Room{}
	r.left.Store(bytes)
	return r
}

// take takes room for n bytes; false if there is none.
func (r *Room) take(n int64) bool {
	if r.left.Add(-n) >= 0 {
		return true
	}
	r.left.Add(n)
	return false
}

// held is a body that takes room as it is read, so that one that is announced
// and does not come takes none.
type held struct {
	in    io.Reader
	room  *Room
	bytes int64
}

// Read implements io.Reader.
func (h *held) Read(p []byte) (int, error) {
	n, err := h.in.Read(p)
	if !h.room.take(int64(n)) {
		return 0, errFull
	}
	h.bytes += int64(n)
	return n, err
}

// giveBack gives back what was taken.
func (h *held) giveBack() { h.room.left.Add(h.bytes) }
