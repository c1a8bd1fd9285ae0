package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
)

// guard lets requests in.
type guard struct {
	// kind is bearer, hmac or x; empty for everybody.
	kind, key string
}

// newGuard reads a secret. Its errors hold none of it.
func newGuard(secret string) (guard, error) {
	secret = strings.TrimSpace(secret)
	if secret == "" {
		return guard{}, nil
	}
	kind, key, _ := strings.Cut(secret, ":")
	switch kind = strings.ToLower(kind); kind {
	case "bearer", "hmac", "x":
		if key != "" {
			return guard{kind, key}, nil
		}
	}
	return guard{}, errors.New("webhook: read secret: it must be bearer:<token>, hmac:<key> or x:<consumer secret>")
}

// admitsHead reports whether a request's body is worth reading: of a credential
// that is in the headers it is known without.
func (g guard) admitsHead(h http.Header) bool { return g.kind != "bearer" || g.admits(h, nil) }

// admits reports whether a request may be served. It takes as long whatever is
// wrong with it.
func (g guard) admits(h http.Header, body []byte) bool {
	switch g.kind {
	case "bearer":
		return same([]byte(h.Get("Authorization")), []byte("Bearer "+g.key))
	case "hmac":
		return same([]byte(h.Get("X-Hub-Signature-256")), []byte("sha256="+hex.EncodeToString(g.sign(body))))
	case "x":
		return same([]byte(h.Get("X-Twitter-Webhooks-Signature")), []byte("sha256="+base64.StdEncoding.EncodeToString(g.sign(body))))
	default:
		return true
	}
}

// same compares in a time that tells neither where texts differ nor how long
// the right one is.
func same(got, want []byte) bool {
	a, b := sha256.Sum256(got), sha256.Sum256(want)
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

func (g guard) sign(text []byte) []byte {
	mac := hmac.New(sha256.New, []byte(g.key))
	mac.Write(text)
	return mac.Sum(nil)
}

// challenge is the answer to X's challenge; false if there is none.
func (g guard) challenge(token string) (answer string, ok bool) {
	if g.kind != "x" || token == "" {
		return "", false
	}
	return `{"response_token":"sha256=` + base64.StdEncoding.EncodeToString(g.sign([]byte(token))) + `"}`, true
}
