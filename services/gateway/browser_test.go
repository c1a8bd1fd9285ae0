//go:build unix

package gateway

import (
	_ "embed"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
)

// eventSources is a page that opens EventSources and tells what they get.
//
//go:embed testdata/eventsource.html
var eventSources []byte

// tabs is how many EventSources a browser opens: it has six connections to a
// server, and needs one to be told of a seventh.
const tabs = 4

// browse has Chromium read a gateway's paths by EventSource in turn, with a
// connection for each reader, until the test ends.
func browse(t *testing.T, gateway string, readers []*reader, paths ...string) {
	t.Helper()
	program := os.Getenv("CHROMIUM")
	if program == "" {
		program = "chromium"
	}
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("no Chromium, which .ci/setup installs: %v", err)
	}
	page := httptest.NewServer(collect(readers))
	t.Cleanup(page.Close)
	dir, err := os.MkdirTemp("", "blipstream-chromium-") //nolint:usetesting // it must not fail the test when a straggler still writes there
	if err != nil {
		t.Fatal(err)
	}
	query := url.Values{"gateway": {gateway}, "tabs": {strconv.Itoa(len(readers))}, "path": paths}
	cmd := exec.Command(path, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--user-data-dir="+dir, page.URL+"/?"+query.Encode())
	cmd.Env = append(os.Environ(), "HOME="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it starts others, which have to end with it
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // it may have ended by itself
		_ = cmd.Wait()
		_ = os.RemoveAll(dir) // as above
	})
}

// collect serves the page, and takes what its EventSources got.
func collect(readers []*reader) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write(eventSources)
	})
	mux.HandleFunc("POST /got", func(w http.ResponseWriter, r *http.Request) {
		var got []struct {
			Tab            int
			Name, ID, Data string
		}
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		for _, e := range got {
			readers[e.Tab].take(e.Name, e.ID, e.Data)
		}
	})
	return mux
}
