package signin

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"strings"

	"github.com/blipstream/blipstream/internal/conf"
)

// SecretVariable is the variable of the environment that holds the secret.
const SecretVariable = conf.SecretPrefix + "SIGN_IN"

const (
	// minSecret is the least length of a secret in bytes: that of the hash, as
	// RFC 7518, section 3.2, asks for.
	minSecret = 32
	// maxSecret bounds what is read from a secret's file.
	maxSecret = 4 << 10
	// defaultCookie has a prefix that browsers take only from the host itself,
	// over a connection that nobody else can read.
	defaultCookie = "__Host-blipstream"
)

// Config is what can be set. Its tags are flags; where it is made by hand,
// start from DefaultConfig.
type Config struct {
	JWKS       string `name:"jwks" placeholder:"URL" help:"Where the keys are published that sign tokens, https:. Readers must then show a token. Needs an audience."`
	SecretFile string `name:"secret-file" placeholder:"PATH" help:"File with the secret that signs tokens, 32 bytes or more; or put it into BLIPSTREAM_SECRET_SIGN_IN. Readers must then show a token."`
	Issuer     string `name:"issuer" help:"Who must have issued a token (iss)."`
	Audience   string `name:"audience" help:"For whom a token must be made out (aud)."`
	Cookie     string `name:"cookie" default:"__Host-blipstream" help:"Name of the cookie that holds a token."`

	// Secret is the secret itself, which no flag may hold.
	Secret string `kong:"-"`
}

// DefaultConfig lets everybody in.
func DefaultConfig() Config { return Config{Cookie: defaultCookie} }

// WithSecrets returns c with the secret of the environment.
func (c Config) WithSecrets(getenv func(string) string) Config {
	if s := getenv(SecretVariable); s != "" {
		c.Secret = s
	}
	return c
}

// Mode is how readers sign in: "off", "secret" or "jwks".
func (c Config) Mode() string {
	switch {
	case c.JWKS != "":
		return "jwks"
	case c.SecretFile != "" || c.Secret != "":
		return "secret"
	default:
		return "off"
	}
}

// Check refuses what cannot work, or would let in whom it should not.
func (c Config) Check() error {
	if err := c.check(); err != nil {
		return fmt.Errorf("signin: check settings: %w", err)
	}
	return nil
}

func (c Config) check() error {
	switch {
	case c.JWKS != "" && (c.SecretFile != "" || c.Secret != ""):
		return errors.New("sign-in-jwks and a secret are both set: tokens are signed in one way, remove the other")
	case c.SecretFile != "" && c.Secret != "":
		return errors.New("sign-in-secret-file and " + SecretVariable + " are both set: remove one")
	case c.Mode() == "off" && (c.Issuer != "" || c.Audience != "" || c.Cookie != defaultCookie):
		return errors.New("sign-in-issuer, sign-in-audience and sign-in-cookie do nothing without a secret or sign-in-jwks: " +
			"set " + SecretVariable + ", sign-in-secret-file or sign-in-jwks")
	case !validCookie(c.Cookie):
		return fmt.Errorf("sign-in-cookie: %q is not the name of a cookie", c.Cookie)
	case c.JWKS == "":
		return nil
	case c.Audience == "":
		return errors.New("sign-in-jwks needs sign-in-audience: the issuer signs tokens for others, too")
	}
	return checkURL(c.JWKS)
}

// checkURL refuses addresses that keys must not be read from.
func checkURL(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "":
		return errors.New("sign-in-jwks is not a URL such as https://issuer.example/jwks.json")
	case u.User != nil:
		return errors.New("sign-in-jwks must not hold a password: keys are public")
	case !fetchable(u):
		return errors.New("sign-in-jwks must be https: whoever can change the keys on their way can sign in as anybody")
	}
	return nil
}

// fetchable reports whether keys may be read from u: by https, or from this
// machine.
func fetchable(u *url.URL) bool {
	if u.Scheme == "https" {
		return true
	}
	addr, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "http" && (u.Hostname() == "localhost" || err == nil && addr.IsLoopback())
}

// validCookie reports whether s can name a cookie: a token of RFC 9110.
func validCookie(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`()<>@,;:\"/[]?={}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

// secret returns the secret, from wherever it is.
func (c Config) secret() ([]byte, error) {
	secret, from := c.Secret, SecretVariable
	if c.SecretFile != "" {
		from = "sign-in-secret-file"
		info, err := os.Stat(c.SecretFile)
		if err != nil {
			return nil, fmt.Errorf("signin: read %s: %w", from, err)
		}
		if info.Size() > maxSecret {
			return nil, fmt.Errorf("signin: read %s: it has more than %d bytes: that is no secret", from, maxSecret)
		}
		data, err := os.ReadFile(c.SecretFile)
		if err != nil {
			return nil, fmt.Errorf("signin: read %s: %w", from, err)
		}
		secret = strings.TrimRight(string(data), "\r\n")
	}
	if len(secret) < minSecret {
		return nil, fmt.Errorf("signin: read %s: %d bytes are less than %d: make one with `openssl rand -hex 32`",
			from, len(secret), minSecret)
	}
	return []byte(secret), nil
}
