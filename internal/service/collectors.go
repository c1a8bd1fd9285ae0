package service

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// Namespace starts the name of every metric.
const Namespace = "blipstream"

// Collectors makes the collectors of one service, blipstream_<Service>_*, and
// registers them. Two of the same service in one process share them.
type Collectors struct {
	// To receives the collectors; nil keeps them unregistered.
	To prometheus.Registerer
	// Service is the second part of their names.
	Service string
}

// Counters makes a counter for each combination of labels.
func (c Collectors) Counters(name, help string, labels ...string) *prometheus.CounterVec {
	return Collect(c.To, prometheus.NewCounterVec(
		prometheus.CounterOpts{Namespace: Namespace, Subsystem: c.Service, Name: name, Help: help}, labels))
}

// Gauges makes a gauge for each combination of labels.
func (c Collectors) Gauges(name, help string, labels ...string) *prometheus.GaugeVec {
	return Collect(c.To, prometheus.NewGaugeVec(
		prometheus.GaugeOpts{Namespace: Namespace, Subsystem: c.Service, Name: name, Help: help}, labels))
}

// Collect registers c, or returns the one that is registered already.
func Collect[C prometheus.Collector](to prometheus.Registerer, c C) C {
	if to == nil {
		return c
	}
	if already, ok := errors.AsType[prometheus.AlreadyRegisteredError](to.Register(c)); ok {
		if same, ok := already.ExistingCollector.(C); ok {
			return same
		}
	}
	return c
}
