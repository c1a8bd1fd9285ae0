package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/blipstream/blipstream/internal/conf"
	"github.com/blipstream/blipstream/internal/service"
)

// cli is the commands and the flags that all of them have.
type cli struct {
	conf.Log `embed:""`

	Up       upCmd       `cmd:"" help:"Run everything: sources, streams, events and the page."`
	Tail     tailCmd     `cmd:"" help:"Print the posts that a gateway serves, as they come."`
	Replay   replayCmd   `cmd:"" help:"Work on what RAW holds once more: into a run, or to fill holes in EVENTS."`
	Dead     deadCmd     `cmd:"" help:"Show what could not be handled, and put it back."`
	Rules    rulesCmd    `cmd:"" help:"Test rules, try them on the past, and put them into a bucket."`
	Token    tokenCmd    `cmd:"" help:"Make a token for a gateway that asks for a sign-in."`
	NATS     natsCmd     `cmd:"" name:"nats" help:"Run the embedded NATS server alone."`
	Simulate simulateCmd `cmd:"" help:"Serve a simulated world of posts as Twitter would."`
	Ensure   ensureCmd   `cmd:"" help:"Make the streams and consumers on a NATS server, or change them."`
	Bench    benchCmd    `cmd:"" help:"Measure this machine."`
	Version  versionCmd  `cmd:"" help:"Print the version."`
}

// proc is what the process gives to a command.
type proc struct {
	// ctx ends when the process is asked to stop.
	ctx    context.Context //nolint:containedctx // the process's own, handed through kong to the one command
	log    *slog.Logger
	stdout io.Writer
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(p *proc) error {
	_, err := fmt.Fprintln(p.stdout, service.Version())
	return err
}
