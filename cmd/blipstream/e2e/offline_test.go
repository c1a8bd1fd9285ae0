package e2e

import (
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// sourceStates asks a page what its sources are doing.
func sourceStates(t *testing.T, page string) map[string]sourceState {
	t.Helper()
	resp, err := http.Get(page + "api/stats")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var stats struct {
		Parts []sourceState `json:"parts"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&stats); err != nil {
		t.Fatal(err)
	}
	states := map[string]sourceState{}
	for _, p := range stats.Parts {
		states[strings.TrimPrefix(p.Name, "ingest.")] = p
	}
	return states
}

// sourceState is what is told of a source.
type sourceState struct {
	Name      string    `json:"name"`
	State     string    `json:"state"`
	RetryTime time.Time `json:"retryTime"`
}

// TestOffline is the second example of the README without a network: each source
// tells what it is doing and when it tries again, and nothing hangs. Every
// connection goes to a proxy on this machine, which refuses it or never answers.
func TestOffline(t *testing.T) {
	t.Parallel()
	sources := []string{"bluesky", "usgs", "wikimedia"}
	silent, err := net.Listen("tcp", "127.0.0.1:0") // its backlog takes connections, and nobody answers
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	for name, c := range map[string]struct{ proxy, state string }{
		"refused": {"127.0.0.1:" + freePort(t), "backoff"},
		"silent":  {silent.Addr().String(), "connecting"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := []string{"up", "--addr", "127.0.0.1:0", "--data", t.TempDir()}
			for _, s := range sources {
				args = append(args, "--source", s+":")
			}
			p := startEnv(t, []string{"HTTPS_PROXY=http://" + c.proxy, "NO_PROXY="}, "blipstream", args...)
			page := p.field("page")
			for _, s := range sources {
				until(t, patience, s+" is not "+c.state, func() bool {
					told := sourceStates(t, page)[s]
					return told.State == c.state && (c.state != "backoff" || !told.RetryTime.IsZero())
				})
			}
			t.Logf("stopped in %v", p.stop(stopGrace).Round(time.Millisecond))
		})
	}
}
