package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/blipstream/blipstream/services/ingest/bench"
)

type benchIngestCmd struct {
	NATS   string `name:"nats" help:"URL of a NATS server that nobody else uses; without it one is started in another process, with a directory that is removed again."`
	Items  int    `name:"items" default:"60000" help:"How many items each part stores."`
	Bytes  int    `name:"bytes" default:"2500" help:"How long an item is."`
	Rounds int    `name:"rounds" default:"3" help:"How often all parts are measured; the best of each counts."`
	CLI    string `name:"nats-cli" default:"nats" help:"The nats CLI, whose bench publishes as much; skipped where there is none."`

	Rate float64       `name:"rate" help:"Instead read a simulated upstream of so many items a second, and tell what is missing and how much memory is held."`
	For  time.Duration `name:"for" default:"60s" help:"How long, with --rate."`
}

// Run measures and prints the table.
func (c *benchIngestCmd) Run(p *proc) error {
	if c.Items < 1 || c.Bytes < 1 || c.Rounds < 1 || c.Rate < 0 || c.For <= 0 {
		return refused(errors.New("bench: read flags: items, bytes, rounds and for must be above 0, and rate not below"))
	}
	server := &child{url: c.NATS}
	var cpu func() time.Duration
	var memory func() int64
	if c.NATS == "" {
		var err error
		if server, err = startChild(p); err != nil {
			return err
		}
		defer server.stop()
		cpu, memory = server.cpu, server.memory
	}
	if c.Rate > 0 {
		return c.steady(p, bench.SteadyOptions{ServerCPU: cpu, ServerMemory: memory, Log: p.log}, server.url)
	}
	return c.full(p, bench.Options{Items: c.Items, Bytes: c.Bytes, Rounds: c.Rounds, ServerCPU: cpu, Log: p.log}, server.url)
}

// full measures how many items a second are stored.
func (c *benchIngestCmd) full(p *proc, o bench.Options, server string) error {
	upstream, err := startSelf(p, "upstream", "bench", "upstream")
	if err != nil {
		return err
	}
	defer upstream.stop()
	o.Upstream = upstream.url
	if cli, err := exec.LookPath(c.CLI); err == nil {
		o.PeerName, o.Peer = "nats bench js pub", func(ctx context.Context) (float64, error) { return c.natsBench(ctx, cli, server) }
	}
	report, err := bench.Run(p.ctx, server, o)
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(p.stdout, report)
	return err
}

// natsRate is how the nats CLI tells a rate.
var natsRate = regexp.MustCompile(`([0-9][0-9,.]*) msgs/sec`)

// natsBench has the nats CLI publish as many messages as long, asynchronously,
// under ids into a file stream of its own, and returns its rate.
func (c *benchIngestCmd) natsBench(ctx context.Context, cli, server string) (float64, error) {
	const room = 2 // for headers, and for what the stream holds besides
	cmd := exec.CommandContext(ctx, cli, "--server", server, "bench", "js", "pub", "async", "natsbench", "--no-progress",
		"--create", "--purge", "--storage", "file", "--dedup", "--maxbytes", strconv.Itoa(room*c.Items*c.Bytes),
		"--msgs", strconv.Itoa(c.Items), "--size", strconv.Itoa(c.Bytes), "--batch", "500")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("%w: %.500s", err, out)
	}
	found := natsRate.FindSubmatch(out)
	if found == nil {
		return 0, fmt.Errorf("no rate in %.500s", out)
	}
	return strconv.ParseFloat(strings.ReplaceAll(string(found[1]), ",", ""), 64)
}

// steady reads a simulated upstream.
func (c *benchIngestCmd) steady(p *proc, o bench.SteadyOptions, server string) error {
	o.Items, o.For, o.Bytes = uint64(c.Rate*c.For.Seconds()), c.For, c.Bytes
	upstream, err := startSelf(p, "source", "simulate", "twitter", "--addr", "127.0.0.1:0", "--resume",
		"--rate", strconv.FormatFloat(c.Rate, 'f', -1, 64), "--items", strconv.FormatUint(o.Items, 10))
	if err != nil {
		return err
	}
	defer upstream.stop()
	o.Source = upstream.url + "#bench"
	report, err := bench.Steady(p.ctx, server, o)
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(p.stdout, report)
	return err
}

type benchUpstreamCmd struct{}

// Run serves until the process is asked to stop.
func (*benchUpstreamCmd) Run(p *proc) error {
	var lc net.ListenConfig
	l, err := lc.Listen(p.ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("bench: serve items: %w", err)
	}
	fmt.Fprintf(p.stdout, "upstream %s\n", l.Addr())
	server := &http.Server{Handler: bench.Upstream{}, ReadHeaderTimeout: byeTimeout}
	context.AfterFunc(p.ctx, func() { _ = server.Close() }) // who reads is stopped, too
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("bench: serve items: %w", err)
	}
	return nil
}
