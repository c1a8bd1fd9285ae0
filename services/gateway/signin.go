package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/services/gateway/signin"
	"github.com/blipstream/blipstream/services/gateway/sse"
)

// ticketPath is where tickets are given.
const ticketPath = "/api/ticket"

// openGate makes the gate, if there is to be one.
func (s *Service) openGate(health *service.Health) (err error) {
	s.gate, err = signin.New(s.cfg.SignIn, signin.Options{
		Tickets: s.conn, Log: s.log,
		CountFetch: func(outcome string) { s.metrics.keys.WithLabelValues(outcome).Inc() },
	})
	if s.gate != nil {
		// As often as an address may have streams.
		s.tickets, s.attempts = newShares(s.cfg.MaxClientsPerAddr), newShares(s.cfg.MaxClientsPerAddr)
		s.origin = http.NewCrossOriginProtection()
		health.Register("sign_in", s.gate.Ready)
	}
	return err
}

// grantKey is what a request's grant is found under.
type grantKey struct{}

// grantOf is what who sent r may read: everything, where there is no gate.
func grantOf(r *http.Request) signin.Grant {
	grant, _ := r.Context().Value(grantKey{}).(signin.Grant)
	return grant
}

// guard serves only those the gate lets in.
func (s *Service) guard(next http.HandlerFunc) http.HandlerFunc {
	if s.gate == nil {
		return next
	}
	return func(w http.ResponseWriter, r *http.Request) {
		grant, admitted, err := s.gate.Admit(r, time.Now())
		if err != nil {
			s.refuseEntry(w, r, err)
			return
		}
		next(w, admitted.WithContext(context.WithValue(r.Context(), grantKey{}, grant)))
	}
}

// refuseEntry answers who is not let in.
func (s *Service) refuseEntry(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, signin.ErrUnavailable) {
		s.log.Warn("check sign-in", slog.String("error", err.Error()))
		s.refuse(w, r, "sign_in", unavailable(signin.ErrUnavailable))
		return
	}
	p := &sse.Problem{Status: http.StatusUnauthorized, Title: "Sign-in needed"}
	reason, challenge := "token", `Bearer error="invalid_token"`
	switch {
	case errors.Is(err, signin.ErrNone):
		reason, challenge, p.Detail = "signed_out", "Bearer", signin.ErrNone.Error()
	case errors.Is(err, signin.ErrExpired):
		p.Detail = signin.ErrExpired.Error()
	case errors.Is(err, signin.ErrTicket):
		reason, p.Parameter, p.Detail = "ticket", signin.ParamTicket, signin.ErrTicket.Error()
	default:
		p.Detail = signin.ErrInvalid.Error()
	}
	w.Header().Set("WWW-Authenticate", challenge)
	s.refuse(w, r, reason, p)
}

// choose leaves in a request what is allowed; asking for more is a problem. A
// request that names no kinds is for all that are.
func choose(allowed signin.Grant, req *sse.Request) *sse.Problem {
	kinds, refused, ok := allowed.Choose(req.Kinds)
	if !ok && refused == "" {
		return notAllowed("any events", "")
	}
	if !ok {
		return notAllowed(strconv.Quote(refused), sse.ParamKind)
	}
	req.Kinds = kinds
	return nil
}

// notAllowed is the problem of who is let in, but not as far as that.
func notAllowed(what, parameter string) *sse.Problem {
	return &sse.Problem{
		Status: http.StatusForbidden, Title: "Not allowed",
		Detail: "your sign-in does not allow " + what, Parameter: parameter,
	}
}

// serveTicket answers POST /api/ticket. A ticket buys no ticket: it would last
// for ever.
func (s *Service) serveTicket(w http.ResponseWriter, r *http.Request) {
	if r.URL.RawQuery != "" {
		s.refuse(w, r, "parameter", sse.BadParam("", "this resource takes no parameters: show a token"))
		return
	}
	s.guard(s.giveTicket)(w, r)
}

// giveTicket gives a ticket to who was let in.
func (s *Service) giveTicket(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	if wait := s.tickets.take(clientAddr(r, s.cfg.TrustForwarded), now); wait > 0 {
		s.refuse(w, r, "tickets", &sse.Problem{
			Status: http.StatusTooManyRequests, Title: "Too many tickets",
			Detail: "this address has asked for too many tickets", RetryAfter: wait,
		})
		return
	}
	ticket, err := s.gate.Issue(r.Context(), grantOf(r), now)
	if err != nil {
		s.refuseEntry(w, r, err)
		return
	}
	data, err := json.Marshal(struct {
		Ticket    string `json:"ticket"`
		ExpiresIn int    `json:"expiresIn"` // seconds
	}{ticket, int(signin.TicketTTL / time.Second)})
	if err != nil { // a message of our own making
		s.log.Error("encode ticket", slog.String("error", err.Error()))
	}
	s.answerJSON(w, data)
}
