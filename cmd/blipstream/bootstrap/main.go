// Command bootstrap makes the streams, consumers and buckets of a NATS server:
// `blipstream ensure` in a program of its own, which is small enough for an
// image that is pulled to run for a second.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/blipstream/blipstream/cmd/blipstream/streams"
	"github.com/blipstream/blipstream/internal/conf"
	"github.com/blipstream/blipstream/internal/service"
)

// Exit codes, the same as those of the other programs.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

type cli struct {
	conf.Log `embed:""`
	Ensure   streams.Ensure `embed:""`
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run makes them and returns the process's exit code: 0 when they are as they
// should be, 1 after a failure, 2 for a configuration that was refused.
func run(args []string, stdout, stderr io.Writer) int {
	var c cli
	_, err := conf.Program{
		Name:        "bootstrap",
		Description: "Makes the streams and consumers on a NATS server, or changes them.",
		Version:     service.Version(), Out: stdout, Err: stderr,
	}.Parse(&c, args)
	if errors.Is(err, conf.ErrHelp) {
		return exitOK
	}
	if err != nil {
		return fail(stderr, err, exitUsage)
	}
	log, err := c.Logger(stderr)
	if err != nil {
		return fail(stderr, err, exitUsage)
	}
	conn, err := c.Ensure.Connect(log)
	if err != nil {
		return fail(stderr, err, exitUsage)
	}
	ctx, stop := service.SignalContext(context.Background())
	defer stop()
	if err := c.Ensure.Make(ctx, conn, stdout); err != nil {
		return fail(stderr, err, exitFailed)
	}
	return exitOK
}

// fail prints err as one line and returns the code.
func fail(stderr io.Writer, err error, code int) int {
	fmt.Fprintln(stderr, strings.ReplaceAll(err.Error(), "\n", "; "))
	return code
}
