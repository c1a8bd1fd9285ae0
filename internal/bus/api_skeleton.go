// Package bus is Blipstream's way to NATS JetStream, and the only package that
// imports nats.go.
package bus

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/blipstream/blipstream/internal/feed"
)

var errSkeleton = errors.New("bus: not implemented")

// Header is the headers of a message.
type Header = nats.Header

// InProcess is an embedded server that can be reached without a socket.
type InProcess interface{ InProcessConn() (net.Conn, error) }

// Options says how to connect.
type Options struct {
	// URL of the server, or several separated by commas. Ignored with InProcess.
	URL string
	// InProcess, if not nil, is used instead of URL.
	InProcess InProcess
	// Name of the service: the connection's name, the prefix of its inboxes.
	Name string
	Log  *slog.Logger
	// Metrics receives the connection's collectors.
	Metrics prometheus.Registerer
	// Layout, if not nil, makes this connection an owner of the streams: what is
	// missing is made before first use, and again when found missing. With nil
	// it only binds, and waits for what is missing.
	Layout *Layout
}

// Conn is a connection that never gives up. Safe for concurrent use.
type Conn struct{ nc *nats.Conn }

// Connect returns at once even if no server answers yet (it goes on trying in
// the background, for ever); it fails for an Options that cannot work.
func Connect(o Options) (*Conn, error) { return nil, errSkeleton }

// Ready is nil while connected and no permission was refused lately.
func (c *Conn) Ready() error { return errSkeleton }

// Close drains and closes.
func (c *Conn) Close(ctx context.Context) error { return errSkeleton }

// MaxPayload is the server's largest message in bytes (headers included).
func (c *Conn) MaxPayload() int64 { return 0 }

// --- streams ---

// Limits are the configurable limits of one stream.
type Limits struct {
	MaxAge   time.Duration
	MaxBytes int64
}

// Layout is the whole set of streams, consumers and buckets, from which Ensure
// makes what is missing. DefaultLayout gives DESIGN's table.
type Layout struct {
	Raw, Events, Replay, Dead Limits
	DedupeWindow              time.Duration
	Replicas                  int
	LeaseTTL                  time.Duration
}

// DefaultLayout is the table of docs/architecture.md.
func DefaultLayout() Layout { return Layout{} }

// Ensure creates the streams, the durable "enrich" of RAW and the buckets, or
// changes them where the server allows; it waits for the server as long as ctx
// allows. Idempotent. A change the server refuses is one clear error line.
func (c *Conn) Ensure(ctx context.Context, l Layout) error { return errSkeleton }

// StreamState is a stream at one moment.
type StreamState struct {
	// Epoch identifies this incarnation of the stream (its creation time, base 36).
	Epoch           string
	FirstSeq        uint64
	LastSeq         uint64
	Messages, Bytes uint64
}

// Stream asks for the state of a stream.
func (c *Conn) Stream(ctx context.Context, name string) (StreamState, error) {
	return StreamState{}, errSkeleton
}

// SeqAt is the sequence of the first message stored at or after t; LastSeq+1 if none.
func (c *Conn) SeqAt(ctx context.Context, stream string, t time.Time) (uint64, error) {
	return 0, errSkeleton
}

// Stored is a message as a stream holds it.
type Stored struct {
	Subject string
	Header  Header
	Data    []byte
	Seq     uint64
	Time    time.Time
}

// Range reads up to limit messages from sequence from on, by batched direct
// get, without a consumer. subjects filters (none: all).
func (c *Conn) Range(ctx context.Context, stream string, from uint64, limit int, subjects ...string) ([]Stored, error) {
	return nil, errSkeleton
}

// Follow calls fn with every message of stream from sequence from on, in
// order, then with those that arrive, until ctx ends or fn fails. It
// reconnects by itself. changed is called before the first message and again
// whenever the stream is found to be another one (deleted and made anew): the
// sequences start over then.
func (c *Conn) Follow(ctx context.Context, stream string, from uint64, changed func(StreamState) error, fn func(*Stored) error) error {
	return errSkeleton
}

// --- publishing ---

// Msg is a message to publish.
type Msg struct {
	Subject string
	// ID becomes Nats-Msg-Id: the server stores it once per dedupe window.
	ID     string
	Header Header
	Data   []byte
}

// PublisherOptions bounds what a Publisher holds.
type PublisherOptions struct {
	// Window is how many messages, and WindowBytes how many bytes, may wait for
	// their PubAck before Publish blocks. Defaults 4096 and 64 MiB.
	Window      int
	WindowBytes int64
	// Stream that must store the messages.
	Stream string
}

// ErrTooLarge is told for a message larger than the server or stream takes.
var ErrTooLarge = errors.New("message is larger than the server takes")

// Publisher publishes batches asynchronously and publishes again under the
// same ids until they are stored, however long the server is away.
type Publisher struct{}

// NewPublisher makes one; Close it.
func (c *Conn) NewPublisher(o PublisherOptions) (*Publisher, error) { return nil, errSkeleton }

