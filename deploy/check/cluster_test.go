package check_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/blipstream/blipstream/deploy/check"
	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
)

// envScaler is the variable that names the program in which KEDA's own code
// reads the lag (tools/keda). `./task k8s:keda` builds it and runs these tests.
const envScaler = "BLIPSTREAM_KEDA_SCALER"

// prodCluster is what the StatefulSet nats of overlays/prod runs: three servers
// that know each other and are known by the names of the manifests.
type prodCluster struct {
	secured
	nodes   []*bustest.Node
	names   string // the address of the server that knows these names
	trigger map[string]string
}

// startProd runs the servers. Ports, routes, TLS, users and limits are those of
// the manifests; addresses of the loopback stand for those of the pods.
func startProd(t *testing.T) prodCluster {
	t.Helper()
	objects := combined(t, "prod").objects
	c := prodCluster{secured: secured{dir: t.TempDir()}, trigger: trigger(t, objects)}
	c.makeUsers(t)
	certify(t, c.dir, certified(t))
	addresses, table := loopbacks(t), map[string][]string{}
	var files []string
	for i, a := range addresses {
		pod := "nats-" + strconv.Itoa(i)
		for _, suffix := range []string{"", ".blipstream.svc.cluster.local"} {
			table[pod+".nats-headless"+suffix] = []string{a}
			table["nats-headless"+suffix] = append(table["nats-headless"+suffix], a)
			table["nats"+suffix] = append(table["nats"+suffix], a)
		}
		files = append(files, c.configure(t, objects, pod))
	}
	c.names = serveNames(t, table)
	resolveBy(t, c.names)
	t.Setenv("POD_NAME", "nats-0")
	c.nodes = bustest.StartNodes(t, addresses, files)
	return c
}

// trigger is what the ScaledObject tells KEDA.
func trigger(t *testing.T, objects []check.Object) map[string]string {
	t.Helper()
	for _, o := range objects {
		for _, tr := range o.Spec.Triggers {
			return tr.Metadata
		}
	}
	t.Fatal("there is no ScaledObject")
	return nil
}

// certified are the names that the document has the certificate made for.
func certified(t *testing.T) []string {
	t.Helper()
	m := regexp.MustCompile(`subjectAltName=([^']*)'`).FindStringSubmatch(document(t))
	if m == nil {
		t.Fatal("docs/operations.md makes no certificate")
	}
	return strings.Split(strings.ReplaceAll(m[1], "DNS:", ""), ",")
}

// loopbacks are three addresses of this machine on which nobody serves what a
// NATS server does.
func loopbacks(t *testing.T) []string {
	t.Helper()
	var free []string
	for range 100 {
		a := fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(254), rand.IntN(255), 1+rand.IntN(254))
		if !slices.ContainsFunc([]string{"4222", "6222", "8222"}, func(port string) bool { return taken(net.JoinHostPort(a, port)) }) {
			if free = append(free, a); len(free) == 3 {
				return free
			}
		}
	}
	t.Fatal("no address of the loopback is free")
	return nil
}

// taken reports whether an address cannot be listened on.
func taken(address string) bool {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return true
	}
	return l.Close() != nil
}

// configure writes a pod's configuration as it is mounted into it, and returns
// the file to start with. Folders are this test's.
func (c prodCluster) configure(t *testing.T, objects []check.Object, pod string) string {
	t.Helper()
	dir := filepath.Join(c.dir, pod)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	local := strings.NewReplacer("/etc/nats-tls", c.dir, "/var/run/nats", dir, "store_dir: /data", "store_dir: "+dir, "$POD_NAME", pod)
	for _, o := range objects {
		if o.Kind == "ConfigMap" && strings.HasPrefix(o.Metadata.Name, "nats-config") {
			for name, text := range o.Data {
				save(t, filepath.Join(dir, name), []byte(local.Replace(text)))
			}
		}
	}
	return filepath.Join(dir, "nats.conf")
}

// dialProd connects as the services on Kubernetes do.
func (c prodCluster) dialProd(t *testing.T, name, user string) *bus.Conn {
	t.Helper()
	conn, err := bus.Connect(bus.Options{
		Name: name, URL: "tls://nats:4222", CA: filepath.Join(c.dir, "ca.crt"), NKey: filepath.Join(c.dir, user+".seed"),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bustest.Close(conn) })
	return conn
}

