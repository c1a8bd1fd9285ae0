package check

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Pods finds what the restricted pod security standard does not ask for and
// this product does: no token of the API server, no variables of other
// services, a bound of memory that the Go runtime knows, time to stop.
func Pods(objects []Object) []string {
	var bad []string
	for _, w := range workloads(objects) {
		pod := w.Spec.Template.Spec
		found := pod.manners(w.Kind != "Job")
		for _, c := range pod.Containers {
			found = append(found, c.manners(w.Kind != "Job", pod.Grace)...)
		}
		for _, f := range found {
			bad = append(bad, w.String()+": "+f)
		}
	}
	return bad
}

// manners looks at a pod as a whole; one that stays must have time to stop.
func (p PodSpec) manners(stays bool) []string {
	var bad []string
	if p.MountToken == nil || *p.MountToken {
		bad = append(bad, "automountServiceAccountToken is not false")
	}
	if p.ServiceLinks == nil || *p.ServiceLinks {
		bad = append(bad, "enableServiceLinks is not false")
	}
	if stays && p.Grace == nil {
		bad = append(bad, "terminationGracePeriodSeconds is not set")
	}
	return bad
}

// manners looks at one container; grace is what its pod has to stop, in seconds.
func (c Container) manners(stays bool, grace *int) []string {
	var bad []string
	limits, requests := c.Resources.Limits, c.Resources.Requests
	if limits["memory"] == "" || requests["memory"] == "" || requests["cpu"] == "" {
		bad = append(bad, "it wants a memory limit, and requests of memory and cpu")
	}
	if limits["cpu"] != "" {
		bad = append(bad, "it has a cpu limit, which only throttles")
	}
	if stays && (c.Startup == nil || c.Readiness == nil || c.Liveness == nil) {
		bad = append(bad, "it lacks a probe")
	}
	if pre := c.Lifecycle.PreStop.Sleep.Seconds; grace != nil && pre >= *grace {
		bad = append(bad, fmt.Sprintf("it sleeps %d s of a grace of %d s", pre, *grace))
	}
	return bad
}

// Process is a container as the program in it sees it.
type Process struct {
	// Name is the container's.
	Name  string
	Image string
	Args  []string
	// Env are its variables; those of Secrets are not known here.
	Env map[string]string
}

// Processes are all containers.
func Processes(objects []Object) []Process {
	var all []Process
	for _, w := range workloads(objects) {
		for _, c := range w.Spec.Template.Spec.Containers {
			p := Process{Name: c.Name, Image: c.Image, Args: c.Args, Env: map[string]string{}}
			for _, from := range c.EnvFrom {
				if config, ok := named(objects, "ConfigMap", from.ConfigMap.Name); ok {
					maps.Copy(p.Env, config.Data)
				}
			}
			for _, e := range c.Env {
				p.Env[e.Name] = e.Value
			}
			all = append(all, p)
		}
	}
	return all
}

// Metrics are the names of our metrics in the rules, the dashboards and the
// scaling, sorted, without what a histogram adds.
func Metrics(objects []Object) []string {
	name := regexp.MustCompile(`\bblipstream_[a-z_]+`)
	found := map[string]bool{}
	add := func(text string) {
		for _, m := range name.FindAllString(text, -1) {
			found[strings.TrimSuffix(m, "_bucket")] = true
		}
	}
	for _, o := range objects {
		for _, g := range o.Spec.Groups {
			for _, r := range g.Rules {
				add(r.Expr)
			}
		}
		for _, m := range o.Spec.Metrics {
			add(m.Pods.Metric.Name)
		}
		if o.Kind == "ConfigMap" {
			for file, text := range o.Data {
				if strings.HasSuffix(file, ".json") {
					add(text)
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// Alerts are the names of all alerts, in their order.
func Alerts(objects []Object) []string {
	var all []string
	for _, o := range objects {
		for _, g := range o.Spec.Groups {
			for _, r := range g.Rules {
				all = append(all, r.Alert)
			}
		}
	}
	return all
}
