package service

import (
	"encoding/json"
	"net/http"
	"sync"
)

// Health collects readiness checks. The zero value is not usable; see NewHealth.
type Health struct {
	mu     sync.Mutex
	checks map[string]func() error
}

// NewHealth makes a Health without checks: alive and ready.
func NewHealth() *Health {
	return &Health{checks: map[string]func() error{}}
}

// Register adds a readiness check under name, replacing one of the same name.
// check must answer at once; nil means ready.
func (h *Health) Register(name string, check func() error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.checks[name] = check
}

// Failing runs the checks and returns the complaint of each that fails.
func (h *Health) Failing() map[string]string {
	h.mu.Lock()
	defer h.mu.Unlock()
	failing := map[string]string{}
	for name, check := range h.checks {
		if err := check(); err != nil {
			failing[name] = err.Error()
		}
	}
	return failing
}

// ServeReady answers /readyz: 200 if every check passes, else 503 with a JSON
// object of the failing checks.
func (h *Health) ServeReady(w http.ResponseWriter, _ *http.Request) {
	failing := h.Failing()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	status := "ready"
	if len(failing) > 0 {
		status = "not ready"
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	// The client may be gone; there is nobody to tell.
	_ = json.NewEncoder(w).Encode(map[string]any{"status": status, "failing": failing})
}

// ServeLive answers /healthz: 200 as long as the process can answer at all.
func ServeLive(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
}
