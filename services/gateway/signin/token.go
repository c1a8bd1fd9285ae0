package signin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const (
	// maxToken bounds a token, in bytes. A request's headers may take 16 KiB.
	maxToken = 8 << 10
	// leeway is how far the issuer's clock may be ahead of ours. A token ends
	// when it says, by our clock.
	leeway = 30 * time.Second
)

// Why somebody is not let in. What is wrong with a token in detail is told to
// nobody: it helps only who forges them.
var (
	// ErrNone is told to who shows nothing.
	ErrNone = errors.New("a token is needed")
	// ErrExpired is told for a token whose time is over.
	ErrExpired = errors.New("the token has expired")
	// ErrInvalid is told for anything else that is wrong with a token.
	ErrInvalid = errors.New("the token is not valid")
	// ErrTicket is told for a ticket that is spent, too old or was never given.
	ErrTicket = errors.New("the ticket is not valid: it works once, within a minute")
	// ErrUnavailable is told while nobody can be let in: there are no keys yet,
	// or the tickets cannot be reached.
	ErrUnavailable = errors.New("signing in is not possible for now")
)

// keys is where the key comes from that a token was signed with.
type keys interface {
	// algorithms are those a token may be signed with.
	algorithms() []jose.SignatureAlgorithm
	// find returns the key for a token's header. ErrInvalid if there is none,
	// ErrUnavailable if that is not known.
	find(ctx context.Context, header jose.Header) (any, error)
}

// secretKey is a secret that both sides know.
type secretKey []byte

func (secretKey) algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.HS256}
}

func (k secretKey) find(context.Context, jose.Header) (any, error) { return []byte(k), nil }

// verifier reads tokens.
type verifier struct {
	keys             keys
	issuer, audience string
}

// claims are what is read of a token.
type claims struct {
	jwt.Claims

	Kinds kindList `json:"kinds"`
}

// kindList is a list of kinds that is there. null is none: a token must not
// allow more than was meant because a list was lost on the way.
type kindList []string

// UnmarshalJSON reads a list.
func (k *kindList) UnmarshalJSON(data []byte) error {
	var names []string
	if err := json.Unmarshal(data, &names); err != nil || names == nil {
		return errKinds
	}
	*k = names
	return nil
}

// verify returns what a token's holder may read. The algorithm is never chosen
// by the token: only those that go with our kind of key are read at all.
func (v *verifier) verify(ctx context.Context, token string, now time.Time) (Grant, error) {
	if len(token) > maxToken {
		return Grant{}, fmt.Errorf("%w: too long", ErrInvalid)
	}
	parsed, err := jwt.ParseSigned(token, v.keys.algorithms())
	if err != nil || len(parsed.Headers) != 1 {
		return Grant{}, fmt.Errorf("%w: not signed as asked", ErrInvalid)
	}
	key, err := v.keys.find(ctx, parsed.Headers[0])
	if err != nil {
		return Grant{}, err
	}
	var c claims
	if err := parsed.Claims(key, &c); err != nil {
		return Grant{}, fmt.Errorf("%w: signature or claims", ErrInvalid)
	}
	return v.grant(c, now)
}

// grant checks the claims of a token whose signature is right.
func (v *verifier) grant(c claims, now time.Time) (Grant, error) {
	switch {
	case c.Expiry == nil:
		return Grant{}, fmt.Errorf("%w: no exp", ErrInvalid)
	case !now.Before(c.Expiry.Time()):
		return Grant{}, ErrExpired
	case v.audience == "" && len(c.Audience) > 0: // RFC 7519, section 4.1.3: it is for somebody else
		return Grant{}, fmt.Errorf("%w: aud", ErrInvalid)
	}
	want := jwt.Expected{Issuer: v.issuer, Time: now}
	if v.audience != "" {
		want.AnyAudience = jwt.Audience{v.audience}
	}
	if err := c.ValidateWithLeeway(want, leeway); err != nil {
		return Grant{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	g, err := newGrant(c.Kinds, c.Expiry.Time())
	if err != nil {
		return Grant{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return g, nil
}
