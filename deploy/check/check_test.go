package check_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/yannh/kubeconform/pkg/validator"

	"github.com/blipstream/blipstream/cmd/blipstream/streams"
	"github.com/blipstream/blipstream/deploy/check"
	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/conf"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/services/bridge"
	"github.com/blipstream/blipstream/services/enrich"
	"github.com/blipstream/blipstream/services/gateway"
	"github.com/blipstream/blipstream/services/ingest"
)

const (
	manifests  = "../k8s"
	operations = "../../docs/operations.md"
)

// combination is something that is applied: an overlay, or a test's choice of
// components.
type combination struct {
	name    string
	text    []byte
	objects []check.Object
}

// combinations builds them all.
func combinations(t *testing.T) []combination {
	t.Helper()
	var all []combination
	for _, pattern := range []string{"overlays/*", "tests/*"} {
		dirs, err := filepath.Glob(filepath.Join(manifests, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, dir := range dirs {
			text, objects, err := check.Render(dir)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, combination{filepath.Base(dir), text, objects})
		}
	}
	return all
}

// combined is one of them.
func combined(t *testing.T, name string) combination {
	t.Helper()
	for _, c := range combinations(t) {
		if c.name == name {
			return c
		}
	}
	t.Fatalf("there is no combination %s", name)
	return combination{}
}

// outside are the Secrets that docs/operations.md tells to make.
func outside(t *testing.T) check.Outside {
	t.Helper()
	var out check.Outside
	for _, m := range regexp.MustCompile(`kubectl .*create secret (?:generic|tls) ([a-z-]+)`).FindAllStringSubmatch(document(t), -1) {
		out.Secrets = append(out.Secrets, m[1])
	}
	return out
}

func document(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(operations)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Each component is tried alone, and there is a combination of all that go
// together.
func TestEveryComponentIsTried(t *testing.T) {
	dirs, err := filepath.Glob(filepath.Join(manifests, "components/*"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no components: %v", err)
	}
	for _, d := range dirs {
		if _, err := os.Stat(filepath.Join(manifests, "tests", filepath.Base(d), "kustomization.yaml")); err != nil {
			t.Errorf("component %s is not tried alone: %v", filepath.Base(d), err)
		}
	}
}

// Every object meets its schema, without a field that the schema does not know.
func TestSchemas(t *testing.T) {
	v, err := validator.New([]string{"schemas/{{.ResourceKind}}{{.KindSuffix}}.json"}, validator.Opts{Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range combinations(t) {
		for _, r := range v.Validate(c.name, io.NopCloser(bytes.NewReader(c.text))) {
			if r.Status != validator.Valid && r.Status != validator.Empty {
				t.Errorf("%s: %v", c.name, r.Err)
			}
		}
	}
	wrong := "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: x}\nautomountToken: false\n"
	for _, r := range v.Validate("wrong", io.NopCloser(strings.NewReader(wrong))) {
		if r.Status == validator.Valid {
			t.Error("a field that nobody knows was let through")
		}
	}
}

// What refers to something refers to something that is there.
func TestReferences(t *testing.T) {
	out := outside(t)
	for _, c := range combinations(t) {
		for _, bad := range check.References(c.objects, out) {
			t.Errorf("%s: %s", c.name, bad)
		}
	}
}

// Pods are as the restricted standard wants them and do not share what one of
// them could take from all: see also the labels of the namespace.
func TestPods(t *testing.T) {
	for _, c := range combinations(t) {
		for _, bad := range check.Pods(c.objects) {
			t.Errorf("%s: %s", c.name, bad)
		}
	}
}

// programs parse the flags and the environment of each image, as its process
// does.
func programs() map[string]func(args []string) error {
	return map[string]func([]string) error{
		"ingest":    parse[ingest.Config],
		"enrich":    parse[enrich.Config],
		"gateway":   parse[gateway.Config],
		"bridge":    parse[bridge.Config],
		"bootstrap": parseBootstrap,
	}
}

func parseBootstrap(args []string) error {
	var cli struct {
		conf.Log `embed:""`
		Ensure   streams.Ensure `embed:""`
	}
	_, err := conf.Program{Name: "check", Out: io.Discard, Err: io.Discard}.Parse(&cli, args)
	return err
}

func parse[C any](args []string) error {
	var cli struct {
		Common  conf.Common `embed:""`
		Service C           `embed:""`
	}
	_, err := conf.Program{Name: "check", Out: io.Discard, Err: io.Discard}.Parse(&cli, args)
	return err
}

// The programs know every flag and variable that the manifests give them.
func TestPrograms(t *testing.T) {
	known := programs()
	for _, c := range combinations(t) {
		for _, p := range check.Processes(c.objects) {
			parse, ours := known[p.Name]
			if !ours {
				continue
			}
			t.Run(c.name+"/"+p.Name, func(t *testing.T) {
				for k, v := range p.Env {
					t.Setenv(k, v)
				}
				if err := parse(p.Args); err != nil {
					t.Error(err)
				}
				if p.Name == "bootstrap" {
					return
				}
				if p.Env["BLIPSTREAM_ENSURE"] != "false" {
					t.Error("streams have one owner, and it is not this one")
				}
				if !strings.HasSuffix(p.Env["BLIPSTREAM_ADMIN_ADDR"], ":9090") {
					t.Error("the port of the probes is not served")
				}
			})
		}
	}
}

// exported are all metrics of the four services, and the labels of each.
func exported(t *testing.T) map[string][]string {
	t.Helper()
	reg := prometheus.NewRegistry()
	env := service.Nop()
	env.Metrics = reg
	conn := bustest.Start(t).Dial(t, bus.Options{Name: "check", Metrics: reg})
	makers := map[string]func() error{
		"ingest": func() error { _, err := ingest.New(defaults[ingest.Config](t), conn, env); return err },
		"enrich": func() error { _, err := enrich.New(defaults[enrich.Config](t), conn, env); return err },
		"gateway": func() error {
			_, err := gateway.New(defaults[gateway.Config](t, "--addr=127.0.0.1:0"), conn, env)
			return err
		},
		"bridge": func() error { _, err := bridge.New(defaults[bridge.Config](t, "--events=out"), conn, env); return err },
	}
	for name, create := range makers {
		if err := create(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	described := make(chan *prometheus.Desc)
	go func() {
		reg.Describe(described)
		close(described)
	}()
	metrics := map[string][]string{}
	for d := range described {
		name, labels := nameAndLabels(t, d)
		metrics[name] = labels
	}
	return metrics
}

var (
	descForm  = regexp.MustCompile(`^Desc\{fqName: "([a-z0-9_]+)", .*, constLabels: \{(.*)\}, variableLabels: \{(.*)\}\}$`)
	constForm = regexp.MustCompile(`([a-z_]+)="`)
)

// nameAndLabels are what a metric is described by.
func nameAndLabels(t *testing.T, d *prometheus.Desc) (string, []string) {
	t.Helper()
	m := descForm.FindStringSubmatch(d.String())
	if m == nil {
		t.Fatalf("cannot read %s", d)
	}
	labels := strings.Split(m[3], ",")
	for _, c := range constForm.FindAllStringSubmatch(m[2], -1) {
		labels = append(labels, c[1])
	}
	return m[1], labels
}

// defaults is a service's configuration as its flags make it.
func defaults[C any](t *testing.T, args ...string) C {
	t.Helper()
	var cli struct {
		Service C `embed:""`
	}
	if _, err := (conf.Program{Name: "check", Out: io.Discard, Err: io.Discard}).Parse(&cli, args); err != nil {
		t.Fatal(err)
	}
	return cli.Service
}

// Rules, dashboards and scaling read metrics that the services export.
func TestMetrics(t *testing.T) {
	known := exported(t)
	all := check.Metrics(combined(t, "all").objects)
	if len(all) < 10 {
		t.Errorf("found only %d metrics in the manifests", len(all))
	}
	for _, m := range all {
		if known[m] == nil {
			t.Errorf("no service exports %s", m)
		}
	}
	for _, q := range check.Queries(combined(t, "all").objects) {
		for _, bad := range q.Problems(known) {
			t.Errorf("%s: %s: %s", q.Where, q.Expr, bad)
		}
	}
}

// What Prometheus would refuse, or never answer, is found.
func TestWrongQueriesAreFound(t *testing.T) {
	known := map[string][]string{"blipstream_x_total": {"outcome"}, "blipstream_y_seconds": {"kind"}}
	for expr, want := range map[string]string{
		"sum by (what) (rate(blipstream_x_total[5m]))":                         "groups by what",
		`blipstream_x_total{what="a"} > 0`:                                     "no label what",
		"sum by (outcome (blipstream_x_total)":                                 "",
		"raet(blipstream_x_total[5m]) > 0":                                     "raet",
		"sum(blipstream_x_total) > 0":                                          "names the label outcome",
		"absent(blipstream_x_total)":                                           "names the label outcome",
		"histogram_quantile(0.5, sum by (kind) (blipstream_y_seconds_bucket))": "names the label outcome",
		"sum by (le, outcome) (blipstream_x_total) > 0":                        "groups by le",
	} {
		bad := strings.Join(check.Query{Expr: expr, Named: []string{"outcome"}}.Problems(known), "; ")
		if bad == "" || !strings.Contains(bad, want) {
			t.Errorf("%s: found %q, want %q", expr, bad, want)
		}
	}
	for _, expr := range []string{
		`sum by (outcome) (increase(blipstream_x_total{pod="a"}[15m])) > 1`, `absent(blipstream_x_total{outcome="a"})`,
	} {
		if bad := (check.Query{Expr: expr, Named: []string{"outcome"}}).Problems(known); len(bad) > 0 {
			t.Errorf("%s: %q", expr, bad)
		}
	}
}

// Every alert is explained to who gets it.
func TestAlertsAreExplained(t *testing.T) {
	text := document(t)
	for _, a := range check.Alerts(combined(t, "monitoring").objects) {
		if !strings.Contains(text, "`"+a+"`") {
			t.Errorf("docs/operations.md does not explain %s", a)
		}
	}
}

// The scaling reads the lag of the consumer that enrich reads by.
func TestScalingReadsEnrichsLag(t *testing.T) {
	found := 0
	for _, o := range combined(t, "keda").objects {
		for _, trigger := range o.Spec.Triggers {
			found++
			m := trigger.Metadata
			if m["stream"] != feed.StreamRaw || m["consumer"] != bus.DurableEnrich {
				t.Errorf("it reads consumer %s of stream %s", m["consumer"], m["stream"])
			}
			if host, _, _ := strings.Cut(m["natsServerMonitoringEndpoint"], "."); host != "nats-headless" {
				t.Errorf("only the consumer's leader knows the lag, and %s does not lead to it", host)
			}
		}
	}
	if found != 1 {
		t.Errorf("%d triggers", found)
	}
}

// Who may talk to whom is what the document says, edge for edge.
func TestEdges(t *testing.T) {
	_, rest, ok := strings.Cut(document(t), "<!-- edges -->")
	told, _, ended := strings.Cut(rest, "<!-- end of edges -->")
	if !ok || !ended {
		t.Fatal("docs/operations.md has no list of edges")
	}
	var want []string
	for line := range strings.Lines(told) {
		if line = strings.TrimSpace(line); strings.Contains(line, " -> ") {
			want = append(want, line)
		}
	}
	got := check.Edges(combined(t, "network-policies").objects)
	for _, e := range got {
		if !slices.Contains(want, e) {
			t.Errorf("allowed and not told: %s", e)
		}
	}
	for _, e := range want {
		if !slices.Contains(got, e) {
			t.Errorf("told and not allowed: %s", e)
		}
	}
}

// No kind of object that holds secrets is in the manifests.
func TestNoSecrets(t *testing.T) {
	for _, c := range combinations(t) {
		for _, o := range c.objects {
			if o.Kind == "Secret" {
				t.Errorf("%s: %s", c.name, o)
			}
		}
	}
}

// The checks find what they are for: each mistake below is one that neither a
// schema nor a server sees.
func TestMistakesAreFound(t *testing.T) {
	text := string(combined(t, "all").text)
	mistakes := map[string]struct{ from, to, want string }{
		"probe port":      {"path: /readyz\n            port: admin", "path: /readyz\n            port: metrics", "probe names a port"},
		"config map":      {"name: enrich-config-", "name: enrich-konfig-", "is not there"},
		"selector":        {"app.kubernetes.io/name: gateway", "app.kubernetes.io/name: gatewai", ""},
		"scale target":    {"scaleTargetRef:\n    name: enrich", "scaleTargetRef:\n    name: enriched", "is not there"},
		"target port":     {"targetPort: http", "targetPort: https", "is not one of the pods'"},
		"backend":         {"backendRefs:\n    - name: gateway", "backendRefs:\n    - name: portal", "is not there"},
		"headless":        {"serviceName: nats-headless", "serviceName: nats-heedless", "is not there"},
		"service account": {"serviceAccountName: ingest", "serviceAccountName: digest", "is not there"},
	}
	for name, m := range mistakes {
		broken := strings.Replace(text, m.from, m.to, 1)
		if broken == text {
			t.Errorf("%s: the manifests hold no %q", name, m.from)
			continue
		}
		objects, err := check.Parse([]byte(broken))
		if err != nil {
			t.Fatal(err)
		}
		bad := strings.Join(check.References(objects, outside(t)), "\n")
		if bad == "" || !strings.Contains(bad, m.want) {
			t.Errorf("%s: found %q, want %q", name, bad, m.want)
		}
	}
}
