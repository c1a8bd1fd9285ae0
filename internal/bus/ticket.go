package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// TicketTTL is how long a ticket can be taken.
const TicketTTL = time.Minute

// codeStoreFailed is what a bucket that is full answers.
const codeStoreFailed jetstream.ErrorCode = 10077

// maxTicket bounds what is kept with a ticket, in bytes.
const maxTicket = 4 << 10

var (
	// ErrNoTicket is told for a ticket that was never there, is too old, or was
	// taken before: nobody can tell which.
	ErrNoTicket = errors.New("no such ticket")
	// ErrTickets is told while the bucket has no room for another ticket.
	ErrTickets = errors.New("too many tickets")
)

// StoreTicket keeps payload under key in the KV bucket ticket for TicketTTL.
// The key should be a digest of the ticket, so that whoever reads the bucket
// cannot use it. ErrTickets if the bucket is full.
func (c *Conn) StoreTicket(ctx context.Context, key string, payload []byte) error {
	b := c.bucket(bucketTicket)
	if err := b.check(key); err != nil {
		return fmt.Errorf("bus: store ticket: %w", err)
	}
	if len(payload) > maxTicket {
		return fmt.Errorf("bus: store ticket: %d bytes are more than %d", len(payload), maxTicket)
	}
	_, err := b.put(ctx, key, 0, kvEntry{value: string(payload)}, 0)
	if code(err) == codeStoreFailed {
		return fmt.Errorf("bus: store ticket: %w", ErrTickets)
	}
	if err != nil {
		c.heal(ctx)
		return fmt.Errorf("bus: store ticket: %w", err)
	}
	return nil
}

// TakeTicket returns what was kept under key, once, whoever asks first on
// whatever connection: the entry is replaced by a marker on condition that
// nobody else has. ErrNoTicket if there is nothing to take. After any other
// error the ticket may be spent.
//
// The entry is read from the stream's leader, since the bucket takes no direct
// gets: those may be answered by a replica that has not heard yet of a ticket
// stored a moment ago.
func (c *Conn) TakeTicket(ctx context.Context, key string) ([]byte, error) {
	b := c.bucket(bucketTicket)
	if err := b.check(key); err != nil {
		return nil, fmt.Errorf("bus: take ticket: %w", err)
	}
	have, err := b.leading(ctx, key)
	if err == nil && have.free() {
		err = ErrNoTicket
	}
	if err != nil {
		return nil, fmt.Errorf("bus: take ticket: %w", err)
	}
	_, err = b.put(ctx, key, have.rev, kvEntry{header: Header{headerOperation: {deleted}}}, 0)
	if errors.Is(err, errConflict) {
		err = ErrNoTicket
	}
	if err != nil {
		return nil, fmt.Errorf("bus: take ticket: %w", err)
	}
	return []byte(have.value), nil
}

// leading reads a key as the stream's leader has it.
func (b bucket) leading(ctx context.Context, key string) (kvEntry, error) {
	ctx, cancel := b.conn.short(ctx)
	defer cancel()
	stream, err := b.conn.js.Stream(ctx, b.stream)
	if err != nil {
		return kvEntry{}, fmt.Errorf("read %s: %w", key, err)
	}
	m, err := stream.GetLastMsgForSubject(ctx, b.subject(key))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return kvEntry{}, nil
	}
	if err != nil {
		return kvEntry{}, fmt.Errorf("read %s: %w", key, err)
	}
	return kvEntry{m.Sequence, string(m.Data), m.Header}, nil
}
