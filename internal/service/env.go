package service

import (
	"context"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
)

// Env is what a process gives to the services in it.
type Env struct {
	// Log receives the service's log lines.
	Log *slog.Logger
	// Metrics receives the service's collectors.
	Metrics prometheus.Registerer
	// Health receives the service's readiness checks.
	Health *Health
}

// Nop is an Env for tests: it discards log lines and keeps metrics to itself.
func Nop() Env {
	return Env{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(), Health: NewHealth()}
}

// With returns e with the service's name on every log line.
func (e Env) With(name string) Env {
	e.Log = e.Log.With(slog.String("service", name))
	return e
}

// Runner is a service that has been made and can run once.
type Runner interface {
	// Run works until ctx ends, then drains and returns nil; any other return
	// is a failure that the process cannot go on with.
	Run(ctx context.Context) error
}
