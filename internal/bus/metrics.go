package bus

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the collectors of one connection, named blipstream_bus_* and
// labelled conn=<name>.
type metrics struct {
	connected          prometheus.Gauge
	reconnects, errors prometheus.Counter

	published, duplicates, retries, refused *prometheus.CounterVec
	waiting, waitingBytes                   *prometheus.GaugeVec

	deliveries, redelivered, held, settled, dropped *prometheus.CounterVec
	pending, ackPending, overtaken                  *prometheus.GaugeVec

	rebinds   *prometheus.CounterVec
	leaseHeld *prometheus.GaugeVec
	leaseLost *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer, conn string) *metrics {
	if reg != nil {
		reg = prometheus.WrapRegistererWith(prometheus.Labels{"conn": conn}, reg)
	}
	r := registry{reg}
	stream := []string{"stream"}
	durable := []string{"stream", "durable"}
	key := []string{"key"}
	return &metrics{
		connected:    r.gauge("connected", "Whether the connection to NATS stands (0 or 1).").WithLabelValues(),
		reconnects:   r.counter("reconnects_total", "Times the connection was made again.").WithLabelValues(),
		errors:       r.counter("errors_total", "Errors that NATS reported outside of any call, refused permissions among them.").WithLabelValues(),
		published:    r.counter("published_total", "Messages whose storing the server confirmed.", stream...),
		duplicates:   r.counter("publish_duplicates_total", "Confirmed messages that the server had stored before.", stream...),
		retries:      r.counter("publish_retries_total", "Messages published again under the same id.", stream...),
		refused:      r.counter("publish_refused_total", "Messages refused for good.", stream...),
		waiting:      r.gauge("publish_waiting_messages", "Messages that wait for their confirmation.", stream...),
		waitingBytes: r.gauge("publish_waiting_bytes", "Bytes that wait for their confirmation.", stream...),
		deliveries:   r.counter("deliveries_total", "Messages handed out.", durable...),
		redelivered:  r.counter("redelivered_total", "Messages handed out that had been delivered before.", durable...),
		held:         r.counter("held_total", "Redeliveries not handed out because the message is still in work here.", durable...),
		settled:      r.counter("settled_total", "Messages settled, by outcome.", "stream", "durable", "outcome"),
		dropped:      r.counter("dropped_total", "Messages that the stream's limits removed before the consumer read them.", durable...),
		pending:      r.gauge("pending_messages", "Messages not yet delivered to the consumer.", durable...),
		ackPending:   r.gauge("ack_pending_messages", "Messages delivered to the consumer and not settled.", durable...),
		overtaken:    r.gauge("overtaken_messages", "Unsettled sequences that the stream's limits have already removed; above 0 the stream is too small or the consumer too slow.", durable...),
		rebinds:      r.counter("rebinds_total", "Times a reader bound to its stream again.", stream...),
		leaseHeld:    r.gauge("lease_held", "Whether this process holds the lease (0 or 1).", key...),
		leaseLost:    r.counter("lease_lost_total", "Times the lease was lost while held.", key...),
	}
}

// registry makes collectors, and finds those that another connection of the
// same name has made before.
type registry struct{ reg prometheus.Registerer }

func (r registry) counter(name, help string, labels ...string) *prometheus.CounterVec {
	return register(r.reg, prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "blipstream", Subsystem: "bus", Name: name, Help: help,
	}, labels))
}

func (r registry) gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	return register(r.reg, prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: "blipstream", Subsystem: "bus", Name: name, Help: help,
	}, labels))
}

func register[C prometheus.Collector](reg prometheus.Registerer, made C) C {
	if reg == nil {
		return made
	}
	err := reg.Register(made)
	if err == nil {
		return made
	}
	if e, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		if earlier, ok := e.ExistingCollector.(C); ok {
			return earlier
		}
	}
	// The names are ours alone, so nothing else can stand in the way.
	panic(err)
}
