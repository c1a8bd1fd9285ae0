package bluesky

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/blipstream/blipstream/services/ingest/source/peek"
)

// event is what must be known of an event: what it is called and where it lies.
type event struct {
	us   int64
	seq  uint64
	kind string
	did  string
	// failed is the name of the error that a frame of the second wire tells,
	// before the instance ends the connection.
	failed string
	// outdated says that it is the second wire's word for a cursor whose events
	// are gone.
	outdated bool
	parts
}

// parts are the names of a commit, and of the others the number that the
// network gave them.
type parts struct {
	collection, rkey, rev, operation, told string
}

// identify reads an event of either wire. What it cannot follow stays empty.
func identify(data []byte) (e event) {
	peek.Object(data, func(key, value []byte) bool {
		switch string(key) {
		case "did":
			e.did = string(peek.Text(value))
		case "time_us":
			e.us = number(value)
		case "cursor":
			e.seq = uint64(number(value))
		case "kind":
			e.kind = string(peek.Text(value))
		case "commit":
			e.read(value)
		case "identity", "account":
			e.told = peek.Digits(peek.Field(value, "seq"))
		case "payload":
			e.second(value)
		case "error":
			e.failed = string(peek.Text(value))
		}
		return true
	})
	return e
}

// second reads the payload of a frame of the second wire.
func (e *event) second(payload []byte) {
	peek.Object(payload, func(key, value []byte) bool {
		switch string(key) {
		case "$type":
			_, e.kind, _ = strings.Cut(string(peek.Text(value)), "#")
		case "did":
			e.did = string(peek.Text(value))
		case "seq":
			e.seq = uint64(number(value))
		case "name":
			e.outdated = string(peek.Text(value)) == "OutdatedCursor"
		case "identity", "account":
			e.told = peek.Digits(peek.Field(value, "seq"))
		case "time":
			if t, err := time.Parse(time.RFC3339Nano, string(peek.Text(value))); err == nil {
				e.us = t.UnixMicro()
			}
		}
		return true
	})
	e.read(payload)
}

// read reads the names of a commit.
func (e *event) read(object []byte) {
	peek.Object(object, func(key, value []byte) bool {
		switch string(key) {
		case "collection":
			e.collection = string(peek.Text(value))
		case "rkey":
			e.rkey = string(peek.Text(value))
		case "rev":
			e.rev = string(peek.Text(value))
		case "operation":
			e.operation = string(peek.Text(value))
		}
		return true
	})
}

// number reads a whole number that is not negative; 0 if it is anything else.
func number(value []byte) int64 {
	n, err := strconv.ParseInt(peek.Digits(value), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// id names the event; data is hashed where its parts do not.
func (e *event) id(data []byte) string {
	id := ""
	switch {
	case e.did == "":
	case e.collection != "" && e.rkey != "" && e.rev != "" && e.operation != "":
		id = e.did + "/" + e.collection + "/" + e.rkey + "/" + e.rev + "/" + e.operation
	case e.kind != "" && e.told != "":
		id = e.did + "/" + e.kind + "/" + e.told
	}
	if id != "" && usable(id) {
		return id
	}
	sum := sha256.Sum256(data)
	return "sha-" + hex.EncodeToString(sum[:16])
}

// maxID bounds what becomes part of a header. The longest DID that is in use
// and the longest record key together stay below it.
const maxID = 1024

// usable reports whether s may be part of a header.
func usable(s string) bool {
	return len(s) <= maxID && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}
