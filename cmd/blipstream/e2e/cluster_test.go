package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/simulate"
)

// natsConfig is the configuration of the servers on Kubernetes.
const natsConfig = "../../../deploy/k8s/base/nats"

// node is one nats-server of a cluster, a process of its own.
type node struct {
	*process
	t                           *testing.T
	name, dir                   string
	client, clustering, monitor string // ports
}

// cluster is the three servers of deploy/k8s, on the loopback.
type cluster struct {
	t     *testing.T
	nodes []*node
}

// startCluster runs three servers with the configuration of the manifests, of
// which it changes addresses and folders alone.
func startCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{t: t}
	for i := range 3 {
		c.nodes = append(c.nodes, &node{
			t: t, name: fmt.Sprintf("nats-%d", i), dir: t.TempDir(),
			client: freePort(t), clustering: freePort(t), monitor: freePort(t),
		})
	}
	for _, n := range c.nodes {
		c.configure(n)
		n.run()
	}
	for _, n := range c.nodes {
		until(t, patience, n.name+" is not healthy", n.healthy)
	}
	return c
}

// configure writes a server's configuration files.
func (c *cluster) configure(n *node) {
	c.t.Helper()
	pairs := []string{
		"port: 4222", "listen: 127.0.0.1:" + n.client,
		"http_port: 8222", "http: 127.0.0.1:" + n.monitor,
		"port: 6222", "listen: 127.0.0.1:" + n.clustering,
		"/var/run/nats", n.dir, "store_dir: /data", "store_dir: " + n.dir,
	}
	for _, other := range c.nodes {
		pairs = append(pairs, other.name+".nats-headless:6222", "127.0.0.1:"+other.clustering)
	}
	substitute := strings.NewReplacer(pairs...)
	for _, file := range []string{"nats.conf", "cluster.conf", "auth.conf"} {
		text, err := os.ReadFile(filepath.Join(natsConfig, file))
		if err != nil {
			c.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(n.dir, file), []byte(substitute.Replace(string(text))), 0o600); err != nil {
			c.t.Fatal(err)
		}
	}
}

// run starts the server, or starts it anew with what it has on disk.
func (n *node) run() {
	n.t.Helper()
	n.process = startEnv(n.t, []string{"POD_NAME=" + n.name}, "nats-server", "--config", filepath.Join(n.dir, "nats.conf"))
}

