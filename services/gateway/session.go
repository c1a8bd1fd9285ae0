package gateway

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/blipstream/blipstream/services/gateway/signin"
	"github.com/blipstream/blipstream/services/gateway/sse"
)

const (
	// sessionPath is where a browser changes a token into its cookie.
	sessionPath = "/api/session"
	// maxSession is the longest body that is read there, in bytes: a token, and
	// the JSON around it.
	maxSession = 10 << 10
)

// serveSession answers POST /api/session, by which a page signs its browser in,
// and DELETE, by which it signs out.
func (s *Service) serveSession(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	switch {
	case s.origin.Check(r) != nil:
		p := notAllowed("", "")
		p.Detail = "a browser is signed in and out by pages of this origin alone"
		s.refuse(w, r, "origin", p)
	case r.URL.RawQuery != "":
		s.refuse(w, r, "parameter", sse.BadParam("", "this resource takes no parameters: a token in an address would be in histories and logs"))
	case r.Method == http.MethodDelete:
		http.SetCookie(w, s.gate.NoCookie(r))
		w.WriteHeader(http.StatusNoContent)
	default:
		s.attempt(w, r)
	}
}

// attempt lets an address try to sign in, unless it has had its share.
func (s *Service) attempt(w http.ResponseWriter, r *http.Request) {
	if wait := s.attempts.take(clientAddr(r, s.cfg.TrustForwarded), time.Now()); wait > 0 {
		s.refuse(w, r, "attempts", &sse.Problem{
			Status: http.StatusTooManyRequests, Title: "Too many attempts",
			Detail: "this address has tried to sign in too often", RetryAfter: wait,
		})
		return
	}
	s.signIn(w, r)
}

// signIn gives a browser its cookie.
func (s *Service) signIn(w http.ResponseWriter, r *http.Request) {
	token, problem := sessionToken(w, r)
	if problem != nil {
		s.refuse(w, r, "parameter", problem)
		return
	}
	if token == "" {
		s.refuseEntry(w, r, signin.ErrNone)
		return
	}
	now := time.Now()
	grant, err := s.gate.Check(r.Context(), token, now)
	if err != nil {
		s.refuseEntry(w, r, err)
		return
	}
	cookie, err := s.gate.Cookie(r, token, grant, now)
	if err != nil {
		s.refuse(w, r, "token", &sse.Problem{
			Status: http.StatusBadRequest, Title: "Token too long",
			Detail: "the token does not fit into a cookie: let your issuer leave claims out",
		})
		return
	}
	http.SetCookie(w, cookie)
	data, err := json.Marshal(struct {
		ExpiresIn int `json:"expiresIn"` // seconds
	}{cookie.MaxAge})
	if err != nil { // a message of our own making
		s.log.Error("encode session", slog.String("error", err.Error()))
	}
	s.answerJSON(w, data)
}

// sessionToken finds the token of a browser that signs in: in the Authorization
// header, else in a body {"token":"…"}; "" if there is none.
func sessionToken(w http.ResponseWriter, r *http.Request) (string, *sse.Problem) {
	if scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token), nil
	}
	if r.ContentLength == 0 {
		return "", nil
	}
	// A form of another site can send no body of this type without being asked.
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return "", &sse.Problem{Status: http.StatusUnsupportedMediaType, Title: "Not JSON", Detail: `send {"token":"…"} as application/json`}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxSession))
	if err != nil {
		return "", unreadable(err)
	}
	var sent struct{ Token string }
	if json.Unmarshal(body, &sent) != nil {
		return "", &sse.Problem{Status: http.StatusBadRequest, Title: "Not JSON", Detail: `send {"token":"…"} as application/json`}
	}
	return strings.TrimSpace(sent.Token), nil
}

// unreadable is the problem of a body that did not come.
func unreadable(err error) *sse.Problem {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &sse.Problem{Status: http.StatusRequestEntityTooLarge, Title: "Too large", Detail: "a token has 8 KiB at most"}
	}
	return &sse.Problem{Status: http.StatusBadRequest, Title: "Not read", Detail: "the body did not come as announced"}
}
