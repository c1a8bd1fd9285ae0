package signin

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Errors of MakeToken.
var (
	errNoSecret = errors.New("there is no secret to sign with: set " + SecretVariable + " or sign-in-secret-file")
	errLifetime = errors.New("a token lasts a second or more")
)

// MakeToken makes a token that a gateway with the same settings lets in for a
// time; kinds nil allows all. Only where tokens are signed with a secret: other
// keys are their issuer's.
func MakeToken(cfg Config, kinds []string, now time.Time, lifetime time.Duration) (string, error) {
	if cfg.SecretFile == "" && cfg.Secret == "" {
		return "", fmt.Errorf("signin: make token: %w", errNoSecret)
	}
	if err := cfg.Check(); err != nil {
		return "", err
	}
	secret, err := cfg.secret()
	if err != nil {
		return "", err
	}
	if _, err := newGrant(kinds, now); err != nil {
		return "", fmt.Errorf("signin: make token: %w", err)
	}
	if lifetime < time.Second {
		return "", fmt.Errorf("signin: make token: %w", errLifetime)
	}
	return sealToken(cfg, secret, kinds, now, lifetime)
}

// sealToken signs the claims.
func sealToken(cfg Config, secret []byte, kinds []string, now time.Time, lifetime time.Duration) (string, error) {
	c := struct {
		jwt.Claims

		Kinds []string `json:"kinds,omitempty"`
	}{Kinds: kinds}
	c.Issuer, c.IssuedAt, c.Expiry = cfg.Issuer, jwt.NewNumericDate(now), jwt.NewNumericDate(now.Add(lifetime))
	if cfg.Audience != "" {
		c.Audience = jwt.Audience{cfg.Audience}
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: secret}, nil)
	if err != nil {
		return "", fmt.Errorf("signin: make token: %w", err)
	}
	token, err := jwt.Signed(signer).Claims(c).Serialize()
	if err != nil {
		return "", fmt.Errorf("signin: make token: %w", err)
	}
	return token, nil
}
