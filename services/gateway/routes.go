package gateway

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blipstream/blipstream/internal/service"
)

// contentPolicy lets the page load nothing but its own files, and run no
// script or style that is written into it. Who may show it in a frame follows.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; " +
	"connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors "

// corsMaxAge is how long a browser remembers what we allow, in seconds.
const corsMaxAge = "600"

// bodyTimeout is how long the body of a request may take: those that are read
// fit into some packets.
const bodyTimeout = time.Second

// routes says what is served where.
func (s *Service) routes(health *service.Health, gatherer prometheus.Gatherer) http.Handler {
	mux := http.NewServeMux()
	for path, serve := range map[string]http.HandlerFunc{
		"/events": s.serveEvents, "/live": s.serveLive,
		"/api/stats": s.serveStats, "/api/snapshot": s.serveSnapshot, "/api/history": s.serveHistory,
		"/api/rules": s.serveRules,
	} {
		mux.Handle("GET "+path, s.cors(s.guard(serve)))
		mux.Handle("OPTIONS "+path, s.cors(http.HandlerFunc(s.preflight)))
	}
	if s.gate != nil {
		mux.Handle("POST "+ticketPath, s.cors(http.HandlerFunc(s.serveTicket)))
		mux.Handle("OPTIONS "+ticketPath, s.cors(http.HandlerFunc(s.preflight)))
		for _, method := range []string{http.MethodPost, http.MethodDelete} {
			mux.HandleFunc(method+" "+sessionPath, s.serveSession)
		}
	}
	if gatherer == nil {
		gatherer = prometheus.NewRegistry()
	}
	service.Mount(mux, health, gatherer)
	mux.Handle("GET /", s.site)
	return secure(contentPolicy+s.frameAncestors(), mux)
}

// frameAncestors says who may show the page in a frame.
func (s *Service) frameAncestors() string {
	if len(s.cfg.FrameOrigin) == 0 {
		return "'none'"
	}
	return strings.Join(s.cfg.FrameOrigin, " ")
}

// secure sets the headers that every answer has, and refuses bodies: nothing
// here takes one but who signs in, and reading it would wait for the client.
func secure(policy string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		if r.ContentLength != 0 {
			// The server drains what is left of a body; not for long.
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout))
		}
		if r.ContentLength != 0 && !takesBody(r) {
			h.Set("Connection", "close")
			http.Error(w, "no body is taken here", http.StatusRequestEntityTooLarge)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// takesBody reports whether a request may have the body that it has.
func takesBody(r *http.Request) bool {
	return r.URL.Path == sessionPath && r.Method == http.MethodPost && r.ContentLength > 0 && r.ContentLength <= maxSession
}

// cors lets pages of the allowed origins read the answer.
func (s *Service) cors(next http.Handler) http.Handler {
	all := slices.Contains(s.cfg.AllowOrigin, "*")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		switch origin := r.Header.Get("Origin"); {
		case all:
			h.Set("Access-Control-Allow-Origin", "*")
		case len(s.cfg.AllowOrigin) > 0:
			h.Add("Vary", "Origin")
			if slices.Contains(s.cfg.AllowOrigin, origin) {
				h.Set("Access-Control-Allow-Origin", origin)
			}
		}
		next.ServeHTTP(w, r)
	})
}

// preflight answers a browser that asks before it sends a request of its own
// making; an EventSource never asks.
func (s *Service) preflight(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	if h.Get("Access-Control-Allow-Origin") != "" {
		h.Set("Access-Control-Allow-Methods", "GET")
		h.Set("Access-Control-Allow-Headers", "Last-Event-ID, Cache-Control")
		if s.gate != nil {
			h.Set("Access-Control-Allow-Methods", "GET, POST")
			h.Set("Access-Control-Allow-Headers", "Last-Event-ID, Cache-Control, Authorization")
		}
		h.Set("Access-Control-Max-Age", corsMaxAge)
	}
	w.WriteHeader(http.StatusNoContent)
}
