package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/feed"
)

// kills is how often each thing is killed.
const kills = 5

// redelivery is how long what a killed process had in hand stays with it: the
// durable's ack wait (30 s), and its next step for what was killed twice.
const redelivery = 2 * time.Minute

// apart is the services, each a process, on a server that is another.
type apart struct {
	t                             *testing.T
	port, dir, url                string
	nats, ingest, enrich, gateway *process
	sourceURL, gatewayURL, gwPort string
}

// runApart starts the server, then enrich and the gateway; ingest comes later.
func runApart(t *testing.T, sourceURL string) *apart {
	t.Helper()
	a := &apart{t: t, port: freePort(t), gwPort: freePort(t), dir: t.TempDir(), sourceURL: sourceURL}
	a.url, a.gatewayURL = "nats://127.0.0.1:"+a.port, "http://127.0.0.1:"+a.gwPort
	a.startNATS()
	a.startEnrich()
	a.startGateway()
	return a
}

func (a *apart) startNATS() {
	a.nats = start(a.t, "blipstream", "nats", "--port", a.port, "--data", a.dir, "--log-level", "warn")
	a.nats.field("nats")
}

func (a *apart) startIngest() {
	a.ingest = start(a.t, "ingest", "--nats", a.url, "--source", a.sourceURL)
}

func (a *apart) startEnrich() { a.enrich = start(a.t, "enrich", "--nats", a.url, told) }

func (a *apart) startGateway() {
	a.gateway = start(a.t, "gateway", "--nats", a.url, "--addr", "127.0.0.1:"+a.gwPort)
}

// killing kills five times in the course of the work: each time a further
// sixth of it is done. Who looks at a busy machine may look too late, but most
// kills have to be in the middle.
func killing(t *testing.T, total int, progress func() int, again func()) {
	t.Helper()
	late := 0
	for k := 1; k <= kills; k++ {
		until(t, patience, "no progress", func() bool { return progress() >= total*k/(kills+1) })
		at := progress()
		began := time.Now()
		again()
		t.Logf("kill %d at %d of %d, back after %v", k, at, total, time.Since(began).Round(time.Millisecond))
		if at >= total {
			late++
		}
	}
	if late > kills/2 {
		t.Errorf("%d of %d kills came too late to be in the middle", late, kills)
	}
}

func TestKillOfTheWholeProcessLosesNothing(t *testing.T) {
	t.Parallel()
	n := items(t)
	w := world(t, 0)
	want := want(w, n)
	src, dir := file(t, w, n), t.TempDir()
	var p *process
	var conn *bus.Conn
	again := func() {
		if p != nil {
			p.kill()
			closeConn(conn)
		}
		p = up(t, dir, "--source", src)
		conn = connect(t, p.field("nats"))
	}
	again()
	killing(t, n+len(want), func() int { return both(t, conn) }, again)
	settle(t, conn, want, redelivery)
	once(t, want, ids(read(t, conn, feed.StreamEvents)))
	wholeRaw(t, conn, n)
}

// both counts what has come through: items in RAW and events in EVENTS. Kills
// by this measure hit ingest and enrich at work.
func both(t *testing.T, conn *bus.Conn) int {
	t.Helper()
	return count(t, conn, feed.StreamRaw) + count(t, conn, feed.StreamEvents)
}

// wholeRaw checks that RAW holds n items, each once.
func wholeRaw(t *testing.T, conn *bus.Conn, n int) {
	t.Helper()
	seen := map[string]bool{}
	for _, id := range ids(read(t, conn, feed.StreamRaw)) {
		if seen[id] {
			t.Errorf("%s is in RAW twice", id)
		}
		seen[id] = true
	}
	if len(seen) != n {
		t.Errorf("RAW holds %d items, want %d", len(seen), n)
	}
}

// TestKillOfAPartLosesNothing kills each service run apart, and the server.
// An SSE client reads through all of it, and gets each event once as well.
func TestKillOfAPartLosesNothing(t *testing.T) {
	t.Parallel()
	// What is killed while something is coming through must be at work then.
	for name, pick := range map[string]func(*apart) (victim **process, restart func(), through []string){
		"ingest": func(a *apart) (**process, func(), []string) {
			return &a.ingest, a.startIngest, []string{feed.StreamRaw}
		},
		"enrich": func(a *apart) (**process, func(), []string) {
			return &a.enrich, a.startEnrich, []string{feed.StreamEvents}
		},
		"gateway": func(a *apart) (**process, func(), []string) {
			return &a.gateway, a.startGateway, []string{feed.StreamEvents}
		},
		"nats": func(a *apart) (**process, func(), []string) {
			return &a.nats, a.startNATS, []string{feed.StreamRaw, feed.StreamEvents}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := items(t)
			w := world(t, 0)
			want := want(w, n)
			a := runApart(t, file(t, w, n))
			victim, restart, through := pick(a)
			total := map[string]int{feed.StreamRaw: n, feed.StreamEvents: len(want)}
			reader := follow(t, a.gatewayURL)
			conn := connect(t, a.url)
			a.startIngest()
			all, progress := 0, func() (sum int) {
				for _, stream := range through {
					sum += count(t, conn, stream)
				}
				return sum
			}
			for _, stream := range through {
				all += total[stream]
			}
			killing(t, all, progress, func() {
				(*victim).kill()
				restart()
			})
			settle(t, conn, want, redelivery)
			once(t, want, ids(read(t, conn, feed.StreamEvents)))
			wholeRaw(t, conn, n)
			served(t, want, reader)
		})
	}
}

func TestEachPartStopsWhenAsked(t *testing.T) {
	t.Parallel()
	a := runApart(t, "demo:?rate=200#"+source)
	conn := connect(t, a.url)
	a.startIngest()
	reader := follow(t, a.gatewayURL)
	until(t, patience, "nothing came", func() bool { return reader.len() > 10 })
	// Ten seconds are less than any grace period the manifests give.
	const grace = 10 * time.Second
	for _, p := range []*process{a.ingest, a.enrich, a.gateway} {
		t.Logf("%s stopped in %v", strings.TrimSpace(p.name), p.stop(grace).Round(time.Millisecond))
	}
	closeConn(conn)
	t.Logf("nats stopped in %v", a.nats.stop(grace).Round(time.Millisecond))
}
