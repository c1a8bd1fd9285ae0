package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Edges lists, sorted, who may open a connection to whom by the network
// policies: "enrich -> nats:4222". Both sides' policies must allow it. What is
// not a pod of the manifests is written as it is in the policy: the labels of a
// namespace or a pod as key=value, or a block of addresses.
func Edges(objects []Object) []string {
	edges := map[string]bool{}
	for _, from := range workloads(objects) {
		for _, to := range workloads(objects) {
			for _, port := range to.Spec.Template.Spec.numbers() {
				if allows(objects, from, to, port, false) && allows(objects, to, from, port, true) {
					edges[fmt.Sprintf("%s -> %s:%d", from.Metadata.Name, to.Metadata.Name, port)] = true
				}
			}
		}
	}
	for _, p := range ofKind(objects, "NetworkPolicy") {
		for _, w := range selected(objects, p.Spec.PodSelector) {
			p.outer(objects, w, edges)
		}
	}
	return slices.Sorted(maps.Keys(edges))
}

// numbers are the ports that a pod listens on.
func (p PodSpec) numbers() []int {
	var all []int
	for _, c := range p.Containers {
		for _, has := range c.Ports {
			all = append(all, has.Number)
		}
	}
	return all
}

// allows reports whether the policies of w let it talk to other's port (or, of
// ingress, let other talk to its own).
func allows(objects []Object, w, other Object, port int, ingress bool) bool {
	limited := false
	listener := other
	if ingress {
		listener = w
	}
	for _, p := range ofKind(objects, "NetworkPolicy") {
		if !p.Spec.PodSelector.matches(w.Spec.Template.Metadata.Labels) || !p.covers(ingress) {
			continue
		}
		limited = true
		for _, r := range p.rules(ingress) {
			if r.reaches(other) && r.opens(listener.Spec.Template.Spec, port) {
				return true
			}
		}
	}
	return !limited
}

func (o Object) covers(ingress bool) bool {
	want := "Egress"
	if ingress {
		want = "Ingress"
	}
	return slices.Contains(o.Spec.PolicyTypes, want)
}

func (o Object) rules(ingress bool) []Rule {
	if ingress {
		return o.Spec.Ingress
	}
	return o.Spec.Egress
}

// peers are the rule's other side, whichever direction it is of.
func (r Rule) peers() []Peer { return append(slices.Clone(r.From), r.To...) }

// reaches reports whether pods of a workload of the same namespace are meant. A
// rule without peers means everybody.
func (r Rule) reaches(w Object) bool {
	all := r.peers()
	return len(all) == 0 || slices.ContainsFunc(all, func(p Peer) bool {
		return p.Namespaces == nil && p.Pods != nil && p.Pods.matches(w.Spec.Template.Metadata.Labels)
	})
}

// opens reports whether a rule is for a listener's port. A rule without ports
// is for all.
func (r Rule) opens(listener PodSpec, port int) bool {
	if len(r.Ports) == 0 {
		return true
	}
	for _, p := range r.Ports {
		if p.Port == float64(port) || listener.port(p.Port) == port {
			return true
		}
	}
	return false
}

// outer adds the edges of a workload to and from what is not in the manifests.
func (o Object) outer(objects []Object, w Object, edges map[string]bool) {
	inside := func(p Peer) bool {
		return p.Namespaces == nil && p.Pods != nil && len(selected(objects, *p.Pods)) > 0
	}
	for _, r := range o.Spec.Ingress {
		for _, p := range slices.DeleteFunc(r.peers(), inside) {
			for _, port := range r.Ports {
				edges[fmt.Sprintf("%s -> %s:%d", p, w.Metadata.Name, w.Spec.Template.Spec.port(port.Port))] = true
			}
		}
	}
	for _, r := range o.Spec.Egress {
		for _, p := range slices.DeleteFunc(r.peers(), inside) {
			for _, port := range r.Ports {
				edges[fmt.Sprintf("%s -> %s:%v", w.Metadata.Name, p, port.Port)] = true
			}
		}
	}
}

// String is a peer that is not a pod of the manifests.
func (p Peer) String() string {
	if p.Block != nil {
		return p.Block.CIDR
	}
	var words []string
	for _, s := range []*Selector{p.Namespaces, p.Pods} {
		if s != nil {
			words = append(words, s.words()...)
		}
	}
	return strings.Join(words, ",")
}

// words are the labels that a selector wants.
func (s Selector) words() []string {
	var all []string
	for _, k := range slices.Sorted(maps.Keys(s.Labels)) {
		all = append(all, last(k)+"="+s.Labels[k])
	}
	for _, e := range s.Expressions {
		all = append(all, last(e.Key)+"="+strings.Join(e.Values, "|"))
	}
	return all
}

// last is a label's name without its domain.
func last(key string) string { return key[strings.LastIndexByte(key, '/')+1:] }
