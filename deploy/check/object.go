package check

import (
	"bytes"
	"encoding/json"
	"fmt"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// Object is what the checks look at in an object, whatever its kind.
type Object struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   Meta   `json:"metadata"`
	Spec       Spec   `json:"spec"`
	// Data is a ConfigMap's.
	Data map[string]string `json:"data"`
}

// Meta is an object's name and labels.
type Meta struct {
	Name      string            `json:"name"`
	Namespace string            `json:"namespace"`
	Labels    map[string]string `json:"labels"`
}

// String is "Deployment enrich".
func (o Object) String() string { return o.Kind + " " + o.Metadata.Name }

// Spec holds the fields of several kinds; each kind sets its own.
type Spec struct {
	// Deployment, StatefulSet, Job
	Replicas    *int        `json:"replicas"`
	ServiceName string      `json:"serviceName"`
	Template    PodTemplate `json:"template"`
	Claims      []Object    `json:"volumeClaimTemplates"`

	// Service; its selector is a plain map, that of others a Selector.
	Selector json.RawMessage `json:"selector"`
	Ports    []ServicePort   `json:"ports"`

	// NetworkPolicy
	PodSelector Selector `json:"podSelector"`
	PolicyTypes []string `json:"policyTypes"`
	Ingress     []Rule   `json:"ingress"`
	Egress      []Rule   `json:"egress"`

	// HorizontalPodAutoscaler, ScaledObject
	ScaleTarget struct {
		Kind string `json:"kind"`
		Name string `json:"name"`
	} `json:"scaleTargetRef"`
	Metrics []struct {
		Pods struct {
			Metric struct {
				Name string `json:"name"`
			} `json:"metric"`
		} `json:"pods"`
	} `json:"metrics"`
	Triggers []struct {
		Metadata map[string]string `json:"metadata"`
	} `json:"triggers"`

	// PodMonitor
	Endpoints []struct {
		Port string `json:"port"`
	} `json:"podMetricsEndpoints"`

	// PrometheusRule
	Groups []struct {
		Rules []struct {
			Alert string `json:"alert"`
			Expr  string `json:"expr"`
			// Annotations are an alert's texts.
			Annotations map[string]string `json:"annotations"`
		} `json:"rules"`
	} `json:"groups"`

	// Ingress, HTTPRoute; see backends.
	Rules json.RawMessage `json:"rules"`
}

// PodTemplate is what pods are made from.
type PodTemplate struct {
	Metadata Meta    `json:"metadata"`
	Spec     PodSpec `json:"spec"`
}

// PodSpec is a pod's.
type PodSpec struct {
	ServiceAccount string      `json:"serviceAccountName"`
	MountToken     *bool       `json:"automountServiceAccountToken"`
	ServiceLinks   *bool       `json:"enableServiceLinks"`
	Grace          *int        `json:"terminationGracePeriodSeconds"`
	Spread         []Spread    `json:"topologySpreadConstraints"`
	Containers     []Container `json:"containers"`
	Volumes        []Volume    `json:"volumes"`
}

// Spread is a topology spread constraint.
type Spread struct {
	LabelSelector Selector `json:"labelSelector"`
}

// Container is one of a pod's.
type Container struct {
	Name  string   `json:"name"`
	Image string   `json:"image"`
	Args  []string `json:"args"`
	Env   []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"env"`
	EnvFrom []struct {
		ConfigMap NamedRef `json:"configMapRef"`
		Secret    NamedRef `json:"secretRef"`
	} `json:"envFrom"`
	Ports []struct {
		Name   string `json:"name"`
		Number int    `json:"containerPort"`
	} `json:"ports"`
	Startup   *Probe `json:"startupProbe"`
	Readiness *Probe `json:"readinessProbe"`
	Liveness  *Probe `json:"livenessProbe"`
	Lifecycle struct {
		PreStop struct {
			Sleep struct {
				Seconds int `json:"seconds"`
			} `json:"sleep"`
		} `json:"preStop"`
	} `json:"lifecycle"`
	Resources struct {
		Requests map[string]string `json:"requests"`
		Limits   map[string]string `json:"limits"`
	} `json:"resources"`
	Mounts []struct {
		Name string `json:"name"`
	} `json:"volumeMounts"`
}

// NamedRef names a ConfigMap or a Secret.
type NamedRef struct {
	Name     string `json:"name"`
	Optional bool   `json:"optional"`
}

// Probe is how a container is asked whether it is well.
type Probe struct {
	HTTP *struct {
		Path string `json:"path"`
		Port any    `json:"port"`
	} `json:"httpGet"`
	TCP *struct {
		Port any `json:"port"`
	} `json:"tcpSocket"`
}

// Volume is one of a pod's.
type Volume struct {
	Name      string   `json:"name"`
	ConfigMap NamedRef `json:"configMap"`
	Secret    struct {
		Name string `json:"secretName"`
	} `json:"secret"`
}

// ServicePort is one of a Service's.
type ServicePort struct {
	Name   string `json:"name"`
	Port   int    `json:"port"`
	Target any    `json:"targetPort"`
}

// Selector chooses objects by their labels.
type Selector struct {
	Labels      map[string]string `json:"matchLabels"`
	Expressions []struct {
		Key      string   `json:"key"`
		Operator string   `json:"operator"`
		Values   []string `json:"values"`
	} `json:"matchExpressions"`
}

// Rule is one direction of a NetworkPolicy.
type Rule struct {
	From  []Peer `json:"from"`
	To    []Peer `json:"to"`
	Ports []struct {
		Port any `json:"port"`
	} `json:"ports"`
}

// Peer is the other side of a Rule.
type Peer struct {
	Pods       *Selector `json:"podSelector"`
	Namespaces *Selector `json:"namespaceSelector"`
	Block      *struct {
		CIDR string `json:"cidr"`
	} `json:"ipBlock"`
}

// Render builds a kustomization as `kubectl kustomize` does, and returns it
// both as text and as objects.
func Render(dir string) ([]byte, []Object, error) {
	made, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		return nil, nil, fmt.Errorf("check: build %s: %w", dir, err)
	}
	text, err := made.AsYaml()
	if err != nil {
		return nil, nil, fmt.Errorf("check: write %s: %w", dir, err)
	}
	objects, err := Parse(text)
	return text, objects, err
}

// Parse reads the documents of a YAML stream.
func Parse(text []byte) ([]Object, error) {
	var objects []Object
	for doc := range bytes.SplitSeq(text, []byte("\n---\n")) {
		var o Object
		if err := yaml.Unmarshal(doc, &o); err != nil {
			return nil, fmt.Errorf("check: read manifest: %w", err)
		}
		objects = append(objects, o)
	}
	return objects, nil
}
