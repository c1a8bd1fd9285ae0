package e2e

import (
	"encoding/json"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// redis is a redis-server of Debian's (package redis-server) on a port of its own.
type redis struct {
	t    *testing.T
	port string
	*process
}

func startRedis(t *testing.T) *redis {
	t.Helper()
	r := &redis{t: t, port: freePort(t)}
	r.again()
	return r
}

// again starts it, and waits until it takes connections.
func (r *redis) again() {
	r.t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		r.t.Fatal(err)
	}
	r.process = start(r.t, path, "--port", r.port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", r.t.TempDir())
	until(r.t, patience, "redis listens", func() bool {
		conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", r.port))
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
}

func (r *redis) url() string { return "redis://127.0.0.1:" + r.port }

// old starts a program of the old line, and waits until it listens.
func (r *redis) old(name string) *process {
	r.t.Helper()
	path, err := filepath.Abs(filepath.Join("../../../services/bridge/testdata/legacy", name))
	if err != nil {
		r.t.Fatal(err)
	}
	// Debian's own interpreter has Debian's python3-redis.
	p := startEnv(r.t, []string{"REDIS_PORT=" + r.port, "PYTHONIOENCODING=utf-8"}, "/usr/bin/python3", "-B", path)
	until(r.t, patience, name+" listens", func() bool { return strings.HasPrefix(p.stderr(), "ready") })
	return p
}

// said is what a program has printed of posts, without the time, which each
// writes in a way of its own.
func said(p *process) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []string
	for _, l := range p.lines {
		_, post, _ := strings.Cut(l, "] ")
		all = append(all, post)
	}
	return all
}

// unsaid lists the lines of an old program that tail has not printed times
// often. The old wire writes entities, which tail reads, and cuts a long text
// off behind an ellipsis, which tail prints whole.
func unsaid(old, tail []string, times int) []string {
	tail = slices.Sorted(slices.Values(tail))
	var missing []string
	for _, l := range old {
		l = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(l)
		begin, _, cut := strings.Cut(l, "… https://t.co/")
		if short, ok := strings.CutSuffix(l, "…"); ok {
			begin, cut = short, true
		}
		from, _ := slices.BinarySearch(tail, begin)
		n := 0
		for _, t := range tail[from:] {
			if !strings.HasPrefix(t, begin) {
				break
			}
			if cut || t == l {
				n++
			}
		}
		if n < times {
			missing = append(missing, l)
		}
	}
	return missing
}

// posts starts a simulated source of n items and returns its URL.
func posts(t *testing.T, n string) string {
	t.Helper()
	return start(t, "blipstream", "simulate", "--addr", "127.0.0.1:0", "--seed", "5", "--rate", "300", "--items", n, "--resume").field("source")
}

// part is what /api/stats says of a part, "state detail"; "" for nothing.
func part(t *testing.T, page, name string) string {
	t.Helper()
	resp, err := http.Get(page + "api/stats")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var stats struct {
		Parts []struct{ Name, State, Detail string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&stats); err != nil {
		t.Fatal(err)
	}
	for _, p := range stats.Parts {
		if p.Name == name {
			return p.State + " " + p.Detail
		}
	}
	return ""
}

// alive wants programs that nothing has killed.
func alive(t *testing.T, programs ...*process) {
	t.Helper()
	for _, p := range programs {
		select {
		case <-p.done:
			t.Errorf("%s has died: %s", p.name, p.stderr())
		default:
		}
	}
}

// TestOldSubscriberPrintsWhatTailPrints runs the old subscriber and `tail`
// side by side, and has Redis go and come.
func TestOldSubscriberPrintsWhatTailPrints(t *testing.T) {
	t.Parallel()
	r := startRedis(t)
	subscriber := r.old("subscriber.py")
	line := up(t, t.TempDir(), "--redis", r.url(), "--source", posts(t, "1500")+"#"+source)
	page := line.field("page")
	tail := start(t, "blipstream", "tail", "--url", strings.TrimSuffix(page, "/"), "--since", "10m")
	until(t, patience, "both have printed the same", func() bool {
		old := said(subscriber)
		return len(old) > 1000 && len(unsaid(old, said(tail), 1)) == 0
	})
	if missing := unsaid(said(subscriber)[:1], said(tail)[:1], 1); len(missing) > 0 {
		t.Errorf("the old subscriber began with %q, tail with %q", missing, said(tail)[:1])
	}
	t.Logf("%d lines of the old subscriber, each printed by tail", len(said(subscriber)))

	bridge := func(want string) {
		t.Helper()
		until(t, patience, "the page says "+want, func() bool { return part(t, page, "bridge") == want })
	}
	bridge("working sending twitter_raw, events")
	if got := part(t, page, "ingest."+source); got == "" {
		t.Error("the page says nothing of the source")
	}
	r.kill()
	bridge("away sending twitter_raw, events")
	r.again()
	bridge("working sending twitter_raw, events")
	alive(t, subscriber)
	line.stop(stopGrace)
}

// TestOldEnricherFeedsTheLine has the old enrich step read what goes out, and
// what it makes come in beside the events of the new one.
func TestOldEnricherFeedsTheLine(t *testing.T) {
	t.Parallel()
	r := startRedis(t)
	enricher, subscriber := r.old("enricher.py"), r.old("subscriber.py")
	line := up(t, t.TempDir(), "--redis", r.url(), "--twitter-raw", "out", "--events", "in", "--source", posts(t, "600")+"#"+source)
	tail := start(t, "blipstream", "tail", "--url", strings.TrimSuffix(line.field("page"), "/"), "--since", "10m")
	until(t, patience, "tail prints each post twice", func() bool {
		old := said(subscriber)
		return len(old) > 200 && len(unsaid(old, said(tail), 2)) == 0
	})
	t.Logf("%d posts, each twice", len(said(subscriber)))
	alive(t, enricher, subscriber)
	line.stop(stopGrace)
}
