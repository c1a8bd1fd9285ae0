package check_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// composed is what deploy/compose.yaml says of a container.
type composed struct {
	Environment map[string]string
	Build       struct {
		Dockerfile string
		Args       struct{ SERVICE string }
	}
	Volumes []string
}

// The programs know what deploy/compose.yaml tells them, the Dockerfile can
// build each of them, and the files that are mounted are there.
func TestCompose(t *testing.T) {
	text, err := os.ReadFile("../compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Services map[string]composed }
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	dockerfile, err := os.ReadFile("../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	known := programs()
	for name := range known {
		if _, ok := file.Services[name]; !ok {
			t.Errorf("it does not run %s", name)
		}
	}
	for name, s := range file.Services {
		for _, v := range s.Volumes {
			if from, _, _ := strings.Cut(v, ":"); strings.HasPrefix(from, "./") {
				if _, err := os.Stat(filepath.Join("..", from)); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		parse := known[name]
		if parse == nil {
			continue
		}
		if s.Build.Args.SERVICE != name || !slices.Contains(buildable(string(dockerfile)), name) {
			t.Errorf("%s is built as %q, which the Dockerfile may not know", name, s.Build.Args.SERVICE)
		}
		t.Run(name, func(t *testing.T) {
			for k, v := range s.Environment {
				t.Setenv(k, v)
			}
			if err := parse(nil); err != nil {
				t.Error(err)
			}
		})
	}
}

// buildable are the names in the patterns of the Dockerfile's case.
func buildable(dockerfile string) []string {
	var all []string
	for line := range strings.Lines(dockerfile) {
		if pattern, rest, ok := strings.Cut(strings.TrimSpace(line), ")"); ok && strings.Contains(rest, "main=") {
			all = append(all, strings.Split(pattern, "|")...)
		}
	}
	return all
}
