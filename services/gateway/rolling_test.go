//go:build unix

package gateway

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/bustest"
)

// proxyConfig is nginx in front of two gateways, with as little besides the
// settings of a location as it runs with.
const proxyConfig = `
daemon off;
master_process off;
pid nginx.pid;
error_log stderr error;
events { worker_connections 8192; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  upstream gateways {
    server %s max_fails=0;
    server %s max_fails=0;
  }
  server {
    listen %s;
    location / {
      proxy_pass http://gateways;
      proxy_set_header Connection "";
%s
    }
  }
}
`

// documented are the settings that docs/operations.md tells of.
const documented = `
      proxy_http_version 1.1;
      proxy_next_upstream error timeout http_503;
`

// startProxy starts nginx with the settings in front of two gateways until the
// test ends, and returns its address.
func startProxy(t *testing.T, settings, one, other string) string {
	t.Helper()
	path, err := exec.LookPath("nginx")
	if err != nil {
		path = "/usr/sbin/nginx" // where Debian has it, beside the path of most users
	}
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no nginx, which .ci/setup installs: %v", err)
	}
	dir, addr := t.TempDir(), freeAddr(t)
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, proxyConfig, one, other, addr, settings), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "-p", dir, "-c", conf, "-e", "stderr")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended by itself
		_ = cmd.Wait()         // killed is how it ends
	})
	bustest.WaitFor(t, "the proxy listens", func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	return addr
}

// TestRollingRestart: two gateways behind a proxy are stopped and started one
// after the other. Each client hears a bye, stays away for as long as it says,
// which differs, is taken over by the other gateway, and loses nothing.
func TestRollingRestart(t *testing.T) {
	t.Parallel() // it waits for clients that stay away most of the time
	rolling{clients: 24, burst: 5, pause: 5 * time.Millisecond, settings: documented}.run(t)
}

// TestRollingRestartOfAThousand is the same with a thousand clients, and the
// settings that the manifests give to ingress-nginx.
func TestRollingRestartOfAThousand(t *testing.T) {
	t.Parallel() // as above
	rolling{clients: 1000, burst: 1, pause: 100 * time.Millisecond, settings: ingressSettings(t)}.run(t)
}

// rolling is a restart of two gateways while clients read.
type rolling struct {
	clients int
	// burst is how many posts come at once, pause how long none does then.
	burst int
	pause time.Duration
	// settings are those of the proxy.
	settings string
}

func (r rolling) run(t *testing.T) {
	t.Helper()
	w := &world{t: t, server: bustest.Start(t), cfg: testConfig()}
	w.connect(bustest.Layout())
	gateways := []*victim{newVictim(t, w.server.URL()), newVictim(t, w.server.URL())}
	for _, v := range gateways {
		v.start()
		t.Cleanup(v.kill)
		bustest.WaitFor(t, "a gateway is ready", v.ready)
	}
	url := "http://" + startProxy(t, r.settings, gateways[0].addr, gateways[1].addr) + "/events"
	ctx, cancel := context.WithCancel(t.Context())
	var all audience
	var reading sync.WaitGroup
	for i := range r.clients {
		c := &reader{name: fmt.Sprint("client ", i)}
		all = append(all, c)
		reading.Go(func() { c.plain(ctx, url, i%2 == 0) })
	}
	defer reading.Wait()
	defer cancel()
	all.await(t, "all have opened", func(opened int, _ uint64) bool { return opened > 0 })
	for _, v := range gateways {
		began := time.Now()
		r.roll(w, v)
		all.await(t, "all are served", func(_ int, next uint64) bool { return next > uint64(2*w.serial.Load()) })
		t.Logf("a gateway was rolled and all %d clients were served again after %v", r.clients, time.Since(began).Round(time.Millisecond))
	}
	all.checkRolled(t)
}

// roll stops a gateway and starts it anew, while events come.
func (r rolling) roll(w *world, v *victim) {
	w.t.Helper()
	stopped := make(chan error, 1)
	go func() { stopped <- v.stop() }()
	for running := true; running; {
		w.publish(r.burst, 100)
		select {
		case err := <-stopped:
			if err != nil {
				w.t.Errorf("stop a gateway: %v", err)
			}
			running = false
		case <-time.After(r.pause):
		}
	}
	v.start()
	bustest.WaitFor(w.t, "the gateway is back", func() bool {
		w.publish(r.burst, 100)
		return v.ready()
	})
}

// checkRolled checks what the clients of a rolling restart have seen.
func (a audience) checkRolled(t *testing.T) {
	t.Helper()
	waits := map[int]bool{}
	total := 0
	for _, r := range a {
		if r.wrong != "" || r.gaps > 0 || r.refused > 0 || len(r.byes) == 0 {
			t.Errorf("%s: %s, %d gaps, %d answers that were no stream, %d byes", r.name, r.wrong, r.gaps, r.refused, len(r.byes))
		}
		for _, ms := range r.byes {
			total++
			waits[ms] = true
			if wait := time.Duration(ms) * time.Millisecond; wait < reopenMin || wait > reopenMax {
				t.Errorf("%s was asked to stay away for %s", r.name, wait)
			}
		}
	}
	if len(waits) < total/2 {
		t.Errorf("%d clients were asked back at %d different times", total, len(waits))
	}
}
