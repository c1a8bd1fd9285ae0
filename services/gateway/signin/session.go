package signin

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// maxCookie is how long a cookie's name and value may be together, in bytes:
// browsers store no more than 4,096, with what they keep beside it.
const maxCookie = 4000

// cookiePrefixes are those for which browsers take a cookie only over a
// connection that nobody else can read.
func cookiePrefixes() []string { return []string{"__Host-", "__Secure-"} }

// Check says what the holder of a token may read, as Admit does of a request.
func (g *Gate) Check(ctx context.Context, token string, now time.Time) (Grant, error) {
	return g.verifier.verify(ctx, token, now)
}

// Cookie makes the cookie that signs a browser in: no script can read it, no
// other site's form sends it, and it ends with the token. ErrInvalid if the
// token does not fit into one.
func (g *Gate) Cookie(r *http.Request, token string, grant Grant, now time.Time) (*http.Cookie, error) {
	if size := len(g.cookieName(r)) + len(token); size > maxCookie {
		return nil, fmt.Errorf("%w: it takes %d bytes as a cookie, of %d", ErrInvalid, size, maxCookie)
	}
	return g.newCookie(r, token, max(1, int(grant.Until.Sub(now)/time.Second))), nil
}

// NoCookie makes the cookie that takes the one of Cookie back.
func (g *Gate) NoCookie(r *http.Request) *http.Cookie {
	return g.newCookie(r, "", -1)
}

// newCookie makes a cookie; maxAge is in seconds.
func (g *Gate) newCookie(r *http.Request, value string, maxAge int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // G124: without TLS, as on a laptop, a browser would not send one that is Secure
		Name: g.cookieName(r), Value: value, MaxAge: maxAge, Path: "/",
		HttpOnly: true, Secure: encrypted(r), SameSite: http.SameSiteLaxMode,
	}
}

// cookieName is what the cookie is called where r came from. A name with a
// prefix is none on a connection without TLS, as of a gateway on a laptop.
func (g *Gate) cookieName(r *http.Request) string {
	if encrypted(r) {
		return g.cookie
	}
	return g.plainCookie
}

// withoutPrefix is the name of a cookie for connections without TLS.
func withoutPrefix(name string) string {
	for _, prefix := range cookiePrefixes() {
		if rest, ok := strings.CutPrefix(name, prefix); ok && rest != "" {
			return rest
		}
	}
	return name
}

// encrypted reports whether a browser reached us by https, by what it or the
// proxy in front of us says. Who lies about it gets a cookie of another name,
// and nothing else.
func encrypted(r *http.Request) bool {
	proto, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ",")
	return r.TLS != nil || strings.EqualFold(strings.TrimSpace(proto), "https") ||
		strings.HasPrefix(r.Header.Get("Origin"), "https://")
}
