package check

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Outside lists what the manifests may refer to without describing it: Secrets
// that the operator makes, since none is in git.
type Outside struct{ Secrets []string }

// References finds names that refer to nothing: no schema and no server sees
// these. Each problem is one line.
func References(objects []Object, out Outside) []string {
	var bad []string
	for _, w := range workloads(objects) {
		for _, p := range w.podProblems(objects, out) {
			bad = append(bad, w.String()+": "+p)
		}
	}
	for _, o := range objects {
		for _, p := range o.targetProblems(objects) {
			bad = append(bad, o.String()+": "+p)
		}
	}
	return bad
}

// podProblems looks at a workload's pods.
func (o Object) podProblems(objects []Object, out Outside) []string {
	var bad []string
	pod := o.Spec.Template.Spec
	if _, ok := named(objects, "ServiceAccount", pod.ServiceAccount); !ok {
		bad = append(bad, fmt.Sprintf("service account %q is not there", pod.ServiceAccount))
	}
	if o.Kind != "Job" && !o.selector().matches(o.Spec.Template.Metadata.Labels) {
		bad = append(bad, "its selector does not choose its own pods")
	}
	for _, s := range pod.Spread {
		if !s.LabelSelector.matches(o.Spec.Template.Metadata.Labels) {
			bad = append(bad, "a spread constraint does not choose its own pods")
		}
	}
	volumes := map[string]bool{}
	for _, v := range pod.Volumes {
		volumes[v.Name] = true
		bad = append(bad, configProblems(objects, out, v.ConfigMap, NamedRef{Name: v.Secret.Name})...)
	}
	for _, c := range o.Spec.Claims {
		volumes[c.Metadata.Name] = true
	}
	for _, c := range pod.Containers {
		bad = append(bad, c.problems(pod, volumes)...)
		for _, from := range c.EnvFrom {
			bad = append(bad, configProblems(objects, out, from.ConfigMap, from.Secret)...)
		}
	}
	return bad
}

// configProblems looks for a ConfigMap and a Secret; the empty name is none.
func configProblems(objects []Object, out Outside, config, secret NamedRef) []string {
	var bad []string
	if _, ok := named(objects, "ConfigMap", config.Name); config.Name != "" && !ok {
		bad = append(bad, fmt.Sprintf("config map %q is not there", config.Name))
	}
	if secret.Name != "" && !secret.Optional && !slices.Contains(out.Secrets, secret.Name) {
		bad = append(bad, fmt.Sprintf("secret %q is not one that the documents tell to make", secret.Name))
	}
	return bad
}

// problems looks at a container's probes and mounts.
func (c Container) problems(pod PodSpec, volumes map[string]bool) []string {
	var bad []string
	for name, p := range map[string]*Probe{"startup": c.Startup, "readiness": c.Readiness, "liveness": c.Liveness} {
		if p == nil {
			continue
		}
		if p.HTTP != nil && pod.port(p.HTTP.Port) == 0 || p.TCP != nil && pod.port(p.TCP.Port) == 0 {
			bad = append(bad, "the "+name+" probe names a port that is not there")
		}
	}
	for _, m := range c.Mounts {
		if !volumes[m.Name] {
			bad = append(bad, fmt.Sprintf("volume %q is not there", m.Name))
		}
	}
	return bad
}

// targetProblems looks at what an object chooses or points at.
func (o Object) targetProblems(objects []Object) []string {
	switch o.Kind {
	case "Service":
		return o.serviceProblems(objects)
	case "PodDisruptionBudget":
		if len(selected(objects, o.selector())) != 1 {
			return []string{"it does not choose the pods of exactly one workload"}
		}
	case "PodMonitor":
		return o.monitorProblems(objects)
	case "HorizontalPodAutoscaler", "ScaledObject":
		return o.scaleProblems(objects)
	case "NetworkPolicy":
		if len(selected(objects, o.Spec.PodSelector)) == 0 {
			return []string{"it chooses no pod"}
		}
	case "Ingress", "HTTPRoute":
		return o.backendProblems(objects)
	case "StatefulSet":
		if _, ok := named(objects, "Service", o.Spec.ServiceName); !ok {
			return []string{fmt.Sprintf("service %q is not there", o.Spec.ServiceName)}
		}
	}
	return nil
}

func (o Object) serviceProblems(objects []Object) []string {
	pods := selected(objects, o.selector())
	if len(pods) != 1 {
		return []string{"it does not choose the pods of exactly one workload"}
	}
	var bad []string
	for _, p := range o.Spec.Ports {
		if pods[0].Spec.Template.Spec.port(p.Target) == 0 {
			bad = append(bad, fmt.Sprintf("target port %v is not one of the pods'", p.Target))
		}
	}
	return bad
}

func (o Object) monitorProblems(objects []Object) []string {
	pods := selected(objects, o.selector())
	var bad []string
	if len(pods) == 0 {
		bad = append(bad, "it chooses no pod")
	}
	for _, w := range pods {
		for _, e := range o.Spec.Endpoints {
			if w.Spec.Template.Spec.port(e.Port) == 0 {
				bad = append(bad, fmt.Sprintf("%s has no port %q", w, e.Port))
			}
		}
	}
	return bad
}

// scaleProblems finds a target that is not there, and one that says by itself
// how many it wants to be, which would undo the scaling with each apply.
func (o Object) scaleProblems(objects []Object) []string {
	kind := o.Spec.ScaleTarget.Kind
	if kind == "" {
		kind = "Deployment" // ScaledObject's default
	}
	target, ok := named(objects, kind, o.Spec.ScaleTarget.Name)
	if !ok {
		return []string{fmt.Sprintf("%s %q is not there", kind, o.Spec.ScaleTarget.Name)}
	}
	if target.Spec.Replicas != nil {
		return []string{target.String() + " has replicas of its own"}
	}
	return nil
}

// backend is what a route leads to, in the form of an Ingress or an HTTPRoute.
type backend struct {
	name string
	port any
}

// backends are those of an Ingress or an HTTPRoute.
func (o Object) backends() []backend {
	var rules []struct {
		HTTP struct {
			Paths []struct {
				Backend struct {
					Service struct {
						Name string `json:"name"`
						Port struct {
							Name   string `json:"name"`
							Number int    `json:"number"`
						} `json:"port"`
					} `json:"service"`
				} `json:"backend"`
			} `json:"paths"`
		} `json:"http"`
		Refs []struct {
			Name string `json:"name"`
			Port int    `json:"port"`
		} `json:"backendRefs"`
	}
	_ = json.Unmarshal(o.Spec.Rules, &rules) // the schema has been checked
	var all []backend
	for _, r := range rules {
		for _, p := range r.HTTP.Paths {
			s := p.Backend.Service
			b := backend{s.Name, s.Port.Name}
			if s.Port.Name == "" {
				b.port = s.Port.Number
			}
			all = append(all, b)
		}
		for _, ref := range r.Refs {
			all = append(all, backend{ref.Name, ref.Port})
		}
	}
	return all
}

func (o Object) backendProblems(objects []Object) []string {
	all := o.backends()
	if len(all) == 0 {
		return []string{"it leads nowhere"}
	}
	var bad []string
	for _, b := range all {
		service, ok := named(objects, "Service", b.name)
		if !ok || !slices.ContainsFunc(service.Spec.Ports, func(p ServicePort) bool { return b.port == p.Name || b.port == p.Port }) {
			bad = append(bad, fmt.Sprintf("service %q with port %v is not there", b.name, b.port))
		}
	}
	return bad
}
