package check

import (
	"encoding/json"
	"slices"
)

// matches reports whether a selector chooses these labels.
func (s Selector) matches(labels map[string]string) bool {
	for k, v := range s.Labels {
		if labels[k] != v {
			return false
		}
	}
	for _, e := range s.Expressions {
		value, there := labels[e.Key]
		switch e.Operator {
		case "In":
			if !there || !slices.Contains(e.Values, value) {
				return false
			}
		case "NotIn":
			if slices.Contains(e.Values, value) {
				return false
			}
		case "Exists":
			if !there {
				return false
			}
		case "DoesNotExist":
			if there {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// selector is an object's own: of the form it has in a Service, or in others.
func (o Object) selector() Selector {
	var s Selector
	if o.Kind == "Service" {
		_ = json.Unmarshal(o.Spec.Selector, &s.Labels) // the schema has been checked
		return s
	}
	_ = json.Unmarshal(o.Spec.Selector, &s)
	return s
}

// workloads are the objects that make pods.
func workloads(objects []Object) []Object {
	return ofKind(objects, "Deployment", "StatefulSet", "Job")
}

// ofKind are the objects of some kinds.
func ofKind(objects []Object, kinds ...string) []Object {
	var found []Object
	for _, o := range objects {
		if slices.Contains(kinds, o.Kind) {
			found = append(found, o)
		}
	}
	return found
}

// named finds an object.
func named(objects []Object, kind, name string) (Object, bool) {
	for _, o := range objects {
		if o.Kind == kind && o.Metadata.Name == name {
			return o, true
		}
	}
	return Object{}, false
}

// selected are the workloads whose pods a selector chooses.
func selected(objects []Object, s Selector) []Object {
	var found []Object
	for _, w := range workloads(objects) {
		if s.matches(w.Spec.Template.Metadata.Labels) {
			found = append(found, w)
		}
	}
	return found
}

// port is the number of a pod's port, by name or number; 0 if it has none.
func (p PodSpec) port(ref any) int {
	for _, c := range p.Containers {
		for _, has := range c.Ports {
			if ref == has.Name || ref == float64(has.Number) {
				return has.Number
			}
		}
	}
	return 0
}
