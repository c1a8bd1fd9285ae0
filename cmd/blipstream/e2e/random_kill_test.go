package e2e

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/simulate"
)

const (
	// replicas is how many enrich processes share the work that is killed at random.
	replicas = 3
	// loadRate is how many items a second come meanwhile.
	loadRate = 1000
	// slowestRedelivery is when what was in the hands of three processes that
	// were killed comes again: 30 s, 1 min and 5 min after a delivery.
	slowestRedelivery = 7 * time.Minute
)

// killFor is for how long replicas are killed.
func killFor(t *testing.T) time.Duration {
	t.Helper()
	s := os.Getenv("BLIPSTREAM_E2E_KILL_FOR")
	if s == "" {
		return 6 * time.Second
	}
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		t.Fatalf("BLIPSTREAM_E2E_KILL_FOR is %q, want a duration", s)
	}
	return d
}

// TestRandomKillsOfReplicas kills enrich processes at random while items keep
// coming: each event is there once in the end.
func TestRandomKillsOfReplicas(t *testing.T) {
	t.Parallel()
	total := killFor(t)
	seed := uint64(time.Now().UnixNano())
	dice := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d, for %v", seed, total)
	port, w := freePort(t), world(t, 0)
	url := "nats://127.0.0.1:" + port
	start(t, "blipstream", "nats", "--port", port, "--data", t.TempDir(), "--log-level", "warn").field("nats")
	all := make([]*process, replicas)
	for i := range all {
		all[i] = start(t, "enrich", "--nats", url, told)
		admin(t, all[i])
	}
	conn := connect(t, url)
	n := int(total.Seconds() * loadRate)
	loaded := make(chan error, 1)
	began := time.Now()
	go func() { loaded <- load(t, conn, w, n) }()

	killed := 0
	for time.Since(began) < total {
		<-time.After(200*time.Millisecond + time.Duration(dice.Int64N(int64(1300*time.Millisecond))))
		i := dice.IntN(replicas)
		all[i].kill()
		all[i] = start(t, "enrich", "--nats", url, told)
		killed++
	}
	if err := <-loaded; err != nil {
		t.Fatal(err)
	}
	want := want(w, n)
	t.Logf("%d kills among %d items; %d of %d events are there", killed, n, count(t, conn, feed.StreamEvents), len(want))
	settle(t, conn, want, slowestRedelivery)
	once(t, want, ids(read(t, conn, feed.StreamEvents)))
}

// load publishes the first n items of w, at loadRate.
func load(t *testing.T, conn *bus.Conn, w *simulate.World, n int) error {
	t.Helper()
	p, err := conn.NewPublisher(bus.PublisherOptions{Stream: feed.StreamRaw})
	if err != nil {
		return err
	}
	defer p.Close()
	const every = 20 * time.Millisecond
	tick := time.NewTicker(every)
	defer tick.Stop()
	for i := range uint64(n) {
		if i%uint64(loadRate*every/time.Second) == 0 {
			<-tick.C
		}
		err := p.Publish(t.Context(), []bus.Msg{{
			Subject: feed.RawSubject(source), ID: feed.RawID(source, strconv.FormatUint(i, 10)),
			Header: bus.Header{feed.HeaderFormat: {string(feed.FormatTwitterV1)}}, Data: w.Append(nil, i),
		}}, func(error) {})
		if err != nil {
			return err
		}
	}
	return p.Flush(t.Context())
}
