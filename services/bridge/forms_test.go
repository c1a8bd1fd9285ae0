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
