package sse

import (
	"errors"
	"strconv"
	"strings"
)

// ID is an event's id on the wire, "<epoch>-<sequence>".
type ID struct {
	// Epoch is the incarnation of the stream: lower-case letters and digits.
	Epoch string
	// Seq is the sequence in it; 0 is the position before the first event.
	Seq uint64
}

// maxEpoch bounds an epoch's length. Ours are times in base 36: 13 characters
// for nanoseconds.
const maxEpoch = 32

var errID = errors.New(`an event id reads "<epoch>-<sequence>"`)

// ParseID reads an id.
func ParseID(s string) (ID, error) {
	epoch, seq, ok := strings.Cut(s, "-")
	if !ok || !validEpoch(epoch) || !digits(seq) {
		return ID{}, errID
	}
	n, err := strconv.ParseUint(seq, 10, 64)
	if err != nil || n == 1<<64-1 { // one more must fit
		return ID{}, errID
	}
	return ID{Epoch: epoch, Seq: n}, nil
}

// Append appends the id's wire form.
func (id ID) Append(dst []byte) []byte {
	dst = append(append(dst, id.Epoch...), '-')
	return strconv.AppendUint(dst, id.Seq, 10)
}

// String is the id's wire form.
func (id ID) String() string { return string(id.Append(nil)) }

func validEpoch(s string) bool {
	if s == "" || len(s) > maxEpoch {
		return false
	}
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') {
			return false
		}
	}
	return true
}

func digits(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return s != ""
}
