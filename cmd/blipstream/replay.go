package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/blipstream/blipstream/cmd/blipstream/replay"
	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/services/enrich"
)

type replayCmd struct {
	Server natsFlags `embed:""`

	Since replay.Place `name:"since" xor:"from" help:"Begin so far back: a duration (10m) or a time (RFC 3339)."`
	From  replay.Place `name:"from" xor:"from" help:"Begin at a sequence of RAW, or as --since. Without it the beginning of RAW."`
	To    replay.Place `name:"to" help:"End at a sequence of RAW, or before a time. Without it the end that RAW has now."`
	Speed float64      `name:"speed" help:"How many times as fast as it came, such as 1 or 10; 0 is as fast as possible."`

	Run_      string `name:"run" xor:"target" help:"Name of the run; its events are on replay.NAME.events.*. Without it the time gives a name."`
	Continue  bool   `name:"continue" xor:"again" help:"Add to the run what it lacks, such as after an interruption."`
	Overwrite bool   `name:"overwrite" xor:"again" help:"Delete the run first."`
	Heal      bool   `name:"heal" xor:"target" help:"Store into EVENTS what RAW yields and EVENTS lacks, instead of a run."`
	Refill    bool   `name:"refill" help:"With --heal: also what the limits of EVENTS may have removed."`

	Enrich enrich.Config `embed:"" group:"Enrich:"`
}

// options turns the flags into options.
func (c *replayCmd) options(p *proc) (replay.Options, error) {
	o := replay.Options{
		From: c.From, To: c.To, Speed: c.Speed, Run: c.Run_, Continue: c.Continue, Overwrite: c.Overwrite,
		Heal: c.Heal, Refill: c.Refill, Progress: p.stdout,
	}
	if !c.Since.IsZero() {
		o.From = c.Since
	}
	if o.Heal && (o.Continue || o.Overwrite) {
		return o, refused(errors.New("replay: read flags: --continue and --overwrite are for runs, not for --heal"))
	}
	if o.Refill && !o.Heal {
		return o, refused(errors.New("replay: read flags: --refill needs --heal"))
	}
	if !o.Heal && o.Run == "" {
		o.Run = time.Now().UTC().Format("20060102-150405")
	}
	return o, o.Check()
}

// Run replays until that is done or the process is asked to stop.
func (c *replayCmd) Run(p *proc) error {
	o, err := c.options(p)
	if err != nil {
		return refused(err)
	}
	return c.Server.with(p, "replay", func(conn *bus.Conn) error {
		env := service.Nop()
		env.Log = p.log
		maker, err := enrich.New(c.Enrich, conn, env)
		if err != nil {
			return refused(err)
		}
		if err := prepare(p, maker); err != nil {
			return err
		}
		sum, err := replay.Run(p.ctx, conn, maker, o)
		if err != nil && sum.Resume == 0 {
			return err // nothing had begun
		}
		fmt.Fprint(p.stdout, sum, next(o, sum, err != nil || sum.Interrupted))
		return err
	})
}

// next says what to do with the result.
func next(o replay.Options, sum replay.Summary, stopped bool) string {
	switch {
	case stopped && o.Heal:
		return fmt.Sprintf("stopped; go on with: blipstream replay --heal --from %d --to %d\n", sum.Resume, sum.To)
	case stopped:
		return fmt.Sprintf("stopped; go on with: blipstream replay --run %s --continue --from %d --to %d\n", o.Run, sum.Resume, sum.To)
	case o.Heal:
		return ""
	}
	return fmt.Sprintf("run %s: read it at /events?run=%s of a gateway, or: nats sub 'replay.%s.events.>' --stream REPLAY --all\n", o.Run, o.Run, o.Run)
}
