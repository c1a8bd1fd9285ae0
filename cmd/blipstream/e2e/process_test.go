package e2e

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is one of our programs, running.
type process struct {
	t    *testing.T
	name string
	cmd  *exec.Cmd

	mu    sync.Mutex
	lines []string // of standard output
	log   bytes.Buffer
	more  chan struct{} // closed and replaced at each line

	done chan struct{}
	err  error
}

// start runs a program with an environment that holds nothing of ours.
func start(t *testing.T, program string, args ...string) *process {
	t.Helper()
	return startEnv(t, nil, program, args...)
}

// startEnv is start with variables. A program with a path is one that is not ours.
func startEnv(t *testing.T, env []string, program string, args ...string) *process {
	t.Helper()
	path := program
	if !filepath.IsAbs(path) {
		path = filepath.Join(bin, program)
	}
	own := []string{"HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH"), "GORACE=halt_on_error=1"}
	return startCommand(t, exec.Command(path, args...), append(own, env...), "")
}

// startCommand runs any command with that environment and nothing else.
func startCommand(t *testing.T, cmd *exec.Cmd, env []string, dir string) *process {
	t.Helper()
	name := filepath.Base(cmd.Path) + " " + strings.Join(cmd.Args[1:min(2, len(cmd.Args))], "")
	p := &process{t: t, name: name, cmd: cmd, more: make(chan struct{}), done: make(chan struct{})}
	p.cmd.Env, p.cmd.Dir = env, dir
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go p.collect(stdout, stderr)
	t.Cleanup(p.finish)
	return p
}

// collect reads the output to its end, then waits for the process.
func (p *process) collect(stdout, stderr io.Reader) {
	var reading sync.WaitGroup
	reading.Go(func() {
		lines := bufio.NewScanner(stdout)
		lines.Buffer(nil, 16<<20)
		for lines.Scan() {
			p.mu.Lock()
			p.lines = append(p.lines, lines.Text())
			close(p.more)
			p.more = make(chan struct{})
			p.mu.Unlock()
		}
	})
	reading.Go(func() {
		lines := bufio.NewScanner(stderr)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			p.mu.Lock()
			p.log.WriteString(lines.Text() + "\n")
			p.mu.Unlock()
		}
	})
	reading.Wait()
	p.err = p.cmd.Wait()
	close(p.done)
}

// finish kills what is left of the process and, after a failure, shows its log.
func (p *process) finish() {
	p.kill()
	if p.t.Failed() {
		log := p.stderr()
		p.t.Logf("log of %s (%d):\n%s", p.name, p.cmd.Process.Pid, log[max(0, len(log)-4000):])
	}
}

// kill is kill -9, and waits until the process is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.done
}

// stop asks the process to stop and wants it to exit with 0 within grace.
func (p *process) stop(grace time.Duration) time.Duration {
	p.t.Helper()
	began := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatalf("%s: SIGTERM: %v", p.name, err)
	}
	if code := p.exit(grace); code != 0 {
		p.t.Errorf("%s: exit code %d after SIGTERM, want 0", p.name, code)
	}
	return time.Since(began)
}

// exit waits for the end of the process and returns its code.
func (p *process) exit(within time.Duration) int {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(within):
		p.t.Fatalf("%s: still running after %v", p.name, within)
	}
	if failed, ok := errors.AsType[*exec.ExitError](p.err); ok {
		return failed.ExitCode()
	}
	if p.err != nil {
		p.t.Fatalf("%s: %v", p.name, p.err)
	}
	return 0
}

func (p *process) stderr() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// line waits for the first line of standard output for which pick is true.
func (p *process) line(within time.Duration, pick func(string) bool) string {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), within)
	defer cancel()
	for {
		p.mu.Lock()
		lines, more := p.lines, p.more
		p.mu.Unlock()
		for _, l := range lines {
			if pick(l) {
				return l
			}
		}
		select {
		case <-more:
		case <-p.done:
			p.t.Fatalf("%s: ended (%v) without the line:\n%s", p.name, p.err, p.stderr())
		case <-ctx.Done():
			p.t.Fatalf("%s: no such line within %v; log:\n%s", p.name, within, p.stderr())
		}
	}
}

// field waits for the banner's line that begins with name and returns the rest.
func (p *process) field(name string) string {
	p.t.Helper()
	l := p.line(20*time.Second, func(s string) bool { return strings.HasPrefix(strings.TrimSpace(s), name+" ") })
	return strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(l), name))
}

// freePort is a port that was free a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// until polls ok until it is true.
func until(t *testing.T, within time.Duration, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(within)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("timed out after %v: %s", within, what)
		}
	}
}
