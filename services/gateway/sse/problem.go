package sse

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// Problem is why a request is refused, in the form of RFC 9457.
type Problem struct {
	// Status is the HTTP status.
	Status int `json:"status"`
	// Title is the same for all problems of a sort.
	Title string `json:"title"`
	// Detail is about this request.
	Detail string `json:"detail,omitempty"`
	// Parameter names the query parameter that is wrong.
	Parameter string `json:"parameter,omitempty"`
	// RetryAfter, if not 0, is when to try again.
	RetryAfter time.Duration `json:"-"`
}

// BadParam is the problem of a parameter that cannot be understood.
func BadParam(name, rule string) *Problem {
	detail := rule
	if name != "" {
		detail = strconv.Quote(name) + " " + rule
	}
	return &Problem{Status: http.StatusBadRequest, Title: "Bad parameter", Detail: detail, Parameter: name}
}

// ServeHTTP answers a request with the problem.
func (p *Problem) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	if p.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int((p.RetryAfter+time.Second-1)/time.Second)))
	}
	w.WriteHeader(p.Status)
	// The client may be gone; there is nobody to tell.
	_ = json.NewEncoder(w).Encode(p)
}
