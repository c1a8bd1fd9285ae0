package main

import (
	"errors"
	"os"
	"time"

	"github.com/blipstream/blipstream/cmd/blipstream/rulebook"
	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/services/enrich"
)

type rulesCmd struct {
	Test rulesTestCmd `cmd:"" help:"Run the tests in a file of rules."`
	Try  rulesTryCmd  `cmd:"" help:"Make the events of past items with a file of rules, store nothing, and print how they differ from those in EVENTS."`
	Put  rulesPutCmd  `cmd:"" help:"Write a file of rules into a bucket, where all replicas take it from; its tests must pass."`
	Show rulesShowCmd `cmd:"" help:"Print the rules in a bucket."`
}

type rulesTestCmd struct {
	File string `arg:"" help:"File of rules; - is standard input."`
}

// Run prints a line for each test.
func (c *rulesTestCmd) Run(p *proc) error {
	text, err := rulebook.Read(c.File, os.Stdin)
	if err != nil {
		return refused(err)
	}
	read, err := enrich.ReadRaw(enrich.DefaultConfig())
	if err != nil {
		return err
	}
	err = rulebook.Test(text, read, p.stdout)
	if err != nil && !errors.Is(err, rulebook.ErrFailed) {
		return refused(err)
	}
	return err
}

type rulesTryCmd struct {
	Server  natsFlags     `embed:""`
	File    string        `arg:"" help:"File of rules, or kv:BUCKET."`
	Since   moment        `name:"since" default:"10m" help:"Take items since: a duration (10m) or a time (RFC 3339)."`
	Limit   int           `name:"limit" default:"100000" help:"Most items to take."`
	Samples int           `name:"samples" default:"3" help:"How many events of each kind to print that are new, changed or missing."`
	Enrich  enrich.Config `embed:"" group:"Enrich:"`
}

// prepareTimeout bounds the wait for rules in a bucket.
const prepareTimeout = 10 * time.Second

// Run prints the difference.
func (c *rulesTryCmd) Run(p *proc) error {
	switch {
	case c.Limit < 1 || c.Samples < 0:
		return refused(errors.New("rules: read flags: --limit must be 1 or more, --samples 0 or more"))
	case c.Enrich.Rules != "":
		return refused(errors.New("rules: read flags: the rules to try are the argument, leave out --rules"))
	}
	c.Enrich.Rules = c.File
	return c.Server.with(p, "rules", func(conn *bus.Conn) error {
		env := service.Nop()
		maker, err := enrich.New(c.Enrich, conn, env)
		if err != nil {
			return refused(err)
		}
		if err := prepare(p, maker); err != nil {
			return err
		}
		try := rulebook.Try{Since: c.Since.Time, Limit: c.Limit, Samples: c.Samples}
		return try.Run(p.ctx, conn, maker, p.stdout)
	})
}

// bucketFlags name a bucket of rules.
type bucketFlags struct {
	Bucket string `name:"bucket" default:"rules" help:"Name of the key-value bucket."`
}

type rulesPutCmd struct {
	Server natsFlags   `embed:""`
	Bucket bucketFlags `embed:""`
	File   string      `arg:"" help:"File of rules; - is standard input."`
}

// Run writes the file.
func (c *rulesPutCmd) Run(p *proc) error {
	text, err := rulebook.Read(c.File, os.Stdin)
	if err != nil {
		return refused(err)
	}
	read, err := enrich.ReadRaw(enrich.DefaultConfig())
	if err != nil {
		return err
	}
	return c.Server.with(p, "rules", func(conn *bus.Conn) error {
		return rulebook.Put(p.ctx, conn, c.Bucket.Bucket, text, read, p.stdout)
	})
}

type rulesShowCmd struct {
	Server natsFlags   `embed:""`
	Bucket bucketFlags `embed:""`
}

// Run prints the rules.
func (c *rulesShowCmd) Run(p *proc) error {
	return c.Server.with(p, "rules", func(conn *bus.Conn) error {
		return rulebook.Show(p.ctx, conn, c.Bucket.Bucket, p.stdout)
	})
}
