package signin

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
)

const (
	// ticketBytes is how much chance is in a ticket, ticketLength how long that
	// makes it.
	ticketBytes  = 32
	ticketLength = 43
)

// TicketTTL is how long a ticket works.
const TicketTTL = bus.TicketTTL

// Tickets keeps what a ticket stands for until it is taken, for all gateways. A
// bus.Conn does.
type Tickets interface {
	// StoreTicket keeps payload under key for about TicketTTL.
	StoreTicket(ctx context.Context, key string, payload []byte) error
	// TakeTicket returns what was kept, to one caller only; else bus.ErrNoTicket.
	TakeTicket(ctx context.Context, key string) ([]byte, error)
}

// voucher is what is kept with a ticket. Times are Unix seconds: those of the
// token, and of the ticket itself.
type voucher struct {
	Kinds   []string `json:"kinds"`
	Until   int64    `json:"until"`
	Expires int64    `json:"expires"`
}

// ticketKey is what a ticket is kept under. Who reads that cannot use it.
func ticketKey(ticket string) string {
	sum := sha256.Sum256([]byte(ticket))
	return hex.EncodeToString(sum[:])
}

// newTicket makes a ticket that no one can guess.
func newTicket() string {
	var random [ticketBytes]byte
	_, _ = rand.Read(random[:]) // it does not fail
	return base64.RawURLEncoding.EncodeToString(random[:])
}

// validTicket reports whether s has the form of a ticket.
func validTicket(s string) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && len(raw) == ticketBytes && len(s) == ticketLength
}

// issue gives a ticket for a grant.
func issue(ctx context.Context, tickets Tickets, g Grant, now time.Time) (string, error) {
	payload, err := json.Marshal(voucher{g.Kinds, g.Until.Unix(), now.Add(TicketTTL).Unix()})
	if err != nil {
		return "", fmt.Errorf("signin: write ticket: %w", err)
	}
	ticket := newTicket()
	if err := tickets.StoreTicket(ctx, ticketKey(ticket), payload); err != nil {
		return "", fmt.Errorf("signin: give ticket: %w", err)
	}
	return ticket, nil
}

// redeem returns the grant that was kept with a ticket.
func redeem(payload []byte, now time.Time) (Grant, error) {
	var v voucher
	if err := json.Unmarshal(payload, &v); err != nil {
		return Grant{}, ErrTicket
	}
	until := time.Unix(v.Until, 0)
	switch {
	case !now.Before(time.Unix(v.Expires, 0)):
		return Grant{}, ErrTicket
	case !now.Before(until):
		return Grant{}, ErrExpired
	}
	g, err := newGrant(v.Kinds, until)
	if err != nil {
		return Grant{}, ErrTicket
	}
	return g, nil
}
