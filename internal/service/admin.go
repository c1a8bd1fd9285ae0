package service

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Mount adds /healthz, /readyz and /metrics to mux.
func Mount(mux *http.ServeMux, h *Health, g prometheus.Gatherer) {
	mux.HandleFunc("GET /healthz", ServeLive)
	mux.HandleFunc("GET /readyz", h.ServeReady)
	mux.Handle("GET /metrics", promhttp.HandlerFor(g, promhttp.HandlerOpts{}))
}

// Admin serves the endpoints of Mount on an address of their own.
type Admin struct {
	listener net.Listener
	server   *http.Server
}

// NewAdmin listens on addr; port 0 takes a free one.
func NewAdmin(ctx context.Context, addr string, h *Health, g prometheus.Gatherer) (*Admin, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("service: listen for health and metrics: %w", err)
	}
	mux := http.NewServeMux()
	Mount(mux, h, g)
	return &Admin{l, &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}}, nil
}

// Addr is the address it listens on.
func (a *Admin) Addr() string { return a.listener.Addr().String() }

// Run serves until ctx ends.
func (a *Admin) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = a.server.Close() })
	defer stop()
	if err := a.server.Serve(a.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("service: serve health and metrics: %w", err)
	}
	return nil
}
