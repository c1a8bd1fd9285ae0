package signin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
)

// ParamTicket is the query parameter that holds a ticket.
const ParamTicket = "ticket"

// Options is what a Gate works with.
type Options struct {
	// Tickets keeps tickets.
	Tickets Tickets
	Log     *slog.Logger
	// CountFetch hears of each reading of published keys: "ok" or "failed".
	CountFetch func(outcome string)
}

// Gate lets in who shows a token.
type Gate struct {
	// plainCookie is what the cookie is called on a connection without TLS.
	cookie, plainCookie string

	verifier  verifier
	published *published // nil with a secret
	tickets   Tickets
}

// New makes a gate; nil if cfg asks for none.
func New(cfg Config, o Options) (*Gate, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	g := &Gate{cookie: cfg.Cookie, plainCookie: withoutPrefix(cfg.Cookie), tickets: o.Tickets}
	g.verifier = verifier{issuer: cfg.Issuer, audience: cfg.Audience}
	switch cfg.Mode() {
	case "jwks":
		g.published = newPublished(cfg.JWKS, o.Log, o.CountFetch)
		g.verifier.keys = g.published
	case "secret":
		secret, err := cfg.secret()
		if err != nil {
			return nil, err
		}
		g.verifier.keys = secretKey(secret)
	default:
		return nil, nil //nolint:nilnil // no gate is no failure
	}
	return g, nil
}

// Run keeps published keys up to date until ctx ends.
func (g *Gate) Run(ctx context.Context) error {
	if g.published != nil {
		g.published.run(ctx)
	}
	<-ctx.Done()
	return nil
}

// Ready is a readiness check: there are keys to check tokens with.
func (g *Gate) Ready() error {
	if g.published != nil && g.published.set.Load() == nil {
		return errors.New("the keys of sign-in have not been read yet")
	}
	return nil
}

// Admit says what who sent r may read. The request it returns is r without the
// ticket. A ticket wins over the Authorization header, and that over the
// cookie: it is the one that was meant for this request. The error is one of
// those of this package.
func (g *Gate) Admit(r *http.Request, now time.Time) (Grant, *http.Request, error) {
	ticket, rest, given := cutTicket(r.URL.RawQuery)
	if given {
		grant, err := g.take(r.Context(), ticket, now)
		return grant, withQuery(r, rest), err
	}
	token, err := g.token(r)
	if err != nil {
		return Grant{}, r, err
	}
	grant, err := g.verifier.verify(r.Context(), token, now)
	return grant, r, err
}

// token finds the token of a request.
func (g *Gate) token(r *http.Request) (string, error) {
	if h := r.Header.Get("Authorization"); h != "" {
		scheme, token, ok := strings.Cut(h, " ")
		if !ok || !strings.EqualFold(scheme, "Bearer") {
			return "", fmt.Errorf("%w: the scheme is not Bearer", ErrInvalid)
		}
		return strings.TrimLeft(token, " "), nil
	}
	for _, name := range g.cookieNames(r) {
		if c, err := r.Cookie(name); err == nil && c.Value != "" {
			return c.Value, nil
		}
	}
	return "", ErrNone
}

// cookieNames are those of the cookies that r may sign in with. One without
// the prefix, which others may have set, counts only where there can be none
// with it.
func (g *Gate) cookieNames(r *http.Request) []string {
	if encrypted(r) {
		return []string{g.cookie}
	}
	return []string{g.cookie, g.plainCookie}
}

// Issue gives a ticket for what its holder may read. ErrUnavailable if it
// cannot be kept.
func (g *Gate) Issue(ctx context.Context, grant Grant, now time.Time) (string, error) {
	ticket, err := issue(ctx, g.tickets, grant, now)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return ticket, nil
}

// take exchanges a ticket for what it stands for.
func (g *Gate) take(ctx context.Context, ticket string, now time.Time) (Grant, error) {
	if !validTicket(ticket) {
		return Grant{}, ErrTicket
	}
	payload, err := g.tickets.TakeTicket(ctx, ticketKey(ticket))
	switch {
	case errors.Is(err, bus.ErrNoTicket):
		return Grant{}, ErrTicket
	case err != nil:
		return Grant{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return redeem(payload, now)
}

// cutTicket takes the ticket out of a query. Of several there is none that is
// meant; what is left of a query that cannot be read is what it was.
func cutTicket(query string) (ticket, rest string, given bool) {
	if !strings.Contains(query, ParamTicket) {
		return "", query, false
	}
	values, err := url.ParseQuery(query)
	if err != nil || !values.Has(ParamTicket) {
		return "", query, false
	}
	if all := values[ParamTicket]; len(all) == 1 {
		ticket = all[0]
	}
	values.Del(ParamTicket)
	return ticket, values.Encode(), true
}

// withQuery is r with another query.
func withQuery(r *http.Request, query string) *http.Request {
	other := r.WithContext(r.Context())
	u := *r.URL
	u.RawQuery = query
	other.URL, other.RequestURI = &u, u.RequestURI()
	return other
}