// healthy is what the startup probe asks: the server runs, and its copies of
// the streams are up to date.
func (n *node) healthy() bool {
	resp, err := http.Get("http://127.0.0.1:" + n.monitor + "/healthz")
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// url leads clients to all servers, as the Service nats does.
func (c *cluster) url() string {
	var all []string
	for _, n := range c.nodes {
		all = append(all, "nats://127.0.0.1:"+n.client)
	}
	return strings.Join(all, ",")
}

// leader is the server that leads RAW, by what one of the servers says.
func (c *cluster) leader(ask *node) *node {
	c.t.Helper()
	var name string
	until(c.t, patience, "nobody leads RAW", func() bool {
		name = ask.streamLeader(feed.StreamRaw)
		return name != ""
	})
	i := slices.IndexFunc(c.nodes, func(n *node) bool { return n.name == name })
	if i < 0 {
		c.t.Fatalf("RAW is led by %q, which is none of ours", name)
	}
	return c.nodes[i]
}

// streamLeader is the name of the server that leads a stream; empty while that
// cannot be told.
func (n *node) streamLeader(stream string) string {
	resp, err := http.Get("http://127.0.0.1:" + n.monitor + "/jsz?streams=true")
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	var jsz struct {
		Accounts []struct {
			Streams []struct {
				Name    string
				Cluster struct{ Leader string }
			} `json:"stream_detail"`
		} `json:"account_details"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&jsz); err != nil {
		return ""
	}
	for _, a := range jsz.Accounts {
		for _, s := range a.Streams {
			if s.Name == stream {
				return s.Cluster.Leader
			}
		}
	}
	return ""
}

// goOn is how long the services may stand still once the servers have elected
// who leads the streams, on a busy machine. The election itself takes 4 to 9 s
// where it succeeds at once; that is theirs.
const goOn = 20 * time.Second

// TestClusterLosesANode kills the server that leads RAW, and when it is back
// another, while ingest and enrich work: both go on, no item is lost, and every
// event comes once.
func TestClusterLosesANode(t *testing.T) {
	t.Parallel()
	n := items(t) / 2 // 20 s of work at this rate, unless told otherwise
	const rate = 500
	w := world(t, 0)
	// A lease may end while the servers elect. The connection then ends too, with
	// what the network has in its buffers; hence the rewind.
	twitter, err := simulate.NewServer(simulate.Options{World: w, Items: uint64(n), Rate: rate, Resume: true, Rewind: uint64(n)})
	if err != nil {
		t.Fatal(err)
	}
	upstream := httptest.NewServer(twitter)
	t.Cleanup(func() { twitter.Close(); upstream.Close() })
	c := startCluster(t)
	if code := start(t, "blipstream", "ensure", "--nats", c.url(), "--replicas", "3").exit(patience); code != 0 {
		t.Fatalf("ensure ended with %d", code)
	}
	conn := connect(t, c.url())
	start(t, "enrich", "--nats", c.url(), "--no-ensure", told)
	start(t, "ingest", "--nats", c.url(), "--no-ensure", "--source",
		"twitter+"+upstream.URL+"/1.1/statuses/sample.json#"+source)

	until(t, patience, "no progress", func() bool { return count(t, conn, feed.StreamRaw) > n/4 })
	first := c.leader(c.nodes[0])
	c.killUnderLoad(conn, first, rate/5)
	first.run()
	until(t, patience, "the first does not come back", first.healthy)
	second := c.leader(first)
	if second == first {
		second = c.nodes[(slices.Index(c.nodes, first)+1)%len(c.nodes)]
	}
	c.killUnderLoad(conn, second, rate/5)

	killed := time.Now()
	c.check(conn, w, n)
	t.Logf("everything was settled %v after that", time.Since(killed).Round(time.Second))
}

// killUnderLoad kills a server, and waits until RAW and EVENTS have grown by
// more than was under way.
func (c *cluster) killUnderLoad(conn *bus.Conn, victim *node, more int) {
	c.t.Helper()
	streams := []string{feed.StreamRaw, feed.StreamEvents}
	want := map[string]int{}
	for _, stream := range streams {
		want[stream] = count(c.t, conn, stream) + more
	}
	victim.kill()
	began := time.Now()
	since := func() time.Duration { return time.Since(began).Round(time.Millisecond) }
	for _, stream := range streams {
		until(c.t, patience, "nobody leads "+stream, func() bool { return c.leads(stream, victim) })
	}
	c.t.Logf("%s was killed, and the servers had elected after %v", victim.name, since())
	elected := time.Now()
	for _, stream := range streams {
		until(c.t, goOn-time.Since(elected), stream+" stands still", func() bool { return count(c.t, conn, stream) > want[stream] })
		c.t.Logf("%s went on after %v", stream, since())
	}
}

// leads reports whether a server leads a stream while one is dead, by what the
// living say of themselves: of another they may say what was.
func (c *cluster) leads(stream string, dead *node) bool {
	return slices.ContainsFunc(c.nodes, func(n *node) bool { return n != dead && n.streamLeader(stream) == n.name })
}

// check waits for what n items yield, and for it to be there once.
func (c *cluster) check(conn *bus.Conn, w *simulate.World, n int) {
	c.t.Helper()
	want := want(w, n)
	settle(c.t, conn, want, patience+redelivery)
	once(c.t, want, ids(read(c.t, conn, feed.StreamEvents)))
	missing := payloads(w, n)
	for _, s := range read(c.t, conn, feed.StreamRaw) {
		delete(missing, string(s.Data))
	}
	if len(missing) > 0 {
		c.t.Errorf("%d of %d items are not in RAW", len(missing), n)
	}
}
