package bridge_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/bridge"
)

// bothWays proves that a bridge copies out to and in from a Redis.
func bothWays(t *testing.T, url string, red *redisServer) {
	t.Helper()
	srv := bustest.Start(t)
	conn := srv.Conn(t, "bridge")
	cfg := config(red, bridge.In, bridge.Out)
	cfg.Redis = url
	r := run(t, conn, cfg)
	ear := red.listen("events")
	red.subscribed("events")
	bustest.Publish(t, conn, feed.StreamEvents, blips(1, 2000)...)
	bustest.WaitFor(t, "events are heard", func() bool { return ear.count() == 2000 })
	checkOrder(t, numbers(t, ear.heard()), 1, 2000, 0)
	if err := red.client().Publish(t.Context(), "twitter_raw", rawTweet(1, "x")).Err(); err != nil {
		t.Fatal(err)
	}
	bustest.WaitFor(t, "a tweet is stored", func() bool { return r.metric("passed_total", "twitter_raw") == 1 })
}

// node starts one node of a cluster, which has some of the slots.
func node(t *testing.T, from, to int) *redisServer {
	t.Helper()
	red := startRedis(t, "--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1", "--cluster-port", strconv.Itoa(freePort(t)))
	if err := red.client().ClusterAddSlotsRange(t.Context(), from, to).Err(); err != nil {
		t.Fatal(err)
	}
	return red
}

// joined waits until all nodes know the whole cluster.
func joined(t *testing.T, nodes ...*redisServer) {
	t.Helper()
	bustest.WaitFor(t, "the cluster is one", func() bool {
		for _, n := range nodes {
			info, err := n.client().ClusterInfo(t.Context()).Result()
			if err != nil || !strings.Contains(info, "cluster_state:ok") ||
				!strings.Contains(info, "cluster_known_nodes:"+strconv.Itoa(len(nodes))) {
				return false
			}
		}
		return true
	})
}

func TestCluster(t *testing.T) {
	red := node(t, 0, 16383)
	joined(t, red)
	bothWays(t, red.url()+"?addr="+red.addr(), red)
}

// A node of a cluster counts its own subscribers only; the bridge asks all.
func TestClusterCountsTheSubscribersOfAllNodes(t *testing.T) {
	t.Parallel()
	nodes := []*redisServer{node(t, 0, 5000), node(t, 5001, 10000), node(t, 10001, 16383)}
	port := clusterPort(t, nodes[0])
	for _, n := range nodes[1:] {
		// CLUSTER MEET with the bus port, which go-redis does not spell.
		if err := n.client().Do(t.Context(), "CLUSTER", "MEET", "127.0.0.1", nodes[0].port, port).Err(); err != nil {
			t.Fatal(err)
		}
	}
	joined(t, nodes...)
	srv := bustest.Start(t)
	conn := srv.Conn(t, "bridge")
	cfg := config(nodes[0], bridge.Off, bridge.Out)
	cfg.Redis += "&addr=" + nodes[1].addr()
	r := run(t, conn, cfg)
	id := 0
	for i, n := range nodes { // wherever the bridge publishes, two of three are elsewhere
		ear := n.listen("events")
		n.subscribed("events")
		bustest.WaitFor(t, "a message that is counted", func() bool {
			before, heard := r.metric("unheard_total"), ear.count()
			id++
			bustest.Publish(t, conn, feed.StreamEvents, blips(id, id)...)
			bustest.WaitFor(t, "it is heard", func() bool { return ear.count() > heard })
			return r.metric("receivers") == float64(i+1) && r.metric("unheard_total") == before
		})
	}
}

// clusterPort is where a node speaks to the others.
func clusterPort(t *testing.T, n *redisServer) string {
	t.Helper()
	for i, arg := range n.args {
		if arg == "--cluster-port" {
			return n.args[i+1]
		}
	}
	t.Fatal("no port for the cluster")
	return ""
}

// sentinel watches the master, which it calls main.
func sentinel(t *testing.T, master *redisServer) *redisServer {
	t.Helper()
	conf := filepath.Join(t.TempDir(), "sentinel.conf")
	text := "sentinel monitor main 127.0.0.1 " + strconv.Itoa(master.port) + " 1\n" +
		"sentinel down-after-milliseconds main 1000\nsentinel failover-timeout main 3000\n"
	return startRedisWith(t, func(s *redisServer) []string {
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return []string{conf, "--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--sentinel"}
	})
}

func TestSentinel(t *testing.T) {
	red := startRedis(t)
	bothWays(t, sentinel(t, red).url()+"?master_name=main", red)
}

// TestSentinelFailsOver kills the master under load. A replica hands on what
// the master publishes, so a listener there hears the bridge before and after.
func TestSentinelFailsOver(t *testing.T) {
	t.Parallel()
	master := startRedis(t)
	replica := startRedis(t, "--replicaof", "127.0.0.1 "+strconv.Itoa(master.port))
	bustest.WaitFor(t, "the replica follows", func() bool {
		info, err := master.client().Info(t.Context(), "replication").Result()
		return err == nil && strings.Contains(info, "state=online")
	})
	s := sentinel(t, master)
	bustest.WaitFor(t, "the sentinel knows the replica", func() bool {
		info, err := s.client().Info(t.Context(), "sentinel").Result()
		return err == nil && strings.Contains(info, "slaves=1")
	})
	srv := bustest.Start(t)
	conn := srv.Conn(t, "bridge")
	cfg := config(master, bridge.Off, bridge.Out)
	cfg.Redis = s.url() + "?master_name=main"
	r := run(t, conn, cfg)
	ear := replica.listen("events")
	replica.subscribed("events")
	l := startLoad(t, conn)
	bustest.WaitFor(t, "the load flows", func() bool { return ear.count() > 300 })
	master.kill()
	bustest.WaitFor(t, "the bridge notices", func() bool { return !r.up() })
	gone := l.sent()
	bustest.WaitFor(t, "the load flows again", func() bool { return ear.count() > gone+300 })
	l.stop()
	bustest.WaitFor(t, "everything since is heard", func() bool {
		said := numbers(t, ear.heard())
		return said[len(said)-1] == l.sent()
	})
	said := numbers(t, ear.heard())
	after := slices.Index(said, gone)
	if after < 0 {
		t.Fatalf("%d, sent after the master was gone, was not heard", gone)
	}
	checkOrder(t, said[after:], gone, l.sent(), 2*512)
}

func TestTLS(t *testing.T) {
	cert, key := certificate(t)
	port := freePort(t)
	red := startRedis(t, "--tls-port", strconv.Itoa(port), "--tls-auth-clients", "no", "--tls-cert-file", cert, "--tls-key-file", key,
		"--tls-ca-cert-file", cert)
	bothWays(t, "rediss://127.0.0.1:"+strconv.Itoa(port)+"?skip_verify=true", red)
}

// certificate writes a self-signed certificate and its key.
func certificate(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "redis"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "EC PRIVATE KEY", Bytes: keyDER},
	} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}
