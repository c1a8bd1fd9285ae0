package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// kinds are those of Kubernetes that the manifests use, by their definitions.
func kinds() []string {
	return []string{
		"io.k8s.api.apps.v1.Deployment", "io.k8s.api.apps.v1.StatefulSet", "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler",
		"io.k8s.api.batch.v1.Job", "io.k8s.api.core.v1.ConfigMap", "io.k8s.api.core.v1.Namespace",
		"io.k8s.api.core.v1.Service", "io.k8s.api.core.v1.ServiceAccount", "io.k8s.api.networking.v1.Ingress",
		"io.k8s.api.networking.v1.NetworkPolicy", "io.k8s.api.policy.v1.PodDisruptionBudget",
	}
}

// definitions is the file that Kubernetes' kinds share.
const definitions = "core.json"

// kind is an API version and kind.
type kind struct{ Group, Version, Kind string }

// file is where the validator looks for k: deployment-apps-v1.json.
func (k kind) file() string {
	group, _, _ := strings.Cut(k.Group, ".")
	name := k.Kind + "-" + k.Version
	if group != "" {
		name = k.Kind + "-" + group + "-" + k.Version
	}
	return strings.ToLower(name) + ".json"
}

// writeCore writes the wanted kinds of an OpenAPI 2 document, and all that they
// are made of.
func writeCore(dir string, text []byte) error {
	var doc struct {
		Definitions map[string]map[string]any `json:"definitions"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	used := map[string]any{}
	for _, name := range kinds() {
		if err := collect(doc.Definitions, name, used); err != nil {
			return err
		}
		k, err := kindOf(doc.Definitions[name])
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := save(dir, k.file(), map[string]any{"$ref": definitions + "#/definitions/" + name}); err != nil {
			return err
		}
	}
	for name, d := range used {
		used[name] = strict(d)
	}
	return save(dir, definitions, map[string]any{"definitions": used})
}

// kindOf is the one version and kind that a definition is for.
func kindOf(definition map[string]any) (kind, error) {
	text, err := json.Marshal(definition["x-kubernetes-group-version-kind"])
	if err != nil {
		return kind{}, fmt.Errorf("read its kind: %w", err)
	}
	var all []kind
	if err := json.Unmarshal(text, &all); err != nil || len(all) == 0 {
		return kind{}, errors.Join(errors.New("it names no kind"), err)
	}
	return all[0], nil
}

// collect adds a definition, and those it refers to, to used.
func collect(all map[string]map[string]any, name string, used map[string]any) error {
	if used[name] != nil {
		return nil
	}
	d, ok := all[name]
	if !ok {
		return fmt.Errorf("definition %s is not there", name)
	}
	used[name] = d
	for _, ref := range references(d) {
		if err := collect(all, ref, used); err != nil {
			return err
		}
	}
	return nil
}

// references lists the definitions that a schema refers to, sorted.
func references(v any) []string {
	found := map[string]bool{}
	walk(v, func(m map[string]any) {
		if ref, ok := m["$ref"].(string); ok {
			found[strings.TrimPrefix(ref, "#/definitions/")] = true
		}
	})
	return slices.Sorted(maps.Keys(found))
}

// walk calls fn for each object in v.
func walk(v any, fn func(map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		fn(v)
		for _, x := range v {
			walk(x, fn)
		}
	case []any:
		for _, x := range v {
			walk(x, fn)
		}
	}
}

// writeCRD writes the served versions of a custom resource.
func writeCRD(dir string, text []byte) error {
	var doc struct {
		Spec struct {
			Group string `json:"group"`
			Names struct {
				Kind string `json:"kind"`
			} `json:"names"`
			Versions []struct {
				Name   string `json:"name"`
				Served bool   `json:"served"`
				Schema struct {
					OpenAPI any `json:"openAPIV3Schema"`
				} `json:"schema"`
			} `json:"versions"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	for _, v := range doc.Spec.Versions {
		if !v.Served {
			continue
		}
		k := kind{doc.Spec.Group, v.Name, doc.Spec.Names.Kind}
		if err := save(dir, k.file(), strict(v.Schema.OpenAPI)); err != nil {
			return err
		}
	}
	return nil
}

// strict is a schema that refuses what it does not name, without its prose.
// A schema's own words may also be the names of properties, which stay.
func strict(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	out := map[string]any{}
	for key, x := range m {
		switch {
		case key == "description" || key == "default" || strings.HasPrefix(key, "x-kubernetes-"):
		case key == "properties":
			out[key] = strictEach(x)
		case key == "items" || key == "additionalProperties":
			out[key] = strict(x)
		default:
			out[key] = x
		}
	}
	if m["x-kubernetes-int-or-string"] == true || m["format"] == "int-or-string" {
		return map[string]any{"type": []string{"integer", "string"}}
	}
	// An object's apiVersion, kind and metadata are said by reference in CRDs.
	if out["properties"] != nil && m["x-kubernetes-preserve-unknown-fields"] != true && out["additionalProperties"] == nil {
		out["additionalProperties"] = false
	}
	return out
}

// strictEach is strict for the schema of each property.
func strictEach(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	out := map[string]any{}
	for name, x := range m {
		out[name] = strict(x)
	}
	return out
}

// save writes a schema.
func save(dir, name string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	//nolint:gosec // the folder is the argument of who runs this, the name comes from a module that is pinned
	if err := os.WriteFile(filepath.Join(dir, name), append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
