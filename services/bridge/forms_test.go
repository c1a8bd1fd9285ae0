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
	"strconv"
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

func TestCluster(t *testing.T) {
	red := startRedis(t, "--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1")
	c := red.client()
	if err := c.ClusterAddSlotsRange(t.Context(), 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	bustest.WaitFor(t, "the cluster is one", func() bool {
		info, err := c.ClusterInfo(t.Context()).Result()
		return err == nil && len(info) > 16 && info[:16] == "cluster_state:ok"
	})
	bothWays(t, red.url()+"?addr="+red.addr(), red)
}

func TestSentinel(t *testing.T) {
	red := startRedis(t)
	conf := filepath.Join(t.TempDir(), "sentinel.conf")
	text := "sentinel monitor main 127.0.0.1 " + strconv.Itoa(red.port) + " 1\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	sentinel := startRedisWith(t, func(s *redisServer) []string {
		return []string{conf, "--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--sentinel"}
	})
	bothWays(t, sentinel.url()+"?master_name=main", red)
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
