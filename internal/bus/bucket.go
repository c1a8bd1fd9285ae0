package bus

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Headers of entries of buckets. The value of a lease is its holder, that of a
// cursor the position, so that `nats kv get` shows them.
const (
	headerTerm      = "Blip-Term"
	headerToken     = "Blip-Token"
	headerOperation = "KV-Operation"
	// headerMarker is on what the server leaves where a key has expired.
	headerMarker = "Nats-Marker-Reason"
	deleted      = "DEL"
)

// errConflict is told when a key is no longer at the expected revision.
var errConflict = errors.New("key was written by another")

var keyForm = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

// bucket is one of the key-value buckets. Its keys are the subjects of a
// stream; a key's revision is the sequence of its last message.
type bucket struct {
	conn   *Conn
	name   string
	stream string
}

func (c *Conn) bucket(name string) bucket { return bucket{c, name, "KV_" + name} }

func (b bucket) subject(key string) string { return "$KV." + b.name + "." + key }

// check refuses keys that are not subject tokens.
func (b bucket) check(key string) error {
	if !keyForm.MatchString(key) {
		return fmt.Errorf("key %q must be dotted words of letters, digits, _ and -", key)
	}
	return nil
}

// kvEntry is a key's last message; the zero value is a key never written.
type kvEntry struct {
	rev    uint64
	value  string
	header Header
}

// free reports whether the key has no value: never written, deleted or expired.
func (e kvEntry) free() bool {
	return e.rev == 0 || e.header.Get(headerOperation) != "" || e.header.Get(headerMarker) != ""
}

// get reads a key.
func (b bucket) get(ctx context.Context, key string) (kvEntry, error) {
	s, err := b.conn.directLast(ctx, b.stream, b.subject(key))
	if errors.Is(err, ErrNoMessage) {
		return kvEntry{}, nil
	}
	if err != nil {
		return kvEntry{}, fmt.Errorf("read %s: %w", key, err)
	}
	return kvEntry{s.Seq, string(s.Data), s.Header}, nil
}

// put writes a key if it is still at revision rev (0: does not exist), and
// returns its new revision. errConflict if it is not; any other error leaves
// open whether it was written.
func (b bucket) put(ctx context.Context, key string, rev uint64, e kvEntry, ttl time.Duration) (uint64, error) {
	ctx, cancel := b.conn.short(ctx)
	defer cancel()
	opts := []jetstream.PublishOpt{
		jetstream.WithExpectStream(b.stream), jetstream.WithExpectLastSequencePerSubject(rev), jetstream.WithRetryAttempts(0),
	}
	if ttl > 0 {
		opts = append(opts, jetstream.WithMsgTTL(ttl))
	}
	m := &nats.Msg{Subject: b.subject(key), Header: e.header, Data: []byte(e.value)}
	ack, err := b.conn.js.PublishMsg(ctx, m, opts...)
	if c := code(err); c == jetstream.JSErrCodeStreamWrongLastSequence || c == jetstream.JSErrCodeStreamWrongLastSequenceConstant {
		// The first code comes from a stream with one replica, the second from
		// one with more.
		return 0, fmt.Errorf("write %s: %w", key, errConflict)
	}
	if err != nil {
		return 0, fmt.Errorf("write %s: %w", key, err)
	}
	return ack.Sequence, nil
}
