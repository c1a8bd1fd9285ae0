package main

import (
	"errors"
	"fmt"

	"github.com/blipstream/blipstream/cmd/blipstream/dead"
	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/feed"
)

type deadCmd struct {
	List    deadListCmd    `cmd:"" name:"ls" help:"List dead letters, and count them by reason."`
	Show    deadShowCmd    `cmd:"" help:"Print one dead letter, its parts put together."`
	Redrive deadRedriveCmd `cmd:"" help:"Put dead letters back into RAW, to be handled again."`
}

// deadFlags choose letters.
type deadFlags struct {
	Reason []string `name:"reason" help:"Only those of this reason, such as json; repeatable."`
	Stage  []string `name:"stage" help:"Only those of this stage: ingest, enrich, bridge, or the consumer that gave them up; repeatable."`
	Source []string `name:"source" help:"Only those of this source; repeatable."`
	Since  moment   `name:"since" help:"Only those stored since: a duration (10m) or a time (RFC 3339)."`
	Until  moment   `name:"until" help:"Only those stored before: a duration (10m) or a time (RFC 3339)."`
	Seq    []uint64 `name:"seq" help:"Only the letter of this sequence in DEAD; repeatable."`
}

func (f deadFlags) filter() (bus.DeadFilter, error) {
	if !f.Until.IsZero() && !f.Since.Before(f.Until.Time) {
		return bus.DeadFilter{}, refused(errors.New("dead: read flags: --since must be before --until"))
	}
	return bus.DeadFilter{
		Stages: f.Stage, Reasons: f.Reason, Sources: f.Source,
		Since: f.Since.Time, Until: f.Until.Time, Seqs: f.Seq,
	}, nil
}

// empty reports whether f chooses every letter.
func (f deadFlags) empty() bool {
	return len(f.Reason)+len(f.Stage)+len(f.Source)+len(f.Seq) == 0 && f.Since.IsZero() && f.Until.IsZero()
}

type deadListCmd struct {
	Server natsFlags `embed:""`
	Choice deadFlags `embed:""`
	JSON   bool      `name:"json" help:"Print one JSON object a line."`
}

// Run prints the letters.
func (c *deadListCmd) Run(p *proc) error {
	f, err := c.Choice.filter()
	if err != nil {
		return err
	}
	return c.Server.with(p, "dead", func(conn *bus.Conn) error {
		return dead.List(p.ctx, conn, f, p.stdout, c.JSON)
	})
}

type deadShowCmd struct {
	Server  natsFlags `embed:""`
	Seq     uint64    `arg:"" help:"Its sequence in DEAD, as ls prints it."`
	JSON    bool      `name:"json" xor:"form" help:"Print it as one JSON object, the payload in base64."`
	Payload bool      `name:"payload" xor:"form" help:"Print the payload alone, byte for byte."`
}

// Run prints one letter.
func (c *deadShowCmd) Run(p *proc) error {
	form := dead.Text
	switch {
	case c.JSON:
		form = dead.JSON
	case c.Payload:
		form = dead.Payload
	}
	return c.Server.with(p, "dead", func(conn *bus.Conn) error {
		return dead.Show(p.ctx, conn, c.Seq, p.stdout, form)
	})
}

type deadRedriveCmd struct {
	Server natsFlags `embed:""`
	Choice deadFlags `embed:""`
	All    bool      `name:"all" help:"All letters; without it at least one choice must be made."`
	To     string    `name:"to" placeholder:"SOURCE" help:"Source to put letters back to that do not say where they came from."`
	DryRun bool      `name:"dry-run" help:"Only say how many would be put back, and which cannot be."`
}

// check finds flags that cannot work.
func (c *deadRedriveCmd) check() error {
	switch {
	case c.Choice.empty() && !c.All:
		return refused(errors.New("dead: read flags: choose letters (--reason, --stage, --source, --since, --until, --seq), or give --all"))
	case c.To != "" && !feed.ValidSource(c.To):
		return refused(fmt.Errorf("dead: read flags: --to %q is not a source: lower-case letters, digits, _ and -", c.To))
	}
	return nil
}

// Run puts letters back.
func (c *deadRedriveCmd) Run(p *proc) error {
	f, err := c.Choice.filter()
	if err = errors.Join(err, c.check()); err != nil {
		return err
	}
	return c.Server.with(p, "dead", func(conn *bus.Conn) error {
		res, err := dead.Redrive{Filter: f, Source: c.To, DryRun: c.DryRun}.Run(p.ctx, conn, p.stdout)
		if c.DryRun {
			fmt.Fprintf(p.stdout, "%d letters chosen, %d of them cannot be put back\n", res.Chosen, res.Failed)
			return err
		}
		fmt.Fprintf(p.stdout, "%d of %d letters put back into RAW\n", res.Back, res.Chosen)
		if err == nil && res.Failed > 0 {
			err = fmt.Errorf("dead: %d letters could not be put back", res.Failed)
		}
		return err
	})
}
