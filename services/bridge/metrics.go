package bridge

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blipstream/blipstream/internal/service"
)

// metrics are the collectors of the bridge, blipstream_bridge_*.
type metrics struct {
	working                          prometheus.Gauge
	redisUp, receivers, behind       *prometheus.GaugeVec
	passed, skipped, unheard, missed *prometheus.CounterVec
	rewritten, sessions, left        *prometheus.CounterVec
	held, ignored, dead              *prometheus.CounterVec
}

func newMetrics(env service.Env) *metrics {
	r := service.Collectors{To: env.Metrics, Service: stage}
	return &metrics{
		working:   r.Gauges("working", "Whether this bridge is the one that works (0 or 1).").WithLabelValues(),
		redisUp:   r.Gauges("redis_up", "Whether Redis answers (0 or 1).", "channel"),
		receivers: r.Gauges("receivers", "Subscribers that the last published message reached.", "channel"),
		behind:    r.Gauges("behind_seconds", "Age of the last message sent, since it was stored.", "channel"),
		passed:    r.Counters("passed_total", "Messages stored (in) or published (out).", "channel", "direction"),
		skipped:   r.Counters("skipped_total", "Messages not sent because they were older than the largest age.", "channel"),
		unheard:   r.Counters("unheard_total", "Messages published while nobody was subscribed.", "channel"),
		left:      r.Counters("receivers_left_total", "Subscribers by which the receivers became fewer from one message to the next: they left, or Redis dropped them as too slow.", "channel"),
		missed:    r.Counters("missed_total", "Messages that the stream's limits removed before they were sent.", "channel"),
		rewritten: r.Counters("rewritten_total", "Messages changed to make them safe or legacy-shaped.", "channel"),
		sessions:  r.Counters("sessions_total", "Times a channel was begun to be copied: 1 and one for each outage.", "channel"),
		held:      r.Counters("held_total", "Messages held back because they would harm old programs, by what is wrong.", "channel", "what"),
		ignored:   r.Counters("ignored_total", "Messages passed over because they hold nothing, by what they are.", "channel", "what"),
		dead:      r.Counters("dead_total", "Messages put into DEAD; lost are those that not even DEAD takes.", "channel", "reason"),
	}
}

// channelMetrics are the collectors of one channel.
type channelMetrics struct {
	redisUp, receivers, behind                                  prometheus.Gauge
	passed, skipped, unheard, missed, rewritten, sessions, left counter
	held, ignored, dead                                         *prometheus.CounterVec
}

func (m *metrics) channel(name string, d Direction) *channelMetrics {
	l := prometheus.Labels{"channel": name}
	count := func(v *prometheus.CounterVec) counter {
		return counter{Counter: v.WithLabelValues(name), n: new(atomic.Uint64)}
	}
	return &channelMetrics{
		redisUp: m.redisUp.WithLabelValues(name), receivers: m.receivers.WithLabelValues(name), behind: m.behind.WithLabelValues(name),
		passed:  counter{Counter: m.passed.WithLabelValues(name, string(d)), n: new(atomic.Uint64)},
		skipped: count(m.skipped), unheard: count(m.unheard), missed: count(m.missed), left: count(m.left),
		rewritten: count(m.rewritten), sessions: count(m.sessions),
		held: m.held.MustCurryWith(l), ignored: m.ignored.MustCurryWith(l), dead: m.dead.MustCurryWith(l),
	}
}

// counter is a collector that State can read.
type counter struct {
	prometheus.Counter
	n *atomic.Uint64
}

func (c counter) add(n uint64) {
	c.Add(float64(n))
	c.n.Add(n)
}
