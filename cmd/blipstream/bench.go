package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/blipstream/blipstream/internal/usage"
	"github.com/blipstream/blipstream/services/enrich/bench"
)

type benchCmd struct {
	Enrich  benchEnrichCmd  `cmd:"" help:"How many tweets a second an enrich process handles: beside taking and acknowledging alone, with rules, with bad input, with a second one."`
	Ingest  benchIngestCmd  `cmd:"" help:"How many items a second ingest stores, beside the publisher alone and nats bench; or, with --rate, what it misses and holds."`
	Gateway benchGatewayCmd `cmd:"" help:"How many events a second one gateway delivers, beside r3labs/sse and a loop of plain writes."`
	Serve   benchServeCmd   `cmd:"" hidden:"" help:"Serve what bench gateway measures."`

	Upstream benchUpstreamCmd `cmd:"" hidden:"" help:"Serve what bench ingest reads."`
}

type benchEnrichCmd struct {
	NATS   string `name:"nats" help:"URL of a NATS server that nobody else uses; without it one is started in another process, with a directory that is removed again."`
	Tweets int    `name:"tweets" default:"60000" help:"How many tweets each part reads."`
	Rounds int    `name:"rounds" default:"2" help:"How often each part is measured; the best counts."`
	Wait   int    `name:"backlog" default:"1000000" help:"Measure with so many waiting, too: a million is 3 GB of disk and a minute; 0 leaves it out."`
	Seed   uint64 `name:"seed" default:"1" help:"Which world they come from."`
}

// Run measures and prints the table.
func (c *benchEnrichCmd) Run(p *proc) error {
	url := c.NATS
	if url == "" {
		server, err := startChild(p)
		if err != nil {
			return err
		}
		defer server.stop()
		url = server.url
	}
	report, err := bench.Run(p.ctx, url, bench.Options{Tweets: c.Tweets, Rounds: c.Rounds, Backlog: c.Wait, Seed: c.Seed, Log: p.log})
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(p.stdout, report)
	return err
}

// child is this program in another process, so that the CPU time of this one is
// that of what is measured alone.
type child struct {
	cmd *exec.Cmd
	dir string // removed when it is stopped; empty for none
	url string
}

// stopTimeout bounds the stop of a child.
const stopTimeout = 10 * time.Second

// startChild starts a NATS server on a free port with a directory of its own.
func startChild(p *proc) (*child, error) {
	dir, err := os.MkdirTemp("", "blipstream-bench-")
	if err != nil {
		return nil, fmt.Errorf("bench: make directory: %w", err)
	}
	c, err := startSelf(p, "nats", "nats", "--port", "0", "--data", dir, "--log-level", "warn")
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	c.dir = dir
	return c, nil
}

// startSelf starts this program with args and waits for the line of its banner
// that begins with name, whose rest becomes the child's url.
func startSelf(p *proc, name string, args ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("bench: find this program: %w", err)
	}
	c := &child{cmd: exec.CommandContext(p.ctx, self, args...)}
	c.cmd.Cancel = func() error { return c.cmd.Process.Signal(syscall.SIGTERM) }
	c.cmd.WaitDelay = stopTimeout
	c.cmd.Stderr = os.Stderr
	if err := c.start(name); err != nil {
		return nil, fmt.Errorf("bench: start %s: %w", args[0], err)
	}
	return c, nil
}

// start starts the child and reads its banner.
func (c *child) start(name string) error {
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if url, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			c.url = strings.TrimSpace(url)
			go func() { _, _ = io.Copy(io.Discard, out) }() // nothing more is of interest
			return nil
		}
	}
	_ = c.cmd.Wait() // why it ended is on standard error
	return errors.New("it ended at once")
}

// cpu is the CPU time that it has used, memory the bytes that it holds.
func (c *child) cpu() time.Duration { return usage.CPUOf(c.cmd.Process.Pid) }
func (c *child) memory() int64      { return usage.ResidentOf(c.cmd.Process.Pid) }

// stop ends the child and removes its directory.
func (c *child) stop() {
	_ = c.cmd.Process.Signal(syscall.SIGTERM) // it may be gone already
	_ = c.cmd.Wait()                          // nothing in it is needed any more
	if c.dir != "" {
		_ = os.RemoveAll(c.dir)
	}
}
