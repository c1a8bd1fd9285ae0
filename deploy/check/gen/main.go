// Command gen writes the JSON schemas by which the objects of deploy/k8s are
// validated, from the Go modules in which Kubernetes and the projects that
// extend it publish them. What is written is committed; run it again, by
// `./task k8s:schemas`, when a kind or a version is added. `gen crds` writes
// the definitions of the kinds that are not Kubernetes' own, for a server that
// has to learn them (`./task k8s:cluster`).
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// module is one that publishes schemas, and where in it they are.
type module struct {
	path  string
	files []string
	// core is true for Kubernetes' own kinds, in an OpenAPI 2 document.
	core bool
}

// modules lists the versions that the manifests are written for.
func modules() []module {
	return []module{
		{path: "k8s.io/kubernetes@v1.37.2", files: []string{"api/openapi-spec/swagger.json"}, core: true},
		{path: "github.com/kedacore/keda/v2@v2.21.0", files: []string{"config/crd/bases/keda.sh_scaledobjects.yaml"}},
		{path: "github.com/prometheus-operator/prometheus-operator@v0.85.0", files: []string{
			"example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml",
			"example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
		}},
		{path: "sigs.k8s.io/gateway-api@v1.6.0", files: []string{
			"config/crd/standard/gateway.networking.k8s.io_httproutes.yaml",
		}},
	}
}

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run writes what the first argument says into the folder that is the second.
func run(ctx context.Context, args []string) error {
	if len(args) != 2 || (args[0] != "schemas" && args[0] != "crds") {
		return errors.New("gen: read arguments: want schemas or crds, and the folder to write to")
	}
	if err := os.MkdirAll(args[1], 0o755); err != nil { //nolint:gosec // G301: a folder of the sources
		return fmt.Errorf("gen: make folder: %w", err)
	}
	for _, m := range modules() {
		write := writeCRD
		switch {
		case args[0] == "crds" && m.core:
			continue // the server has them
		case args[0] == "crds":
			write = nil
		case m.core:
			write = writeCore
		}
		if err := m.each(ctx, args[1], write); err != nil {
			return err
		}
	}
	return nil
}

// each has write convert each of the module's files into the folder; nil
// copies them.
func (m module) each(ctx context.Context, folder string, write func(string, []byte) error) error {
	dir, err := download(ctx, m.path)
	if err != nil {
		return err
	}
	for _, f := range m.files {
		text, err := os.ReadFile(filepath.Join(dir, f))
		if err != nil {
			return fmt.Errorf("gen: read %s: %w", m.path, err)
		}
		if write == nil {
			err = os.WriteFile(filepath.Join(folder, filepath.Base(f)), text, 0o644) //nolint:gosec // G306: public
		} else {
			err = write(folder, text)
		}
		if err != nil {
			return fmt.Errorf("gen: write %s of %s: %w", f, m.path, err)
		}
	}
	return nil
}

// download unpacks a module into the module cache and returns its folder. The
// module need not compile, nor fit the Go version.
func download(ctx context.Context, path string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", path)
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	out, err := cmd.Output()
	var answer struct{ Dir, Error string }
	if jerr := json.Unmarshal(out, &answer); jerr != nil {
		return "", fmt.Errorf("gen: download %s: %w", path, errors.Join(err, jerr))
	}
	if answer.Dir == "" {
		return "", fmt.Errorf("gen: download %s: %s", path, answer.Error)
	}
	return answer.Dir, nil
}