// leader is the server that leads the consumer of enrich.
func (c prodCluster) leader(t *testing.T) (found *bustest.Node) {
	t.Helper()
	bustest.WaitFor(t, "nobody leads the consumer", func() bool {
		for _, n := range c.nodes {
			if n.LeadsConsumer(c.trigger["account"], c.trigger["stream"], c.trigger["consumer"]) {
				found = n
				return true
			}
		}
		return false
	})
	return found
}

// lag is what a server tells of the consumer of enrich where KEDA asks it.
func (c prodCluster) lag(t *testing.T, n *bustest.Node) int {
	t.Helper()
	url := fmt.Sprintf("http://%s.%s/jsz?consumers=true&acc=%s", n.Name(), c.trigger["natsServerMonitoringEndpoint"], c.trigger["account"])
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var jsz struct {
		Accounts []struct {
			Streams []struct {
				Consumers []struct {
					Stream     string `json:"stream_name"`
					Name       string `json:"name"`
					Pending    int    `json:"num_pending"`
					AckPending int    `json:"num_ack_pending"`
				} `json:"consumer_detail"`
			} `json:"stream_detail"`
		} `json:"account_details"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&jsz); err != nil {
		t.Fatal(err)
	}
	for _, a := range jsz.Accounts {
		for _, s := range a.Streams {
			for _, c := range s.Consumers {
				if c.Stream == feed.StreamRaw && c.Name == bus.DurableEnrich {
					return c.Pending + c.AckPending
				}
			}
		}
	}
	return -1
}

// waiting is how many items wait in the tests of the lag.
const waiting = 3000

// TestProdFormsACluster starts the servers of overlays/prod from its rendered
// configuration: they find each other over TLS by the names of the manifests,
// hold every stream three times, and the leader of the consumer tells the lag
// where the ScaledObject has KEDA look for it. Where KEDA's own code is built,
// it reads the lag, too, also after the leader has stepped down.
func TestProdFormsACluster(t *testing.T) {
	c := startProd(t)
	owner := c.dialProd(t, "ensure", "bootstrap")
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	layout := bus.DefaultLayout()
	layout.Replicas = len(c.nodes)
	if err := owner.Ensure(ctx, layout); err != nil {
		t.Fatal(err)
	}
	items := make([]feed.Item, waiting)
	for i := range items {
		items[i] = feed.Item{ID: strconv.Itoa(i), Source: "demo", Format: feed.FormatTwitterV1, Data: []byte("{}")}
	}
	bustest.PublishRaw(t, c.dialProd(t, "ingest", "ingest"), items...)
	scaler := startScaler(t, c)
	for range 4 {
		leader := c.leader(t)
		bustest.WaitFor(t, "the leader does not tell the lag", func() bool { return c.lag(t, leader) == waiting })
		scaler.expect(t, waiting)
		leader.StepDown(c.trigger["account"], c.trigger["stream"], c.trigger["consumer"])
	}
}

// scaler is the program in which KEDA's own code runs; nil where it is not
// built.
type scaler struct {
	ask  io.Writer
	told *bufio.Scanner
}

// startScaler gives KEDA's code what the ScaledObject says.
func startScaler(t *testing.T, c prodCluster) *scaler {
	t.Helper()
	program := os.Getenv(envScaler)
	if program == "" {
		t.Logf("without KEDA's own code: %s is not set", envScaler)
		return nil
	}
	metadata, err := json.Marshal(c.trigger)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, c.names, string(metadata))
	cmd.Stderr = t.Output()
	ask, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	told, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ask.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v", program, err)
		}
	})
	return &scaler{ask, bufio.NewScanner(told)}
}

// expect has KEDA's code read the lag, which it may say it cannot while a
// leader is elected. A number it tells must be right.
func (s *scaler) expect(t *testing.T, lag int) {
	t.Helper()
	if s == nil {
		return
	}
	bustest.WaitFor(t, "KEDA cannot read the lag", func() bool {
		fmt.Fprintln(s.ask)
		if !s.told.Scan() {
			t.Fatalf("KEDA's code has ended: %v", s.told.Err())
		}
		text := s.told.Text()
		t.Logf("KEDA reads: %s", text)
		if strings.HasPrefix(text, "error: ") {
			return false
		}
		if want := fmt.Sprintf("%d active=true", lag); text != want {
			t.Errorf("KEDA reads %q, want %q", text, want)
		}
		return true
	})
}
