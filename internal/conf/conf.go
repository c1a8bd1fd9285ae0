// Package conf reads a program's configuration: flags, each with a twin in the
// environment (--nats is BLIPSTREAM_NATS). A BLIPSTREAM_ variable that no flag
// knows is an error, because a misspelt setting that is silently ignored is
// worse than a program that does not start.
package conf

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// Prefix starts the name of every environment variable the programs read.
const Prefix = "BLIPSTREAM_"

// SecretPrefix starts the names of variables that hold secrets, which have no
// flag because command lines are public: BLIPSTREAM_SECRET_<SOURCE>.
const SecretPrefix = Prefix + "SECRET_"

// TokenVariable holds the token that our programs show to a gateway that asks
// for a sign-in. It has no flag either.
const TokenVariable = Prefix + "TOKEN"

// foreign are prefixes of variables that are ours but no program's: they tell
// the project's own tests what to do.
var foreign = []string{SecretPrefix, Prefix + "E2E_", Prefix + "CORPUS"}

// ErrHelp is returned after --help or --version has been answered.
var ErrHelp = errors.New("conf: help was asked for")

// Program says what is parsed and where it is printed.
type Program struct {
	// Name and Description head the help text.
	Name, Description string
	// Version is printed for --version.
	Version string
	// Out and Err receive help and usage; nil means the process's own.
	Out, Err io.Writer
}

// Parse fills cli, a pointer to a struct with kong tags, from args (without
// the program's name) and the process's environment. The error is one line
// that says what to change; ErrHelp means that there is nothing left to do.
func (p Program) Parse(cli any, args []string) (ctx *kong.Context, err error) {
	out, errOut := p.Out, p.Err
	if out == nil {
		out = os.Stdout
	}
	if errOut == nil {
		errOut = os.Stderr
	}
	exited := false
	k, err := kong.New(cli,
		kong.Name(p.Name),
		kong.Description(p.Description),
		kong.Vars{"version": p.Version},
		kong.DefaultEnvars(strings.TrimSuffix(Prefix, "_")),
		kong.Writers(out, errOut),
		kong.Exit(func(int) { exited = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		return nil, fmt.Errorf("conf: describe flags: %w", err)
	}
	if err := unknownEnv(k, os.Environ()); err != nil {
		return nil, err
	}
	ctx, err = k.Parse(args)
	if exited {
		return nil, ErrHelp
	}
	if err != nil {
		return nil, fmt.Errorf("conf: read flags: %w", err)
	}
	return ctx, nil
}

// unknownEnv finds variables with our prefix that no flag of any command reads.
func unknownEnv(k *kong.Kong, environ []string) error {
	known := map[string]bool{}
	collectEnv(k.Model.Node, known)
	var unknown []string
	for _, kv := range environ {
		name, _, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(name, Prefix) && !known[name] && !isForeign(name) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown)
	return fmt.Errorf("conf: read environment: %s is not a setting of %s: unset it or correct its name (see --help)",
		strings.Join(unknown, ", "), k.Model.Name)
}

func isForeign(name string) bool {
	return name == TokenVariable || slices.ContainsFunc(foreign, func(p string) bool { return strings.HasPrefix(name, p) })
}

// collectEnv adds the variables of n's flags and those of its commands.
func collectEnv(n *kong.Node, known map[string]bool) {
	for _, f := range n.Flags {
		for _, e := range f.Envs {
			known[e] = true
		}
	}
	for _, c := range n.Children {
		collectEnv(c, known)
	}
}
