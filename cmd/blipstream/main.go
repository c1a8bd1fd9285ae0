package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/blipstream/blipstream/internal/conf"
	"github.com/blipstream/blipstream/internal/service"
)

// Exit codes, the same as those of the services' own programs.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run runs the command that args name and returns the process's exit code: 0
// after a clean end, 1 after a failure, 2 for a configuration that was refused.
func run(args []string, stdout, stderr io.Writer) int {
	var commands cli
	program := conf.Program{
		Name:        "blipstream",
		Description: "One firehose in, a live map in every browser, and nothing lost on the way.",
		Version:     service.Version(), Out: stdout, Err: stderr,
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	selected, err := program.Parse(&commands, args)
	if errors.Is(err, conf.ErrHelp) {
		return exitOK
	}
	if err != nil {
		return fail(stderr, refused(err))
	}
	log, err := commands.Logger(stderr)
	if err != nil {
		return fail(stderr, refused(err))
	}
	ctx, stop := service.SignalContext(context.Background())
	defer stop()
	if err := selected.Run(&proc{ctx: ctx, log: log, stdout: stdout}); err != nil {
		return fail(stderr, err)
	}
	return exitOK
}

// refusedError is a configuration that cannot work.
type refusedError struct{ error }

// Unwrap returns what is wrong with it.
func (e *refusedError) Unwrap() error { return e.error }

func refused(err error) error { return &refusedError{err} }

// fail prints err as one line and returns its exit code.
func fail(stderr io.Writer, err error) int {
	fmt.Fprintln(stderr, strings.ReplaceAll(err.Error(), "\n", "; "))
	if _, ok := errors.AsType[*refusedError](err); ok {
		return exitUsage
	}
	return exitFailed
}
