//go:build unix

package gateway

import (
	"context"
	"net/http"
	"os/exec"
	"sync"
	"testing"

	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/services/gateway/ssetest"
)

// curl reads with curl, which undoes the compression.
func (r *reader) curl(ctx context.Context, t *testing.T, url string) {
	t.Helper()
	cmd := exec.CommandContext(ctx, "curl", "-sN", "--compressed", url)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Error(err)
		return
	}
	if err := cmd.Start(); err != nil {
		t.Error(err)
		return
	}
	s := ssetest.Wrap(&http.Response{Body: out})
	for e, err := s.Next(); err == nil; e, err = s.Next() {
		r.take(e.Name, e.ID, e.Data)
	}
	_ = cmd.Wait() // ctx ends it
}

// packed is how many clients read a compressed form.
func (w *world) packed() (n int) {
	h := w.gateway.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, v := range h.order {
		if v.packer != nil {
			n += v.refs
		}
	}
	return n
}

// TestGzipManyFrames: Chromium's EventSource, curl and r3labs' client read the
// compressed forms of /events and /live over many blocks, without a fault and
// without coming anew.
func TestGzipManyFrames(t *testing.T) {
	const frames = 25
	w := newWorld(t, func(c *Config) { c.AllowOrigin = []string{"*"} })
	all := make(audience, 8)
	for i, name := range []string{"EventSource", "EventSource", "EventSource", "EventSource", "curl", "curl", "r3labs", "r3labs"} {
		all[i] = &reader{name: name + " of " + []string{"/events", "/live"}[i%2]}
	}
	ctx, cancel := context.WithCancel(t.Context())
	var reading sync.WaitGroup
	defer reading.Wait()
	defer cancel()
	browse(t, w.url(), all[:4], "/events", "/live")
	for i, r := range all[4:] {
		url := w.url() + []string{"/events", "/live"}[i%2]
		if i < 2 {
			reading.Go(func() { r.curl(ctx, t, url) })
		} else {
			reading.Go(func() { r.r3labs(ctx, url, false) })
		}
	}
	all.await(t, "all are greeted", func(opened int, _ uint64) bool { return opened == 1 })
	if n := w.packed(); n != len(all) {
		t.Errorf("%d of %d read a compressed form", n, len(all))
	}
	total := uint64(0)
	bustest.WaitFor(t, "all have many frames", func() bool {
		w.publish(5, 300)
		total += 10
		for _, r := range all {
			if r.told() < frames {
				return false
			}
		}
		return true
	})
	all.await(t, "all have everything", func(_ int, next uint64) bool { return next > total })
	for _, r := range all {
		opened, next, wrong := r.state()
		r.mu.Lock()
		gaps := r.gaps
		r.mu.Unlock()
		if wrong != "" || opened != 1 || gaps > 0 || next != total+1 {
			t.Errorf("%s: %q; opened %d times, %d gaps, next is %d of %d", r.name, wrong, opened, gaps, next, total)
		}
	}
}

// told is how many frames it got, or events where it gets those.
func (r *reader) told() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.frames + r.events/10
}
