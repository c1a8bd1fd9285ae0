package signin

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"log/slog"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/blipstream/blipstream/internal/bus"
)

// testSecret is long enough.
const testSecret = "0123456789abcdef0123456789abcdef"

// noon is when tokens are checked.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// facts are the claims of a token.
type facts map[string]any

// with is f with others in its place.
func (f facts) with(others facts) facts {
	all := maps.Clone(f)
	maps.Copy(all, others)
	return all
}

// good are claims that are let in for an hour.
func good() facts {
	return facts{"exp": noon.Add(time.Hour).Unix(), "iss": "https://issuer.example", "aud": "blipstream"}
}

// sign makes a token. kid "" leaves that out.
func sign(tb testing.TB, alg jose.SignatureAlgorithm, key any, kid string, claims facts) string {
	tb.Helper()
	opts := &jose.SignerOptions{}
	if kid != "" {
		opts = opts.WithHeader("kid", kid)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, opts)
	if err != nil {
		tb.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(map[string]any(claims)).Serialize()
	if err != nil {
		tb.Fatal(err)
	}
	return token
}

// pairs are private keys of each kind, by their names.
type pairs struct {
	rsa *rsa.PrivateKey
	ec  *ecdsa.PrivateKey
	ed  ed25519.PrivateKey
}

func newPairs(tb testing.TB) pairs {
	tb.Helper()
	var p pairs
	var err error
	if p.rsa, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		tb.Fatal(err)
	}
	if p.ec, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		tb.Fatal(err)
	}
	if _, p.ed, err = ed25519.GenerateKey(rand.Reader); err != nil {
		tb.Fatal(err)
	}
	return p
}

// newGate makes a gate that knows no tickets yet.
func newGate(tb testing.TB, cfg Config) *Gate {
	tb.Helper()
	g, err := New(cfg, Options{Tickets: &drawer{}, Log: slog.New(slog.DiscardHandler), CountFetch: func(string) {}})
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

// drawer keeps tickets for one test, as a bucket does for all gateways.
type drawer struct {
	mu   sync.Mutex
	kept map[string][]byte
}

func (d *drawer) StoreTicket(_ context.Context, key string, payload []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.kept == nil {
		d.kept = map[string][]byte{}
	}
	d.kept[key] = payload
	return nil
}

func (d *drawer) TakeTicket(_ context.Context, key string) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	payload, ok := d.kept[key]
	if !ok {
		return nil, bus.ErrNoTicket
	}
	delete(d.kept, key)
	return payload, nil
}
