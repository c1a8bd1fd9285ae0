package check_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Where packages cannot be installed, as without a network, .ci/setup ends with
// the list of what is missing, as it does where it may not try.
func TestSetupTellsWhatIsMissing(t *testing.T) {
	programs := t.TempDir() // all that it finds
	for name, script := range map[string]string{
		"id":      "echo 0",
		"env":     `shift; exec "$@"`,
		"apt-get": "echo 'E: Unable to fetch some archives' >&2; case \"$*\" in *install*) exit 100 ;; esac",
	} {
		if err := os.WriteFile(filepath.Join(programs, name), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), bash, "../../.ci/setup", "runc", "dnsmasq")
	cmd.Env = []string{"PATH=" + programs}
	out, err := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("ends with %d (%v), want 1", code, err)
	}
	for _, want := range []string{"please install", "- runc: runc\n", "- dnsmasq: dnsmasq-base\n"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
}
