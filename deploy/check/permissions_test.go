package check_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nkeys"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/services/bridge"
	"github.com/blipstream/blipstream/services/enrich"
	"github.com/blipstream/blipstream/services/gateway"
	"github.com/blipstream/blipstream/services/ingest"
)

// patience bounds what normally takes a second or two.
const patience = 30 * time.Second

// users are those of the component nats-tls-auth.
func users() []string {
	return []string{"sys", "operator", "bootstrap", "ingest", "enrich", "gateway", "bridge"}
}

// secured is a server that runs the component's own auth.conf.
type secured struct {
	*bustest.Server
	dir string
}

// startSecured makes keys and a certificate for this test alone. more is added
// to the configuration.
func startSecured(t *testing.T, more string) secured {
	t.Helper()
	s := secured{dir: t.TempDir()}
	s.makeUsers(t)
	certify(t, s.dir, nil)
	conf, err := os.ReadFile(filepath.Join(manifests, "components/nats-tls-auth/auth.conf"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(s.dir, "auth.conf")
	save(t, file, []byte(strings.ReplaceAll(string(conf), "/etc/nats-tls", s.dir)+more))
	s.Server = bustest.Start(t, bustest.ConfigFile(file))
	return s
}

// makeUsers makes a key for each user: its seed in a file, its public half in
// the environment, as the Secrets do.
func (s secured) makeUsers(t *testing.T) {
	t.Helper()
	for _, u := range users() {
		pair, err := nkeys.CreateUser()
		if err != nil {
			t.Fatal(err)
		}
		seed, _ := pair.Seed()
		public, _ := pair.PublicKey()
		save(t, filepath.Join(s.dir, u+".seed"), seed)
		t.Setenv("NKEY_"+strings.ToUpper(u), public)
	}
}

func save(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// certify makes an authority of its own, and a certificate for the loopback and
// some names.
func certify(t *testing.T, dir string, names []string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "nats"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	save(t, filepath.Join(dir, "tls.crt"), public)
	save(t, filepath.Join(dir, "ca.crt"), public)
	save(t, filepath.Join(dir, "tls.key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
}

// dial connects as a service does that has the user's Secret.
func (s secured) dial(t *testing.T, name, user string, reg prometheus.Registerer) *bus.Conn {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	return s.Dial(t, bus.Options{
		Name: name, Metrics: reg, Log: log, CA: filepath.Join(s.dir, "ca.crt"), NKey: filepath.Join(s.dir, user+".seed"),
	})
}

// member is a service that runs with its own user.
type member struct {
	name string
	conn *bus.Conn
	reg  *prometheus.Registry
}

// run makes a service and runs it until the test ends.
func (s secured) run(t *testing.T, name string, create func(*bus.Conn, service.Env) (service.Runner, error)) member {
	t.Helper()
	m := member{name: name, reg: prometheus.NewRegistry()}
	m.conn = s.dial(t, name, name, m.reg)
	env := service.Nop()
	env.Metrics = m.reg
	runner, err := create(m.conn, env)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- runner.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("%s: %v", name, err)
		}
	})
	return m
}

// errors are what NATS reported to a member outside of any call: refused
// permissions above all.
func (m member) errors(t *testing.T) float64 {
	t.Helper()
	families, err := m.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "blipstream_bus_errors_total" {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatalf("%s has no metric of errors", m.name)
	return 0
}

// The whole line works over TLS with the permissions of nats-tls-auth, and no
// service asks for one that it has not: also with the form of acknowledgements
// that servers are to take to, which names the domain and the account.
func TestLeastPrivilege(t *testing.T) {
	for name, more := range map[string]string{
		"AckFormat1": "", "AckFormat2": "\nfeature_flags { js_ack_fc_v2: true }\n",
	} {
		t.Run(name, func(t *testing.T) { leastPrivilege(t, startSecured(t, more)) })
	}
}

func leastPrivilege(t *testing.T, s secured) {
	t.Helper()
	owner := s.dial(t, "ensure", "bootstrap", nil)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := owner.Ensure(ctx, bustest.Layout()); err != nil {
		t.Fatal(err)
	}
	var served *gateway.Service
	members := []member{
		s.run(t, "ingest", func(c *bus.Conn, env service.Env) (service.Runner, error) {
			return ingest.New(defaults[ingest.Config](t, "--source=demo:?rate=200"), c, env)
		}),
		s.run(t, "enrich", func(c *bus.Conn, env service.Env) (service.Runner, error) {
			return enrich.New(defaults[enrich.Config](t, "--rules=kv:rules"), c, env)
		}),
		s.run(t, "gateway", func(c *bus.Conn, env service.Env) (service.Runner, error) {
			g, err := gateway.New(defaults[gateway.Config](t, "--addr=127.0.0.1:0"), c, env)
			served = g
			return g, err
		}),
		s.run(t, "bridge", func(c *bus.Conn, env service.Env) (service.Runner, error) {
			return bridge.New(defaults[bridge.Config](t, "--events=out", "--twitter-raw=out", "--redis="+redisURL(t)), c, env)
		}),
	}
	read(t, "http://"+served.Addr()+"/events?since=1h", "event: simple_tweet", 50)
	read(t, "http://"+served.Addr()+"/live", "event: stats", 2)
	spareWork(ctx, t, s.dial(t, "operator", "operator", nil), members[1].conn, members[2].conn)
	bridged := members[3]
	bustest.WaitFor(t, "nothing reaches Redis", func() bool {
		n, err := testutil.GatherAndCount(bridged.reg, "blipstream_bridge_passed_total")
		return err == nil && n == 2 && total(t, bridged.reg, "blipstream_bridge_passed_total") > 20
	})
	for _, m := range members {
		if err := m.conn.Ready(); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
		if n := m.errors(t); n != 0 {
			t.Errorf("%s was refused %v permissions", m.name, n)
		}
	}
}

// A bridge that copies in needs other permissions than one that copies out.
func TestLeastPrivilegeOfABridgeInwards(t *testing.T) {
	s := startSecured(t, "")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.dial(t, "ensure", "bootstrap", nil).Ensure(ctx, bustest.Layout()); err != nil {
		t.Fatal(err)
	}
	redis := redisURL(t)
	m := s.run(t, "bridge", func(c *bus.Conn, env service.Env) (service.Runner, error) {
		return bridge.New(defaults[bridge.Config](t, "--events=in", "--twitter-raw=in", "--redis="+redis), c, env)
	})
	say := func(channel, message string) {
		// Neither Redis nor the bridge may be there yet: it is said again.
		_ = exec.CommandContext(ctx, "redis-cli", "-u", redis, "publish", channel, message).Run()
	}
	operator := s.dial(t, "operator", "operator", nil)
	for stream, speak := range map[string]func(){
		feed.StreamRaw: func() { say("twitter_raw", `{"id_str":"1","text":"a","user":{"screen_name":"b"}}`) },
		feed.StreamEvents: func() {
			say("events", `{"kind":"simple_tweet","body":"{\"username\":\"b\",\"name\":\"B\",\"body\":\"a\"}"}`)
		},
		feed.StreamDead: func() { say("events", "no JSON") },
	} {
		bustest.WaitFor(t, "nothing comes into "+stream, func() bool {
			speak()
			state, err := operator.Stream(ctx, stream)
			return err == nil && state.Messages > 0
		})
	}
	if err := m.conn.Ready(); err != nil || m.errors(t) != 0 {
		t.Errorf("it was refused %v permissions: %v", m.errors(t), err)
	}
}

// spareWork does what the services do only now and then: rules that change,
// names of authors that are kept, tickets of the sign-in.
func spareWork(ctx context.Context, t *testing.T, operator, enrich, gateway *bus.Conn) {
	t.Helper()
	_, err := operator.PutValue(ctx, bus.BucketRules, "current", bus.Value{Data: []byte("rules: []\n")})
	if err != nil {
		t.Error(err)
	}
	if _, err := enrich.PutValue(ctx, bus.BucketProfiles, "someone", bus.Value{Data: []byte("{}")}); err != nil {
		t.Error(err)
	}
	if _, err := enrich.GetValue(ctx, bus.BucketProfiles, "someone"); err != nil {
		t.Error(err)
	}
	if _, err := enrich.PutValue(ctx, bus.BucketTrial, "enrich.1-a", bus.Value{Data: []byte("1")}); err != nil {
		t.Error(err)
	}
	if _, err := enrich.GetValue(ctx, bus.BucketTrial, "enrich.1-a"); err != nil {
		t.Error(err)
	}
	if err := gateway.StoreTicket(ctx, "digest", []byte("x")); err != nil {
		t.Error(err)
	}
	if _, err := gateway.TakeTicket(ctx, "digest"); err != nil {
		t.Error(err)
	}
}

// total sums a metric over its labels.
func total(t *testing.T, reg *prometheus.Registry, name string) (sum float64) {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

// redisURL is a real redis-server's, on a free port of the loopback.
func redisURL(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir())
	if err := cmd.Start(); err != nil {
		t.Fatalf("redis-server (package redis-server): %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return "redis://" + addr
}

// read reads a stream until it has held line n times.
func read(t *testing.T, url, line string, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	scanner := bufio.NewScanner(resp.Body)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		if strings.HasPrefix(scanner.Text(), line) {
			if n--; n == 0 {
				return
			}
		}
	}
	t.Fatalf("%s: %d of %q are missing: %v", url, n, line, scanner.Err())
}

// A service cannot do what is another's.
func TestForeignWorkIsRefused(t *testing.T) {
	s := startSecured(t, "")
	owner := s.dial(t, "ensure", "bootstrap", nil)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := owner.Ensure(ctx, bustest.Layout()); err != nil {
		t.Fatal(err)
	}
	for user, subject := range map[string]string{
		"ingest":  feed.EventSubject(feed.KindSimpleTweet),
		"enrich":  feed.RawSubject("demo"),
		"gateway": feed.RawSubject("demo"),
		"bridge":  "$KV.cursor.ingest.demo",
		"ensure":  feed.RawSubject("demo"),
	} {
		reg := prometheus.NewRegistry()
		seed := user
		if user == "ensure" {
			seed = "bootstrap"
		}
		conn := s.dial(t, user, seed, reg)
		if err := conn.WaitConnected(ctx); err != nil {
			t.Fatal(err)
		}
		p, err := conn.NewPublisher(bus.PublisherOptions{Stream: feed.StreamRaw})
		if err != nil {
			t.Fatal(err)
		}
		err = p.Publish(ctx, []bus.Msg{{Subject: subject, ID: "x", Data: []byte("{}")}}, func(error) {})
		if err != nil {
			t.Fatal(err)
		}
		m := member{user, conn, reg}
		bustest.WaitFor(t, user+" may publish to "+subject, func() bool { return m.errors(t) > 0 })
	}
}
