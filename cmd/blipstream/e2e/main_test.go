package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// module is the prefix of every package of the project.
const module = "github.com/blipstream/blipstream/"

// bin is the directory of the built programs.
var bin string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

// buildAndRun builds the programs once for all tests.
func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "blipstream-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	bin = dir
	args := []string{"build", "-o", dir + string(filepath.Separator)}
	if os.Getenv("BLIPSTREAM_E2E_RACE") == "1" {
		args = append(args, "-race")
	}
	args = append(args, module+"cmd/blipstream",
		module+"services/ingest/cmd/ingest", module+"services/enrich/cmd/enrich", module+"services/gateway/cmd/gateway",
		module+"docs/examples/enricher-go", "github.com/nats-io/nats-server/v2")
	cmd := exec.Command("go", args...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build programs:", err)
		return 1
	}
	return m.Run()
}

// items is how many items the heavy tests send.
func items(t *testing.T) int {
	t.Helper()
	s := os.Getenv("BLIPSTREAM_E2E_ITEMS")
	if s == "" {
		return 20_000
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1000 {
		t.Fatalf("BLIPSTREAM_E2E_ITEMS is %q, want a number from 1000", s)
	}
	return n
}
