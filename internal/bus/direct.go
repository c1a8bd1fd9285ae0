package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Headers that a direct get adds to a stored message (NATS ADR-31).
const (
	headerStream     = "Nats-Stream"
	headerSubject    = "Nats-Subject"
	headerSequence   = "Nats-Sequence"
	headerTimeStamp  = "Nats-Time-Stamp"
	headerNumPending = "Nats-Num-Pending"
	headerLastSeq    = "Nats-Last-Sequence"
	headerUpToSeq    = "Nats-UpTo-Sequence"
	headerStatus     = "Status"
)

// Values of headerStatus.
const (
	statusEndOfBatch   = "204"
	statusNotFound     = "404"
	statusNoResponders = "503"
)

// directRequest asks a stream for messages without a consumer (ADR-31).
type directRequest struct {
	Seq       uint64     `json:"seq,omitempty"`
	StartTime *time.Time `json:"start_time,omitempty"`
	LastFor   string     `json:"last_by_subj,omitempty"`
	NextFor   string     `json:"next_by_subj,omitempty"`
	Batch     int        `json:"batch,omitempty"`
	MaxBytes  int        `json:"max_bytes,omitempty"`
}

// ErrNoMessage is told where a stream holds nothing of what was asked for.
var ErrNoMessage = errors.New("no such message")

// directLast reads the last message of a subject; ErrNoMessage if there is none.
func (c *Conn) directLast(ctx context.Context, stream, subject string) (Stored, error) {
	body, err := json.Marshal(directRequest{LastFor: subject})
	if err != nil {
		return Stored{}, err
	}
	ctx, cancel := c.short(ctx)
	defer cancel()
	m, err := c.nc.RequestWithContext(ctx, directSubject(stream), body)
	if err != nil {
		return Stored{}, err
	}
	if status := m.Header.Get(headerStatus); status == statusNotFound {
		return Stored{}, ErrNoMessage
	} else if status != "" {
		return Stored{}, statusError(m)
	}
	return stored(m)
}

// directBatch reads what one request yields. more tells whether the stream
// holds more that matches.
func (c *Conn) directBatch(ctx context.Context, stream string, r directRequest) (msgs []Stored, more bool, err error) {
	body, err := json.Marshal(r)
	if err != nil {
		return nil, false, err
	}
	inbox := c.nc.NewInbox()
	sub, err := c.nc.SubscribeSync(inbox)
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = sub.Unsubscribe() }()
	// The request bounds the answer; nothing of it may be dropped here.
	if err := sub.SetPendingLimits(-1, -1); err != nil {
		return nil, false, err
	}
	if err := c.nc.PublishRequest(directSubject(stream), inbox, body); err != nil {
		return nil, false, err
	}
	for {
		m, err := c.nextDirect(ctx, sub)
		if err != nil {
			return nil, false, err
		}
		switch status := m.Header.Get(headerStatus); status {
		case "":
		case statusEndOfBatch:
			return msgs, m.Header.Get(headerNumPending) != "0", nil
		case statusNotFound:
			return nil, false, nil
		default:
			return nil, false, statusError(m)
		}
		s, err := stored(m)
		if err != nil {
			return nil, false, err
		}
		msgs = append(msgs, s)
	}
}

// nextDirect waits for the next message of a batch.
func (c *Conn) nextDirect(ctx context.Context, sub *nats.Subscription) (*nats.Msg, error) {
	ctx, cancel := c.short(ctx)
	defer cancel()
	return sub.NextMsgWithContext(ctx)
}

func directSubject(stream string) string { return "$JS.API.DIRECT.GET." + stream }

func statusError(m *nats.Msg) error {
	status := m.Header.Get(headerStatus)
	if status == statusNoResponders {
		return nats.ErrNoResponders
	}
	return fmt.Errorf("server answers %s %s", status, m.Header.Get("Description"))
}

// stored takes the answer to a direct get apart.
func stored(m *nats.Msg) (Stored, error) {
	seq, err := strconv.ParseUint(m.Header.Get(headerSequence), 10, 64)
	if err != nil {
		return Stored{}, fmt.Errorf("read %s: %w", headerSequence, err)
	}
	at, err := time.Parse(time.RFC3339Nano, m.Header.Get(headerTimeStamp))
	if err != nil {
		return Stored{}, fmt.Errorf("read %s: %w", headerTimeStamp, err)
	}
	s := Stored{Subject: m.Header.Get(headerSubject), Header: m.Header, Data: m.Data, Seq: seq, Time: at}
	for _, h := range []string{headerStream, headerSubject, headerSequence, headerTimeStamp, headerNumPending, headerLastSeq, headerUpToSeq} {
		s.Header.Del(h)
	}
	return s, nil
}

// validStream refuses names that would change the subject of an API request.
func validStream(name string) error {
	if name == "" || strings.ContainsAny(name, ".*> \t\r\n/\\") {
		return fmt.Errorf("%q: %w", name, jetstream.ErrInvalidStreamName)
	}
	return nil
}