// Publish takes the messages that stem from one input. It blocks while the
// window is full, and fails only when ctx ends before they are taken. done is
// called exactly once per batch, in the order of the calls of Publish, on one
// goroutine, when every message is stored (err nil), when a message is refused
// for good (errors.Is ErrTooLarge), or when the publisher is closed first.
// An empty batch is allowed: its done keeps its place in the order.
func (p *Publisher) Publish(ctx context.Context, msgs []Msg, done func(err error)) error {
	return errSkeleton
}

// Flush waits until everything taken is settled.
func (p *Publisher) Flush(ctx context.Context) error { return errSkeleton }

// Pending is how many messages and bytes wait for their PubAck.
func (p *Publisher) Pending() (msgs int, bytes int64) { return 0, 0 }

// Close stops; unsettled batches are told an error.
func (p *Publisher) Close() {}

// --- consuming ---

// Delivery is a message handed to one member of a durable consumer. Exactly
// one of Ack, Retry and Term must be called, from any goroutine.
type Delivery struct {
	Stored
	// Deliveries counts this one: 1 the first time.
	Deliveries uint64
	// Pending is how many messages of the consumer were waiting behind it.
	Pending uint64
}

// Ack settles it. Plain ack: if it is lost the message comes again.
func (d *Delivery) Ack() error { return errSkeleton }

// Retry has it delivered again after delay.
func (d *Delivery) Retry(delay time.Duration) error { return errSkeleton }

// Term settles it as never to be delivered again.
func (d *Delivery) Term(reason string) error { return errSkeleton }

// ConsumeOptions says what Consume reads.
type ConsumeOptions struct {
	Stream, Durable string
	// Prefetch is the pull window, in messages. Default 500.
	Prefetch int
	// Dropped is told how many messages the stream's limits removed before the
	// consumer read them (first_seq > ack_floor + 1), with their range.
	Dropped func(from, to uint64)
}

// Consume hands messages to handle, one at a time in the stream's order, until
// ctx ends; then it hands out what is already buffered and returns nil. A
// deleted consumer or stream, or a server that is away, is bound again with
// back-off. handle must not keep the goroutine longer than the consumer's AckWait.
func (c *Conn) Consume(ctx context.Context, o ConsumeOptions, handle func(*Delivery)) error {
	return errSkeleton
}

// Lag is how far a durable consumer is behind.
type Lag struct {
	Pending, AckPending, Redelivered uint64
	AckFloor                         uint64
}

// Lag asks for the lag of a durable consumer.
func (c *Conn) Lag(ctx context.Context, stream, durable string) (Lag, error) {
	return Lag{}, errSkeleton
}

// --- dead letters ---

// Dead is something that could not be handled, to be kept.
type Dead struct {
	Stage, Reason string
	// ID makes the letter unique: the same failure is kept once.
	ID     string
	Err    error
	Header Header
	Data   []byte
	// StreamSeq and Deliveries are 0 for what never was in a stream.
	StreamSeq, Deliveries uint64
}

// Letters turns d into the messages that keep it: one, or several parts
// (HeaderPart) if it is larger than the server takes. Publish them like others.
func (c *Conn) Letters(d Dead) []Msg { return nil }

// --- lease and cursor ---

// ErrLeaseLost is the cause of the context that Lease.Run hands to fn, once
// the lease can no longer be proved.
var ErrLeaseLost = errors.New("lease lost")

// Lease is the right to be the only one, kept in the KV bucket lease.
type Lease struct{}

// Lease names a lease. holder is told to others; ttl is how long after the
// holder's death a standby may take over.
func (c *Conn) Lease(key, holder string, ttl time.Duration) *Lease { return nil }

// Run waits for the lease, runs fn while holding it, gives it back at once
// when fn returns, and returns fn's error (or ctx's while waiting). fn's ctx
// ends, with cause ErrLeaseLost, before another can hold it; Run then waits
// for the lease again and calls fn again. token grows with every holder.
func (l *Lease) Run(ctx context.Context, fn func(ctx context.Context, token uint64) error) error {
	return errSkeleton
}

// Holder tells who holds the lease now; "" if nobody.
func (l *Lease) Holder(ctx context.Context) (string, error) { return "", errSkeleton }

// ErrFenced is told to a writer of a cursor that another has claimed since.
var ErrFenced = errors.New("cursor claimed by another holder")

// Cursor is a fenced feed.Cursor in the KV bucket cursor.
type Cursor struct{}

// ClaimCursor reads the cursor under key and makes the caller its only writer:
// the Save of whoever claimed it before fails with ErrFenced from now on.
func (c *Conn) ClaimCursor(ctx context.Context, key string, token uint64) (*Cursor, feed.Cursor, error) {
	return nil, "", errSkeleton
}

// Save stores the position.
func (c *Cursor) Save(ctx context.Context, at feed.Cursor) error { return errSkeleton }
